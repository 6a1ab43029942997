"""Thousands of clients that say nothing, beside some that work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import repeat

from tests.bench import pgbench, procs
from tests.bench.paths import Route
from tests.bench.peers import HAPROXY
from tests.bench.stack import DBGATE, Bench
from tests.bench.wire import Client, Refused
from tests.bench.work import Figures, Goal, Line, Taken, Work, median

ACTIVE = 32
AT_ONCE = 8
"""Clients that connect at the same time; a crowd of thousands is another measurement."""
SETTLE_S = 2.0
"""What log-ins leave behind is given back by then."""
NO_ERRORS = Goal(0)
THROUGHPUT = Goal(0.85, at_least=True)
MEMORY = {"broker": Goal(50), "tunnel": Goal(40)}


def take(bench: Bench, subject: str) -> Figures:
    """Throughput without, with and again without the idle; memory; errors of any kind."""
    route, errors = bench.route(subject), 0.0
    tps = [_active(bench, route)]
    before = {part: procs.pss_mb(pid) for part, pid in route.relays}
    with _idle(route, bench.effort.idle) as clients:
        time.sleep(SETTLE_S)
        now = {part: procs.pss_mb(pid) for part, pid in route.relays}
        tps.append(_active(bench, route))
        errors += bench.effort.idle - _answering(clients)
        held = max(1, len(clients)) / 1000
    tps.append(_active(bench, route))
    errors += tps.count(0.0)
    figures = {part: (now[part] - before[part]) / held for part in now}
    return figures | {
        "errors": errors,
        "ratio": 2 * tps[1] / max(tps[0] + tps[2], 1e-9),
        "memory": sum(figures.values()),
    }


def _active(bench: Bench, route: Route) -> float:
    """Transactions a second of the active; 0 when one of them met an error."""
    with suppress(pgbench.Failed):
        return pgbench.transactions_per_s(route, "prepared", ACTIVE, bench.effort.seconds)
    return 0.0


@contextmanager
def _idle(route: Route, count: int) -> Iterator[list[Client]]:
    """Those of so many clients that got in."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tried = list(pool.map(_connected, repeat(route, count)))
    clients = [client for client in tried if client is not None]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


def _connected(route: Route) -> Client | None:
    with suppress(Refused, OSError):
        return Client(route)
    return None


def _answering(clients: list[Client]) -> int:
    """How many of the idle are still served."""
    count = 0
    for client in clients:
        with suppress(Refused, OSError):
            client.ask("select 1")
            count += client.drain().rows == 1
    return count


def lines(taken: Taken) -> list[Line]:
    """Errors, throughput, and memory of each relay."""
    what = f"idle connections + {ACTIVE} active"
    haproxy = {f"{HAPROXY}, both hops": median(taken, HAPROXY, "memory")}
    return [
        Line(f"{what}: errors", median(taken, DBGATE, "errors"), "", NO_ERRORS),
        Line(
            f"{what}: transactions/s / without the idle",
            median(taken, DBGATE, "ratio"),
            "x",
            THROUGHPUT,
            {HAPROXY: median(taken, HAPROXY, "ratio")},
        ),
        *(
            Line(f"{part}, per 1,000 idle", median(taken, DBGATE, part), "MB", goal, haproxy)
            for part, goal in MEMORY.items()
        ),
    ]


WORKS = (Work("idle", (HAPROXY, DBGATE), take, lines, rounds=1),)
