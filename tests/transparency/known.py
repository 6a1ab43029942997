"""The differences that are meant, from known.toml: each with its reason, none wider than it must be.

An entry names a suite, tests, and the lines that may differ, as shell patterns. A difference is
known when each of its lines is. What is listed and did not happen is said, so that the list shrinks.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tests.transparency.results import Difference

FILE = Path(__file__).with_name("known.toml")


@dataclass(slots=True)
class Entry:
    """Lines of some tests of a suite that may differ, and why."""

    suite: str
    tests: Sequence[str]
    lines: Sequence[str]
    reason: str
    met: bool = field(default=False)

    def explains(self, difference: Difference, line: str) -> bool:
        """Whether a line of a difference is one of these."""
        return (
            difference.suite == self.suite
            and any(fnmatchcase(difference.test, pattern) for pattern in self.tests)
            and any(fnmatchcase(line, pattern) for pattern in self.lines)
        )


class Known:
    """All entries, and which of them were met."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries

    @classmethod
    def load(cls, file: Path = FILE) -> Known:
        """Read the list. Raises TypeError for a key that is unknown or missing."""
        content = tomllib.loads(file.read_text())
        return cls([Entry(**entry) for entry in content.get("known", [])])

    def reasons(self, difference: Difference) -> list[str]:
        """Why the difference is meant; empty when a line of it is not known."""
        found: list[Entry] = []
        for line in difference.lines:
            entry = next((e for e in self.entries if e.explains(difference, line)), None)
            if entry is None:
                return []
            found.append(entry)
        for entry in found:
            entry.met = True
        return list(dict.fromkeys(entry.reason for entry in found))

    def unmet(self, suites: Sequence[str]) -> list[Entry]:
        """What is listed for suites that ran, and did not happen."""
        return [entry for entry in self.entries if entry.suite in suites and not entry.met]
