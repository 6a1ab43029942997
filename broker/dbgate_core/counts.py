"""What guards count of their statements: plain additions, for whoever shows figures.

All connections of a database and access role share one. For the event loop's thread alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dbgate_core.decision import Verdict
from dbgate_core.pgwire.guard import Outcome, Status
from dbgate_core.sql.kinds import KINDS

PLACES: Final = 33
"""Of durations: the last one holds all from 2^31 us on, some 36 minutes."""


def _by_kind() -> dict[str, int]:
    return dict.fromkeys(KINDS, 0)


@dataclass(slots=True)
class Counts:
    """`durations[n]` counts the statements of less than 2^n us, and of 2^(n-1) us or more."""

    allowed: dict[str, int] = field(default_factory=_by_kind)
    denied: dict[str, int] = field(default_factory=_by_kind)
    held: dict[str, int] = field(default_factory=_by_kind)
    ended: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    durations: list[int] = field(default_factory=lambda: [0] * PLACES)
    duration_us: int = 0

    def refused(self, verdict: Verdict, kind: str) -> None:
        """A statement was denied or held."""
        (self.held if verdict is Verdict.HOLD else self.denied)[kind] += 1

    def end(self, outcome: Outcome, duration_us: int) -> None:
        """A statement ended."""
        self.ended[outcome.status] += 1
        self.durations[min(duration_us.bit_length(), PLACES - 1)] += 1
        self.duration_us += duration_us
