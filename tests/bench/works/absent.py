"""What has a goal and cannot be measured: said in the report, so that its absence is seen."""

from __future__ import annotations

from tests.bench.stack import Bench
from tests.bench.work import Figures, Goal, Line, Taken, Work


def _absent(name: str, what: str, goal: Goal, why: str) -> Work:
    def take(bench: Bench, subject: str) -> Figures:
        raise AssertionError("nothing is taken")

    def lines(taken: Taken) -> list[Line]:
        return [Line(what, None, "x", goal, note=why)]

    return Work(name, (), take, lines)


WORKS = (
    _absent(
        "workers",
        "two workers on two cores, light server work: transactions/s / one worker's",
        Goal(1.5, at_least=True),
        "not built: a broker is one process",
    ),
)
