"""docs/clients.md: what the suites gave when they last ran, and every difference that is meant.

`python -m tests.transparency --record` writes the rows of the suites that it ran. The list of differences
is known.toml's; a test holds the document against it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.transparency.known import Known
from tests.transparency.sources import Sources

DOCUMENT = Path(__file__).parents[2] / "docs" / "clients.md"
HEAD = "| suite | version | tests | alike | differences that are meant | other |\n|---|---|---|---|---|---|\n"


@dataclass(frozen=True, slots=True)
class Row:
    """What a suite gave: its tests, and how many differ with a reason (`meant`) and without."""

    version: str
    tests: int
    meant: int
    other: int

    def line(self, suite: str) -> str:
        """The row in Markdown."""
        alike = self.tests - self.meant - self.other
        return (
            f"| {suite} | {self.version} | {self.tests} | {alike} | {self.meant} | {self.other} |\n"
        )


def version_of(suite: str, sources: Sources) -> str:
    """The version that ran: of the package, or of PostgreSQL's programs."""
    if suite == "node-postgres":
        package = sources.find(suite) / "packages" / "pg" / "package.json"
        return str(json.loads(package.read_text())["version"])
    try:
        return version(suite)
    except PackageNotFoundError:
        said = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=True)
        return said.stdout.split()[2]


def part(text: str, name: str) -> str:
    """What stands between a part's marks."""
    return text.partition(f"<!-- {name}: begin -->\n")[2].partition(f"<!-- {name}: end -->\n")[0]


def replaced(text: str, name: str, content: str) -> str:
    """The text with another content of that part."""
    before, begin, rest = text.partition(f"<!-- {name}: begin -->\n")
    _, end, after = rest.partition(f"<!-- {name}: end -->\n")
    return before + begin + content + end + after


def results(text: str, rows: Mapping[str, Row]) -> str:
    """The table of results with these rows in the place of older ones, in the order of the alphabet."""
    lines = {
        line.split("|")[1].strip(): line for line in part(text, "results").splitlines(True)[2:]
    }
    lines |= {suite: row.line(suite) for suite, row in rows.items()}
    return HEAD + "".join(lines[suite] for suite in sorted(lines))


def differences(known: Known) -> str:
    """The reasons of known.toml, each once a suite."""
    listed = dict.fromkeys((entry.suite, entry.reason) for entry in known.entries)
    return "".join(f"- {suite}: {reason}.\n" for suite, reason in sorted(listed))


def record(rows: Mapping[str, Row], known: Known) -> None:
    """Write both parts."""
    text = DOCUMENT.read_text()
    text = replaced(text, "results", results(text, rows))
    DOCUMENT.write_text(replaced(text, "differences", differences(known)))
