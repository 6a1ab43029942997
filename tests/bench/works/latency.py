"""What the path adds to one short statement: one client, everything on one core.

On one core no wake-up of another core is in the figure, which on virtual machines costs more than
any relay; what is left is the length of the path.
"""

from __future__ import annotations

from tests.bench import pgbench, procs
from tests.bench.peers import BOUNCER, HAPROXY
from tests.bench.stack import DBGATE, DIRECT, DIRECT_TLS, Bench
from tests.bench.work import Figures, Goal, Line, Taken, Work, added, median

ADDED = Goal(60)


def take(bench: Bench, subject: str) -> Figures:
    """Percentiles of a simple select, in microseconds."""
    route = bench.route(subject)
    everyone = [bench.server, *(pid for _, pid in route.relays)]
    with procs.pinned(everyone):
        took = pgbench.latencies_us(route, "simple", 1, bench.effort.seconds)
    return {"p50_us": pgbench.percentile(took, 0.5), "p99_us": pgbench.percentile(took, 0.99)}


def lines(taken: Taken) -> list[Line]:
    """The median that is added to direct's."""
    peers = {name: added(taken, name, DIRECT, "p50_us") for name in (DIRECT_TLS, BOUNCER, HAPROXY)}
    beside = {f"{DIRECT}, whole": median(taken, DIRECT, "p50_us"), **peers}
    what = "select-only, 1 client on one core: p50 added to direct"
    return [Line(what, added(taken, DBGATE, DIRECT, "p50_us"), "us", ADDED, beside)]


WORKS = (Work("latency", (DIRECT, DIRECT_TLS, BOUNCER, HAPROXY, DBGATE), take, lines),)
