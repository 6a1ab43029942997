"""Four light clients beside one that reads a masked table without an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench import pgbench, tables
from tests.bench.paths import Route
from tests.bench.peers import HAPROXY
from tests.bench.stack import DBGATE, DIRECT, Bench
from tests.bench.wire import Client
from tests.bench.work import Figures, Goal, Line, Taken, Work, median

P99 = Goal(5)
CLIENTS = 4
BEGUN_S = 30.0
"""A reader that has seen nothing by then is broken."""


def take(bench: Bench, subject: str) -> Figures:
    """The light clients' percentiles in milliseconds, and what the reader got meanwhile."""
    route, seconds = bench.route(subject), bench.effort.seconds
    with _reader(route, f"select * from {bench.wide(tables.PEOPLE)}") as counted:
        before = counted[0]
        took = pgbench.latencies_us(route, "prepared", CLIENTS, seconds)
        megabytes = (counted[0] - before) / 1e6
    figures = {f"p{n}_ms": pgbench.percentile(took, n / 100) / 1000 for n in (50, 99)}
    return figures | {"tps": len(took) / seconds, "reader_mb_per_s": megabytes / seconds}


@contextmanager
def _reader(route: Route, text: str) -> Iterator[list[int]]:
    """Reads on and on while the block lives; gives the count of bytes, in a list of one."""
    counted, stop, begun = [0], threading.Event(), threading.Event()

    def seen(size: int) -> bool:
        counted[0] += size
        begun.set()
        return not stop.is_set()

    def read() -> None:
        while not stop.is_set():
            client = Client(route)
            try:
                client.ask(text)
                client.drain(seen)
            finally:
                client.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        if not begun.wait(BEGUN_S):
            raise TimeoutError(f"{route.name}: the bulk reader gets nothing")
        yield counted
    finally:
        stop.set()
        thread.join()


def lines(taken: Taken) -> list[Line]:
    """The 99th percentile; direct's and haproxy's reader gets its rows unmasked."""
    figures = ("p99_ms", "p50_ms", "tps", "reader_mb_per_s")
    beside = {f"{DBGATE}: {name}": median(taken, DBGATE, name) for name in figures[1:]}
    beside |= {name: median(taken, name, "p99_ms") for name in (DIRECT, HAPROXY)}
    what = f"{CLIENTS} light clients beside an endless masked bulk read: p99"
    return [Line(what, median(taken, DBGATE, "p99_ms"), "ms", P99, beside)]


WORKS = (Work("fairness", (DIRECT, HAPROXY, DBGATE), take, lines),)
