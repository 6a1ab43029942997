"""The bench's rounds: interleaved, whole, and not ended by one fault."""

from __future__ import annotations

import pytest

from tests.bench import runner
from tests.bench.stack import Bench, Effort
from tests.bench.work import Figures, Work


def test_each_round_begins_with_another_subject() -> None:
    order: list[str] = []

    def take(bench: Bench, subject: str) -> Figures:
        order.append(subject)
        return {"n": float(len(order))}

    work = Work("w", ("a", "b"), take, lambda taken: [])
    results = runner.run(Bench(Effort(rounds=3)), [work], lambda text: None)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert results.taken["w"]["a"] == [{"n": 1.0}, {"n": 4.0}, {"n": 5.0}]


def test_a_round_with_a_fault_is_left_out_whole() -> None:
    calls = 0

    def take(bench: Bench, subject: str) -> Figures:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("cut off")
        return {"n": float(calls)}

    work = Work("w", ("a", "b"), take, lambda taken: [])
    results = runner.run(Bench(Effort(rounds=2)), [work], lambda text: None)
    assert results.taken["w"] == {"b": [{"n": 3.0}], "a": [{"n": 4.0}]}
    assert results.failures["w"] == ["b: OSError: cut off"]


def test_slow_work_is_taken_less_often() -> None:
    work = Work("w", ("a",), lambda bench, subject: {"n": 1.0}, lambda taken: [], rounds=1)
    results = runner.run(Bench(Effort(rounds=5)), [work], lambda text: None)
    assert len(results.taken["w"]["a"]) == 1


def test_works_are_chosen_by_the_beginning_of_their_names() -> None:
    works = [
        Work(name, (), lambda bench, subject: {}, lambda taken: [])
        for name in ("cpu-a", "cpu-b", "idle")
    ]
    assert runner.chosen(works, []) == works
    assert runner.chosen(works, ["cpu"]) == works[:2]
    with pytest.raises(LookupError, match="idle"):
        runner.chosen(works, ["nothing"])
