"""The reasons of reasons.toml: what may be unknown or refused, and why."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

FILE = Path(__file__).with_name("reasons.toml")


@dataclass(frozen=True, slots=True)
class Reason:
    """`what` is a shell pattern of what is said of a text; `scripts` are those it is said in."""

    what: str
    scripts: tuple[str, ...]
    why: str

    def covers(self, script: str, said: str) -> bool:
        """Whether this is the reason for it."""
        return script in self.scripts and fnmatchcase(said, self.what)


def reasons(file: Path = FILE) -> list[Reason]:
    """Read the list. Raises KeyError for an entry without one of the three."""
    entries = tomllib.loads(file.read_text())["reason"]
    return [Reason(each["what"], tuple(each["scripts"]), each["why"]) for each in entries]
