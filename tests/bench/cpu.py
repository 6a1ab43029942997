"""`python -m tests.bench.cpu`: CPU seconds that dbgate takes for 100,000 statements, and a gigabyte.

Wall-clock figures scatter with what else the machine does; CPU seconds less. The tunnel
(`dbgate connect`) and the broker are read from proc(5) before and after each run; what the audit
log's threads do within the second after it belongs to it. `x base` is their sum over the CPU time of
the client alone (pgbench or psql, directly on the server) for the same work in the same run: it is
the figure to compare between machines, and between hours on a shared one.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import measures
from tests.bench.paths import DATABASE, Gate, Route, libpq_environment
from tests.demo.stage import BIN, Stage

MODES = ("simple", "extended", "prepared")
CLIENTS = 8
SETTLE_S = 1.2
"""The audit log's threads sync and seal within a second of the last entry."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The two processes of dbgate's path."""

    tunnel: int
    broker: int

    def cpu_s(self) -> tuple[float, float]:
        """CPU seconds of both so far."""
        return measures.cpu_seconds(self.tunnel), measures.cpu_seconds(self.broker)


def broker_of(stage: Stage) -> int:
    """The process id of a stage's broker, by its configuration file. Raises LookupError."""
    config = str(stage.home / "dev" / "broker.toml")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if "dbgate_broker" in arguments and config in arguments:
                return int(entry.name)
    raise LookupError("the broker does not run")


@contextmanager
def opened(stage: Stage) -> Iterator[tuple[Route, Route, Processes]]:
    """The direct route and dbgate's, with the tables of the bench made."""
    stage.run("alice", ["dbgate", "login", "--as", "alice"], quiet=True)
    direct = Route("direct TLS", libpq_environment(stage.ready["postgres"][DATABASE]))
    measures.prepare(direct)
    gate = Gate(BIN / "dbgate", stage.environment("alice"))
    try:
        route = gate.start()
        yield direct, route, Processes(gate.pid, broker_of(stage))
    finally:
        gate.stop()


def taken(
    processes: Processes,
    direct: Route,
    route: Route,
    factor: float,
    work: Callable[[Route], object],
) -> dict[str, float]:
    """CPU seconds of the work times `factor`: of the tunnel, the broker, and a direct client alone."""
    children = os.times()
    work(direct)
    base = sum(os.times()[2:4]) - sum(children[2:4])
    before = processes.cpu_s()
    work(route)
    time.sleep(SETTLE_S)
    tunnel, broker = (b - a for a, b in zip(before, processes.cpu_s(), strict=True))
    figures = {"tunnel": tunnel, "broker": broker, "sum": tunnel + broker, "base": base}
    return {name: value * factor for name, value in figures.items()}


def measured(
    processes: Processes, direct: Route, route: Route, each: int
) -> dict[str, dict[str, float]]:
    """Every figure, once."""
    figures = {}
    for mode in MODES:
        _selects(route, mode, max(50, each // 10))  # what can be remembered is remembered

        def selects(way: Route, mode: str = mode) -> None:
            _selects(way, mode, each)

        factor = 100_000 / (each * CLIENTS)
        name = f"s for 100k selects, {mode}"
        figures[name] = taken(processes, direct, route, factor, selects)
    for kind, read in (("COPY", measures.bulk_copy), ("SELECT", measures.bulk_select)):
        factor = 1 / measures.WIDE_GIGABYTES[kind]
        figures[f"s for 1 GB of {kind}"] = taken(processes, direct, route, factor, read)
    return figures


def _selects(route: Route, mode: str, each: int) -> None:
    command = f"pgbench -n -S -M {mode} -c {CLIENTS} -j 1 -t {each} -s {measures.SCALE}"
    subprocess.run(shlex.split(command), env=route.env, check=True, capture_output=True)


def show(console: Console, figures: dict[str, dict[str, float]]) -> None:
    """Print the figures as a table."""
    table = Table(title=f"CPU seconds, {CLIENTS} clients")
    table.add_column("measure")
    for heading in ("tunnel", "broker", "sum", "base", "x base"):
        table.add_column(heading, justify="right")
    for name, row in figures.items():
        parts = [f"{row[part]:.2f}" for part in ("tunnel", "broker", "sum", "base")]
        table.add_row(name, *parts, f"{row['sum'] / max(row['base'], 0.001):.1f}")
    console.print(table)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cpu", description=__doc__)
    parser.add_argument("--each", type=int, default=3000, help="statements of each client")
    options = parser.parse_args()
    with Stage() as stage, opened(stage) as (direct, route, processes):
        figures = measured(processes, direct, route, options.each)
    show(Console(stderr=False, width=100), figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
