"""Searches by a protected column in series stand in the log as what they are."""

from __future__ import annotations

from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.series import MAX_COLUMNS, SERIES, WINDOW_NS, Alert, Series
from dbgate_core.sql.searches import How, Search
from tests.unit.guard.doubles import Desk

PATTERN = [Search("public.people.email", How.PATTERN)]


def test_a_series_is_told_when_it_is_full_and_then_anew() -> None:
    series = Series()
    told = [series.note(PATTERN, n) for n in range(2 * SERIES)]
    full = [n for n, alerts in enumerate(told) if alerts]
    assert full == [SERIES - 1, 2 * SERIES - 1]
    assert told[full[0]] == [Alert("public.people.email")]


def test_searches_far_apart_are_no_series() -> None:
    series = Series()
    apart = WINDOW_NS // (SERIES - 1) + 1
    assert not any(series.note(PATTERN, n * apart) for n in range(5 * SERIES))


def test_whole_values_are_no_series_and_columns_count_apart() -> None:
    series = Series()
    equal = [Search("public.people.email", How.EQUALITY)]
    assert not any(series.note(equal, 0) for _ in range(5 * SERIES))
    mixed = [[Search(f"public.t.c{n % 2}", How.RANGE)] for n in range(2 * SERIES - 2)]
    assert not any(series.note(one, 0) for one in mixed)


def test_so_many_columns_are_remembered() -> None:
    series = Series()
    for n in range(10 * MAX_COLUMNS):
        series.note([Search(f"public.t.c{n}", How.ORDER)], n)
    assert len(series._times) == MAX_COLUMNS


def test_the_log_says_so_before_the_statement_that_made_it_full() -> None:
    desk = Desk()
    first, second = desk.guard(), desk.guard()
    for n in range(SERIES):
        guard = (first, second)[n % 2]  # connections of one session count together
        guard._scope = first._scope
        permit = guard.judge(f"select id from customers where email like '{n}%'")
        assert not isinstance(permit, Refusal | Hold)
        assert ("search_series" in desk.log.kinds()) is False
        guard.begin(permit, None, "simple")
    kinds = desk.log.kinds()
    assert kinds[-2:] == ["search_series", "statement"]
    assert kinds.count("search_series") == 1
    said = desk.log.entries[-2][1]
    assert said["column"] == "public.customers.email"
    assert said["searches"] == SERIES
    assert desk.log.entries[-1][1]["searches"] == [
        {"column": "public.customers.email", "how": "pattern"}
    ]
