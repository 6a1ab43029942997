"""`make bench`: interleaved rounds over all routes, medians, ratios; a table and a JSON file.

`--quick` makes one short round, to see that the harness works.
"""

from __future__ import annotations

import argparse
import json
import platform
import socket
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import cpu, measures
from tests.bench.paths import DATABASE, Bouncer, Gate, Route, libpq_environment
from tests.demo.stage import BIN, Stage

RESULTS = Path(__file__).parent / "results"
Cell = Callable[[Route], dict[str, float]]


def cells(seconds: int) -> dict[str, tuple[str, Cell]]:
    """The measures: name -> (the figure that is compared, how to take it)."""
    table: dict[str, tuple[str, Cell]] = {}
    for mode in ("simple", "extended", "prepared"):
        for clients in (1, 8, 32):

            def take(route: Route, mode: str = mode, clients: int = clients) -> dict[str, float]:
                return measures.select_only(route, mode, clients, seconds)

            table[f"select-only {mode}, {clients} client{'s' * (clients > 1)}"] = ("tps", take)
    table["COPY, 1 M rows x 10"] = ("rows_per_s", measures.bulk_copy)
    table["SELECT, 1 M rows x 10"] = ("rows_per_s", measures.bulk_select)
    return table


def rounds_of(
    routes: list[Route], table: dict[str, tuple[str, Cell]], rounds: int, console: Console
) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Take every cell on every route, the routes interleaved, several times over."""
    taken: dict[str, dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for name, (figure, take) in table.items():
            order = routes[number % len(routes) :] + routes[: number % len(routes)]
            for route in order:
                result = take(route)
                taken[name][route.name].append(result)
                console.print(f"round {number + 1}: {name}: {route.name}: {result[figure]:,.0f}")
    return taken


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def command_lines(stage: Stage, times: int) -> dict[str, dict[str, float]]:
    """Wall times of the command line beside a bare interpreter's.

    With its modules compiled, as pip leaves them when it installs.
    """
    env = stage.environment("alice")
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    dbgate = str(BIN / "dbgate")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "dbgate --version": [dbgate, "--version"],
        "dbgate --help": [dbgate, "--help"],
        "dbgate whoami": [dbgate, "whoami"],
        'connect -- -c "select 1"': [dbgate, "connect", DATABASE, "--", "-c", "select 1"],
    }
    taken: dict[str, list[float]] = defaultdict(list)
    for argv in commands.values():
        measures.command_line(argv, env)
    for _ in range(times):
        for name, argv in commands.items():
            taken[name].append(measures.command_line(argv, env)["ms"])
    return {
        name: {"median_ms": statistics.median(ms), "min_ms": min(ms)} for name, ms in taken.items()
    }


def report(
    console: Console,
    table: dict[str, tuple[str, Cell]],
    taken: dict[str, dict[str, list[dict[str, float]]]],
    routes: list[Route],
) -> dict[str, dict[str, float]]:
    """Print medians and ratios; give them for the JSON file."""
    shown = Table(title="medians, and the median of the ratios to direct within each round")
    shown.add_column("measure")
    for route in routes:
        shown.add_column(route.name, justify="right")
    summary: dict[str, dict[str, float]] = {}
    for name, (figure, _) in table.items():
        direct = [r[figure] for r in taken[name][routes[0].name]]
        row = [name]
        summary[name] = {}
        for route in routes:
            values = [r[figure] for r in taken[name][route.name]]
            ratio = statistics.median(v / d for v, d in zip(values, direct, strict=True))
            summary[name][route.name] = statistics.median(values)
            summary[name][f"{route.name} / direct"] = ratio
            row.append(f"{statistics.median(values):,.0f} {figure}  x{ratio:.2f}")
        shown.add_row(*row)
    console.print(shown)
    return summary


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each pgbench run")
    options = parser.parse_args()
    rounds, seconds = (1, 1) if options.quick else (options.rounds, options.seconds)
    console = Console(stderr=False, width=150)
    with Stage() as stage, tempfile.TemporaryDirectory() as scratch:
        stage.run("alice", ["dbgate", "login", "--as", "alice"], quiet=True)
        dsn = stage.ready["postgres"][DATABASE]
        direct = Route("direct TLS", libpq_environment(dsn))
        measures.prepare(direct)
        bouncer = Bouncer(Path(scratch), dsn, free_port())
        gate = Gate(BIN / "dbgate", stage.environment("alice"))
        routes = [direct]
        try:
            if Bouncer.available():
                routes.append(bouncer.start())
            else:
                console.print("pgbouncer is not installed: not compared")
            routes.append(gate.start())
            table = cells(seconds)
            taken = rounds_of(routes, table, rounds, console)
            processes = cpu.Processes(gate.pid, cpu.broker_of(stage))
            seconds_of = cpu.measured(processes, direct, routes[-1], 500 * seconds)
        finally:
            gate.stop()
            bouncer.stop()
        summary = report(console, table, taken, routes)
        cpu.show(console, seconds_of)
        lines = command_lines(stage, 3 if options.quick else 9)
    for name, figures in lines.items():
        console.print(
            f"{name:28} median {figures['median_ms']:7.0f} ms   min {figures['min_ms']:7.0f} ms"
        )
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    file.write_text(
        json.dumps(
            {"machine": machine, "routes": summary, "cpu": seconds_of, "cli": lines}, indent=1
        )
    )
    console.print(f"kept in {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
