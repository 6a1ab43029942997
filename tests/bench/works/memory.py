"""Memory of the relays while a result passes: it must not grow with the result's size."""

from __future__ import annotations

import time

from tests.bench import procs, tables
from tests.bench.peers import HAPROXY
from tests.bench.stack import DBGATE, Bench
from tests.bench.wire import Client
from tests.bench.work import Figures, Goal, Line, Taken, Work, median

FLAT = Goal(2)
"""Megabytes: the allocator's noise, many times the 256 KB that a connection may hold."""
SMALL = 10
"""The small result is this part of the large one."""
STALL_S = 2.0
"""Long enough for everything to be read that somebody would hold."""


def take(bench: Bench, subject: str) -> Figures:
    """What the peak of each relay gains from a tenth of the table to the whole of it.

    First with a reader that keeps up, then with one that reads nothing for a while.
    """
    table = bench.wide(tables.PEOPLE)
    relays = bench.route(subject).relays
    small = f"select * from {table} limit {bench.effort.wide_rows // SMALL}"
    _peaks(bench, subject, small)  # what is made once, is made
    less = _peaks(bench, subject, small)
    figures: Figures = {}
    for how, stall_s in (("flowing", 0.0), ("stalled", STALL_S)):
        more = _peaks(bench, subject, f"select * from {table}", stall_s)
        figures |= {f"{part}, {how}": more[part] - less[part] for part, _ in relays}
    return figures


def _peaks(bench: Bench, subject: str, text: str, stall_s: float = 0.0) -> dict[str, float]:
    route = bench.route(subject)
    client = Client(route)
    try:
        for _, pid in route.relays:
            procs.forget_peak(pid)
        client.ask(text)
        time.sleep(stall_s)
        client.drain()
        return {part: procs.peak_mb(pid) for part, pid in route.relays}
    finally:
        client.close()


def lines(taken: Taken) -> list[Line]:
    """Of each relay."""
    hops = ("near hop", "far hop")
    return [
        Line(
            f"{part}: peak memory of a large result over a small one's, reader {how}",
            median(taken, DBGATE, f"{part}, {how}"),
            "MB",
            FLAT,
            {f"{HAPROXY}: {hop}": median(taken, HAPROXY, f"{hop}, {how}") for hop in hops},
        )
        for part in ("broker", "tunnel")
        for how in ("flowing", "stalled")
    ]


WORKS = (Work("memory", (HAPROXY, DBGATE), take, lines, rounds=1),)
