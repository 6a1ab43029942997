"""The attempts and the harmless queries, read from text files: a file is a group, a paragraph one case.

A line that ends with a semicolon ends a step; steps are sent one after the other. Directives:

- `-- quiet`: what leaks is too short to be sought (a length, a comparison): the values must not be
  those of the direct way.
- `-- simple`: its steps hold several statements, so only the simple protocol takes them.
- `-- undo: SQL`: it must be committed; this cleans up after it. Else all is rolled back.
- `-- open: why`: it does leak, as things are; noticed when that ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
_READS: Final = ("select", "with", "values", "table", "explain", "show", "copy", "(")


@dataclass(frozen=True)
class Case:
    """One case of a group."""

    group: str
    steps: tuple[str, ...]
    quiet: bool = False
    simple: bool = False
    undo: str = ""
    open: str = ""

    @property
    def alone(self) -> bool:
        """Does it change nothing, so that a connection may be used again after it."""
        words = "\n".join(self.steps).lower()
        changes = ("insert ", "update ", "delete ", "merge ", "set_config", "into ", "call ")
        return (
            len(self.steps) == 1
            and words.startswith(_READS)
            and not any(word in words for word in changes)
        )

    def __str__(self) -> str:
        return " ".join(" ".join(self.steps).split())


def attempts() -> list[Case]:
    """Every attempt, in the order of the files' names."""
    return [case for path in sorted((FOLDER / "attempts").glob("*.sql")) for case in _read(path)]


def harmless() -> list[Case]:
    """Every harmless query."""
    return [case for path in sorted((FOLDER / "harmless").glob("*.sql")) for case in _read(path)]


def statements(text: str) -> list[str]:
    """The statements of a script, where each ends with a semicolon at the end of a line."""
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith("--")]
    return [part.strip() for part in "\n".join(kept).split(";\n") if part.strip()]


def _read(path: Path) -> Iterator[Case]:
    for paragraph in path.read_text().split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line.strip()]
        notes = dict(_note(line) for line in lines if line.startswith("-- "))
        steps = statements("\n".join(line for line in lines if not line.startswith("-- ")) + "\n")
        if steps:
            yield Case(
                path.stem,
                tuple(step.removesuffix(";") for step in steps),
                "quiet" in notes,
                "simple" in notes,
                notes.get("undo", ""),
                notes.get("open", ""),
            )


def _note(line: str) -> tuple[str, str]:
    name, _, value = line.removeprefix("-- ").partition(":")
    return name.strip(), value.strip()
