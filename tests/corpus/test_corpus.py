"""Every case of the corpus is as its file says: attacks work and are stopped, harmless ones are the same."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.corpus import served
from tests.corpus.attacking import Attacks, attacks
from tests.corpus.cases import Case, groups, tools
from tests.corpus.comparing import Harmless, harmless
from tests.corpus.conditions import Conditions, is_trivial
from tests.corpus.place import TEMPLATE, place

pytestmark = pytest.mark.e2e
ATTACKS, HARMLESS = groups("attacks"), [*tools(), *groups("harmless")]


@pytest.fixture(scope="module")
def attacking() -> Iterator[Attacks]:
    with place(ATTACKS) as it, attacks(it) as ready:
        yield ready


@pytest.fixture(scope="module")
def comparing() -> Iterator[Harmless]:
    with place(HARMLESS) as it, harmless(it) as ready:
        yield ready


@pytest.mark.parametrize("case", [c for g in ATTACKS for c in g.cases], ids=str)
def test_an_attack_works_and_is_stopped(attacking: Attacks, case: Case) -> None:
    verdict = attacking.run(case)
    assert not verdict.failed, case.steps


@pytest.mark.parametrize("case", [c for g in HARMLESS for c in g.cases], ids=str)
def test_a_harmless_case_has_the_same_answers(comparing: Harmless, case: Case) -> None:
    compared = comparing.run(case)
    assert not compared.failed, case.steps


def test_the_server_ran_what_was_recorded_of_attacks(attacking: Attacks) -> None:
    attacking.close()
    assert not served.parted(attacking.place)
    assert not served.miscounted(attacking.place)


def test_the_server_ran_what_was_recorded_of_harmless_cases(comparing: Harmless) -> None:
    comparing.close()
    assert not served.parted(comparing.place)
    assert not served.miscounted(comparing.place)


def test_a_condition_that_picks_some_rows_is_a_real_one(comparing: Harmless) -> None:
    drawn = Conditions(seed=1)
    with psycopg.connect(comparing.place.server.dsn(TEMPLATE), autocommit=True) as server:
        for condition in (drawn.condition() for _ in range(600)):
            count = f"select count(*) filter (where {condition}), count(*) from orders"
            found = server.execute(count.encode()).fetchone()
            assert found is not None
            assert not (is_trivial(condition) and 0 < found[0] < found[1]), condition


def test_names_are_told_apart() -> None:
    names = [str(case) for group in (*ATTACKS, *HARMLESS) for case in group.cases]
    assert len(names) == len(set(names))
