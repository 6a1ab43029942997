"""New connections through a session that is open: what the relays spend on each."""

from __future__ import annotations

from tests.bench import pgbench
from tests.bench.peers import BOUNCER, HAPROXY
from tests.bench.stack import DBGATE, Bench
from tests.bench.work import Figures, Goal, Line, Taken, Work, median
from tests.bench.works.cpu import counted

EACH = Goal(3)
CLIENTS = 4


def take(bench: Bench, subject: str) -> Figures:
    """CPU milliseconds of a connection with one select in it."""
    route, each = bench.route(subject), bench.effort.connects

    def work() -> float:
        pgbench.run(route, f"-C -M simple -c {CLIENTS} -t {each}")
        return each * CLIENTS / 1000

    return counted(bench, subject, work)


def lines(taken: Taken) -> list[Line]:
    """TLS, CONNECT, SCRAM, the server's log-in, one select, and the end."""
    beside = {f"{DBGATE}: {part}": median(taken, DBGATE, part) for part in ("tunnel", "broker")}
    beside |= {name: median(taken, name, "sum") for name in (BOUNCER, HAPROXY)}
    what = "new connection through an open session: CPU of the relays"
    return [Line(what, median(taken, DBGATE, "sum"), "ms", EACH, beside)]


WORKS = (Work("connects", (BOUNCER, HAPROXY, DBGATE), take, lines, rounds=3),)
