"""What one measurement is: what it is taken on, how, and the lines of the report it gives."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.stack import Bench

Figures = dict[str, float]
"""Of one subject in one round, by name."""
Taken = Mapping[str, Sequence[Figures]]
"""Subject -> its figures, a round each. The same place in two subjects is the same round."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to be, at most or at least."""

    limit: float
    at_least: bool = False

    def missed_by(self, figure: float) -> float:
        """The distance as a share of the goal; 0 when it is met."""
        gap = self.limit - figure if self.at_least else figure - self.limit
        return max(0.0, gap / self.limit) if self.limit else max(0.0, gap)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report. Without a figure the note says why there is none."""

    what: str
    figure: float | None
    unit: str = ""
    goal: Goal | None = None
    beside: Mapping[str, float | None] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A measurement. A subject is mostly a route; those that are not to be had are left out.

    `rounds` bounds how often it is taken, for what is slow and steady.
    """

    name: str
    subjects: tuple[str, ...]
    take: Callable[[Bench, str], Figures]
    lines: Callable[[Taken], list[Line]]
    rounds: int | None = None


def median(taken: Taken, subject: str, figure: str) -> float | None:
    """The middle one of the rounds; None for a subject that was left out."""
    values = [figures[figure] for figures in taken.get(subject, ())]
    return statistics.median(values) if values else None


def ratio(taken: Taken, subject: str, other: str, figure: str) -> float | None:
    """The median of the ratios within each round."""
    return _paired(taken, subject, other, figure, lambda one, two: one / max(two, 1e-9))


def added(taken: Taken, subject: str, other: str, figure: str) -> float | None:
    """The median of the differences within each round."""
    return _paired(taken, subject, other, figure, lambda one, two: one - two)


def _paired(
    taken: Taken, subject: str, other: str, figure: str, join: Callable[[float, float], float]
) -> float | None:
    pairs = zip(taken.get(subject, ()), taken.get(other, ()), strict=False)
    values = [join(one[figure], two[figure]) for one, two in pairs]
    return statistics.median(values) if values else None
