"""`python -m tests.transparency [SUITE ...]`: run suites on both routes and print the difference.

Exit code 0: every difference is known, with its reason. 1: one is not, or a suite could not be run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.paths import Route
from tests.transparency.document import Row, record, version_of
from tests.transparency.known import Known
from tests.transparency.results import Difference, Outcome, Results, differences
from tests.transparency.sources import Missing, Sources
from tests.transparency.stack import Stack, stack
from tests.transparency.suite import Suite
from tests.transparency.suites import SUITES

MAX_LINES = 20
"""Of one difference on the terminal; `--keep` has them all."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A suite's results on both routes; `missing` when it could not be run."""

    suite: str
    direct: Results
    through: Results
    missing: str = ""

    @property
    def differences(self) -> list[Difference]:
        """What differs, known or not."""
        return differences(self.suite, self.direct, self.through)

    def row(self, known: Known, sources: Sources) -> Row:
        """As docs/clients.md has it."""
        meant = [bool(known.reasons(difference)) for difference in self.differences]
        tests, version = len(self.direct), version_of(self.suite, sources)
        return Row(version, tests, meant.count(True), meant.count(False))


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; the exit code."""
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(prog="python -m tests.transparency", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(names))
    parser.add_argument("--source", action="append", default=[], metavar="SUITE=DIR")
    parser.add_argument("--postgres-source", metavar="DIR", help="an unpacked PostgreSQL source")
    parser.add_argument("--record", action="store_true", help="write docs/clients.md")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="keep each run's files there")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.suites) - set(names):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    sources = _sources(asked.source, asked.postgres_source)
    chosen = [suite for suite in SUITES if not asked.suites or suite.name in asked.suites]
    with (
        tempfile.TemporaryDirectory(prefix="dbgate-suites-") as scratch,
        stack(sorted({suite.dbname for suite in chosen})) as running,
    ):
        folder = (asked.keep or Path(scratch)).absolute()
        compared = [compare(suite, running, folder, sources) for suite in chosen]
    known = Known.load()
    code = report(compared, known)
    if asked.record:
        record({one.suite: one.row(known, sources) for one in compared if not one.missing}, known)
    return code


def _sources(named: Sequence[str], postgres: str | None) -> Sources:
    pairs = [text.partition("=")[::2] for text in named]
    folders = {name: Path(folder).absolute() for name, folder in pairs}
    if postgres:
        folders["postgres"] = Path(postgres).absolute()
    return Sources(folders)


def compare(suite: Suite, running: Stack, folder: Path, sources: Sources) -> Compared:
    """Run a suite directly, then through dbgate, each on an empty database."""

    def run(routes: Mapping[str, Route]) -> Results:
        route = routes[suite.dbname]
        print(f"{suite.name}: {route.name} ...", file=sys.stderr, flush=True)
        running.server.renew_database(suite.dbname)
        place = folder / suite.name / route.name
        place.mkdir(parents=True)
        return suite.run(route, place, sources)

    try:
        return Compared(suite.name, run(running.direct), run(running.through))
    except Missing as exc:
        return Compared(suite.name, {}, {}, str(exc))


def report(compared: Sequence[Compared], known: Known) -> int:
    """Print the table and every difference; the exit code."""
    unknown = 0
    rows: list[Sequence[str]] = [("suite", "tests", "direct", "dbgate", "differences", "known")]
    for one in compared:
        found = one.differences
        explained = [bool(known.reasons(difference)) for difference in found]
        unknown += explained.count(False)
        counts = [len(one.direct), _passed(one.direct), _passed(one.through)]
        counts += [len(found), explained.count(True)]
        rows.append([one.suite, *map(str, counts)])
    for one in compared:
        for difference in one.differences:
            _show(difference, known.reasons(difference))
    _table(rows)
    for entry in known.unmet([one.suite for one in compared if not one.missing]):
        print(f"listed, did not happen: {entry.suite} {' '.join(entry.tests)}: {entry.reason}")
    missing = [one for one in compared if one.missing]
    for one in missing:
        print(f"not run: {one.suite}: {one.missing}")
    return 1 if unknown or missing else 0


def _passed(results: Results) -> int:
    return sum(result.outcome is Outcome.PASSED for result in results.values())


def _show(difference: Difference, reasons: Sequence[str]) -> None:
    lines = list(difference.lines)
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"... and {len(lines) - MAX_LINES} more lines"]
    shown = replace(difference, lines=lines)
    print(f"\n{shown.suite} {shown.test}: {'known: ' + '; '.join(reasons) if reasons else 'NEW'}")
    for line in shown.lines:
        print(f"    {line}")


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for row in rows:
        cells = [
            row[0].ljust(widths[0]),
            *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
        ]
        print("  ".join(cells))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
