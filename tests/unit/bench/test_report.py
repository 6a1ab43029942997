"""The bench's report: what is missed is said, and by how much."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.runner import Results
from tests.bench.work import Figures, Goal, Line, Taken, Work, added, median, ratio
from tests.bench.works import WORKS


@pytest.mark.parametrize(
    ("goal", "figure", "expected"),
    [
        (Goal(60), 60.0, "met"),
        (Goal(60), 90.0, "MISSED by 50%"),
        (Goal(60), 600.0, "MISSED: x 10.0 the goal"),
        (Goal(0.9, at_least=True), 0.9, "met"),
        (Goal(0.9, at_least=True), 0.45, "MISSED by 50%"),
        (Goal(0), 3.0, "MISSED by 3"),
        (Goal(5), math.inf, "MISSED"),
    ],
)
def test_a_goal_is_met_or_missed(goal: Goal, figure: float, expected: str) -> None:
    assert report.judged(goal, figure) == expected


def test_ratios_are_taken_within_each_round() -> None:
    taken: Taken = {"a": [{"n": 1.0}, {"n": 30.0}, {"n": 2.0}], "b": [{"n": 2.0}] * 3}
    assert median(taken, "a", "n") == 2.0
    assert ratio(taken, "a", "b", "n") == 1.0
    assert added(taken, "a", "b", "n") == 0.0
    assert ratio(taken, "a", "not installed", "n") is None


def test_no_figure_comes_with_the_reason() -> None:
    def take(bench: object, subject: str) -> Figures:
        raise AssertionError

    work = Work("broken", (), take, lambda taken: [Line("it", None, "s", Goal(1))])
    (line,) = report.lines_of([work], Results({"broken": {}}, {"broken": ["dbgate: cut off"]}))
    assert report.row(line)[2:4] == ("-", "not measured: dbgate: cut off")


def test_json_holds_every_round_and_no_infinity() -> None:
    results = Results({"w": {"dbgate": [{"ms": 1.0}, {"ms": math.inf}]}}, {})
    found = json.loads(report.as_json({}, {}, [Line("it", math.inf, "ms", Goal(5))], results))
    assert found["works"]["w"]["dbgate"]["ms"]["rounds"] == [1.0, None]
    assert found["lines"][0]["figure"] is None
    assert found["lines"][0]["dbgate"] == "no answer"


def test_the_table_replaces_what_stood_between_the_marks(tmp_path: Path) -> None:
    file = tmp_path / "document.md"
    file.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.place(file, "new\n")
    assert file.read_text() == f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n"
    file.write_text("no marks")
    with pytest.raises(ValueError, match="lacks"):
        report.place(file, "new\n")


def test_names_can_be_told_apart() -> None:
    names = [work.name for work in WORKS]
    assert len(set(names)) == len(names)
