"""CPU seconds of the relays: the figure that scatters least, on a busy machine too.

What the audit log's threads do within the second after the work belongs to it. `client` is the CPU
time of the client alone for the same work, by which machines can be compared.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from tests.bench import pgbench, procs, tables
from tests.bench.peers import HAPROXY
from tests.bench.stack import DBGATE, Bench
from tests.bench.work import Figures, Goal, Line, Taken, Work, median, ratio
from tests.bench.works.bulk import read

CLIENTS = 8
SETTLE_S = 1.2
"""The audit log's threads sync and seal within a second of the last entry."""
PREPARED = Goal(5.5)
OF_HAPROXY = Goal(1.28)
"""5.5 s over the 4.3 s that haproxy took where the first goal was set: machines differ."""
ROUTES = (HAPROXY, DBGATE)


def counted(bench: Bench, subject: str, work: Callable[[], float]) -> Figures:
    """CPU seconds of each relay for one unit of the work; `work` gives how many units it did."""
    relays = bench.route(subject).relays
    own = sum(os.times()[:4])
    before = [procs.cpu_seconds(pid) for _, pid in relays]
    units = work()
    client = sum(os.times()[:4]) - own
    if subject == DBGATE:
        time.sleep(SETTLE_S)
    spent = [procs.cpu_seconds(pid) - was for (_, pid), was in zip(relays, before, strict=True)]
    figures = {part: one / units for (part, _), one in zip(relays, spent, strict=True)}
    return figures | {"sum": sum(spent) / units, "client": client / units}


def _selects(mode: str) -> Work:
    def take(bench: Bench, subject: str) -> Figures:
        route, each = bench.route(subject), bench.effort.statements
        pgbench.run(route, f"-M {mode} -c {CLIENTS} -t 50")  # what can be remembered, is

        def work() -> float:
            pgbench.run(route, f"-M {mode} -c {CLIENTS} -t {each}")
            return each * CLIENTS / 100_000

        return counted(bench, subject, work)

    def lines(taken: Taken) -> list[Line]:
        goal, of_haproxy = (PREPARED, OF_HAPROXY) if mode == "prepared" else (None, None)
        what = f"CPU of the relays per 100,000 selects, {mode}"
        return [
            Line(what, median(taken, DBGATE, "sum"), "s", goal, _parts(taken)),
            Line(f"{what} / {HAPROXY}", ratio(taken, DBGATE, HAPROXY, "sum"), "x", of_haproxy),
        ]

    return Work(f"cpu-{mode}", ROUTES, take, lines, None if mode == "prepared" else 2)


def _gigabyte(kind: str, text: str, table: str) -> Work:
    def take(bench: Bench, subject: str) -> Figures:
        query = text.format(bench.wide(table))
        return counted(bench, subject, lambda: read(bench, subject, query).bytes / 1e9)

    def lines(taken: Taken) -> list[Line]:
        figure = median(taken, DBGATE, "sum")
        return [Line(f"CPU of the relays per GB of {kind}", figure, "s", None, _parts(taken))]

    return Work(f"cpu-{kind.lower().replace(' ', '-')}", ROUTES, take, lines, rounds=3)


def _parts(taken: Taken) -> dict[str, float | None]:
    own = {f"{DBGATE}: {part}": median(taken, DBGATE, part) for part in ("tunnel", "broker")}
    return own | {HAPROXY: median(taken, HAPROXY, "sum"), "client": median(taken, DBGATE, "client")}


WORKS = (
    *(_selects(mode) for mode in ("prepared", "extended", "simple")),
    _gigabyte("COPY", "copy {} to stdout", tables.WIDE),
    _gigabyte("SELECT", "select * from {}", tables.WIDE),
    _gigabyte("masked SELECT", "select * from {}", tables.PEOPLE),
)
