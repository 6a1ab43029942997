"""No protected value comes out, whatever is asked and in whatever way; and what is harmless is left alone.

`python -m tests.leaks` prints the same by group.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.leaks.corpus import Case, attempts, harmless
from tests.leaks.drawn import Drawn
from tests.leaks.place import leaks_place
from tests.leaks.results import run_attempts, run_drawn, run_harmless
from tests.leaks.trial import Trial
from tests.leaks.ways import simple

pytestmark = pytest.mark.e2e
AT_LEAST = (300, 200)


def _by_group(cases: list[Case]) -> list[list[Case]]:
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.group, []).append(case)
    return list(groups.values())


def _name(cases: list[Case]) -> str:
    return cases[0].group


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with leaks_place() as (where, world, traces):
        it = Trial(where, world, traces)
        yield it
        it.close()


@pytest.mark.parametrize("cases", _by_group(attempts()), ids=_name)
def test_no_protected_value_comes_out(trial: Trial, cases: list[Case]) -> None:
    (group,) = run_attempts(trial, cases).values()
    assert not group.wrong
    assert not group.vacuous, "these show nothing without dbgate either"
    assert not group.closed, "these are marked open and leak no more"


@pytest.mark.parametrize("cases", _by_group(harmless()), ids=_name)
def test_a_harmless_answer_is_the_servers(trial: Trial, cases: list[Case]) -> None:
    (group,) = run_harmless(trial, cases).values()
    assert not group.wrong


def test_nothing_that_is_drawn_comes_out(trial: Trial) -> None:
    """`python -m tests.leaks drawn FIRST SECONDS` draws others."""
    _, found = run_drawn(trial, range(1, 101))
    assert not found
    shown = [n for n in range(1, 31) if trial.shows(Drawn(n).case(), simple)]
    assert len(shown) > 5, "most drawn cases show nothing without dbgate either"


def test_the_corpus_is_large() -> None:
    assert (len(attempts()), len(harmless())) >= AT_LEAST
