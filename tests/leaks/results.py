"""Running the whole corpus, and its table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tests.leaks.corpus import Case
from tests.leaks.drawn import Drawn
from tests.leaks.trial import Trial
from tests.leaks.ways import WAYS, Way, described, simple


@dataclass
class Group:
    """What became of the cases of one file."""

    cases: int = 0
    runs: int = 0
    wrong: list[str] = field(default_factory=list)
    vacuous: list[str] = field(default_factory=list)
    """Attempts that show nothing without dbgate either: they prove nothing."""
    closed: list[str] = field(default_factory=list)
    """Attempts marked open that leak no more."""


ONCE: Final = (simple, described)
"""For harmless cases that change something: done twice, it would fail."""


def _ways(case: Case, changes: tuple[Way, ...]) -> tuple[Way, ...]:
    if case.simple:
        return (simple,)
    return WAYS if case.alone else changes


def run_attempts(trial: Trial, cases: Iterable[Case]) -> dict[str, Group]:
    """Every attempt in every way."""
    groups: dict[str, Group] = {}
    for case in cases:
        group = groups.setdefault(case.group, Group())
        group.cases += 1
        ways = _ways(case, changes=WAYS)
        found = []
        for way in ways:
            group.runs += 1
            if leak := trial.leaks(case, way):
                found.append(f"{way.__name__}: {leak}: {case}")
        if case.open and not found:
            group.closed.append(str(case))
        if not case.open:
            group.wrong += found
        if not any(trial.shows(case, way) for way in ways):
            group.vacuous.append(str(case))
    return groups


def run_drawn(trial: Trial, numbers: Iterable[int]) -> tuple[int, list[str]]:
    """Drawn cases, each in one way of its own; how many statements they were, and what came through."""
    steps, found = 0, []
    for number in numbers:
        case = Drawn(number).case()
        way = WAYS[number % len(WAYS)]
        steps += len(case.steps)
        if leak := trial.leaks(case, way):
            found.append(f"case {number}, {way.__name__}: {leak}: {case}")
    return steps, found


def run_harmless(trial: Trial, cases: Iterable[Case]) -> dict[str, Group]:
    """Every harmless query in every way."""
    groups: dict[str, Group] = {}
    for case in cases:
        group = groups.setdefault(case.group, Group())
        group.cases += 1
        for way in _ways(case, changes=ONCE):
            group.runs += 1
            if difference := trial.difference(case, way):
                group.wrong.append(f"{way.__name__}: {case}\n      {difference}")
    return groups


def table(title: str, wrong: str, groups: dict[str, Group]) -> str:
    """The groups, a line each, and their sum."""
    rows = [(name, g.cases, g.runs, len(g.wrong)) for name, g in groups.items()]
    sums: Counter[int] = Counter()
    for row in rows:
        for n, number in enumerate(row[1:]):
            sums[n] += number
    rows.append(("all", sums[0], sums[1], sums[2]))
    lines = [f"{title:14} {'cases':>6} {'runs':>6} {wrong:>8}"]
    return "\n".join([*lines, *(f"{a:14} {b:6} {c:6} {d:8}" for a, b, c, d in rows)])
