"""`make bench`: the goals for speed, each measured beside its yardsticks in one run.

Prints a table of goals and figures and keeps JSON in tests/bench/results/. `--only NAME` takes the
measurements whose name begins so, `--quick` all of them once and briefly: to see that they work.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.bench import peers, report, runner
from tests.bench.machine import facts
from tests.bench.stack import QUICK, Bench, Effort
from tests.bench.works import WORKS
from tests.programs import clients_on_path

RESULTS = Path(__file__).parent / "results"
WIDTH = 170


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog="measurements: " + ", ".join(work.name for work in WORKS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of each pgbench run")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="put the table in a document")
    return parser.parse_args()


def main() -> int:
    """Measure, print, keep."""
    options = arguments()
    given = {k: getattr(options, k) for k in ("rounds", "seconds") if getattr(options, k)}
    effort = replace(QUICK if options.quick else Effort(), **given)
    try:
        works = runner.chosen(WORKS, options.only)
    except LookupError as exc:
        print(f"bench: {exc.args[0]}", file=sys.stderr)
        return 2
    console = Console(width=WIDTH, highlight=False)
    clients_on_path()
    for route in (peers.BOUNCER, peers.HAPROXY):
        if not peers.available(route):
            console.print(f"{route}: not installed, not compared")
    machine = facts()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the stack ends, too
    with Bench(effort) as bench:
        results = runner.run(bench, works, lambda text: console.print(text, markup=False))
    lines = report.lines_of(works, results)
    console.print(report.table(lines))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    file.write_text(report.as_json(machine, asdict(effort), lines, results))
    console.print(f"kept in {file}", markup=False)
    if options.markdown is not None:
        rounds = f"{effort.rounds} round{'s' if effort.rounds > 1 else ''}"
        told = f"{rounds}, {effort.seconds} s a run of pgbench"
        report.place(options.markdown, report.markdown(lines, machine, told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
