"""What a suite's tests gave on one route, and where two routes differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

CONTEXT_LINES = 0


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """A test's end. `output` must be the same on both routes; `detail` is why it failed, in a line."""

    outcome: Outcome
    output: str = ""
    detail: str = ""


Results = Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class Difference:
    """A test that does not do through dbgate what it does directly, and the lines that show it."""

    suite: str
    test: str
    lines: Sequence[str]


def differences(suite: str, direct: Results, through: Results) -> list[Difference]:
    """Every test whose outcome or output differs; one that ran on one route only differs, too."""
    return [
        Difference(suite, test, lines)
        for test in sorted(direct.keys() | through.keys())
        if (lines := list(_lines(direct.get(test), through.get(test))))
    ]


def _lines(direct: Result | None, through: Result | None) -> Iterator[str]:
    if direct is None or through is None:
        yield f"ran {'through dbgate' if direct is None else 'directly'} only"
        return
    if direct.outcome is not through.outcome:
        why = through.detail or direct.detail
        yield f"{direct.outcome} directly, {through.outcome} through dbgate: {why}"
        return
    yield from changed(direct.output, through.output)


def changed(direct: str, through: str) -> Iterator[str]:
    """The lines that differ: `-` stands before a direct one, `+` before one through dbgate."""
    if direct == through:
        return
    for line in difflib.unified_diff(
        direct.splitlines(), through.splitlines(), lineterm="", n=CONTEXT_LINES
    ):
        if not line.startswith(("---", "+++", "@@")):
            yield line
