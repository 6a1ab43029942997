"""What a session may use up: counted over its connections, refused when it is used up, never passed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.budget import Budget, Day, Used
from dbgate_core.decision import Obligations, SessionLimits
from dbgate_core.errors import Denied, LimitExceeded
from dbgate_core.guard import ConnectionGuard
from dbgate_core.guard.leave import Leave
from dbgate_core.pgwire.guard import RowMask
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.rows import Field
from tests.unit.guard.doubles import CUSTOMERS_OID, Desk, TablePolicy

FIELDS = (Field("id", 20_001, 1, 20, 8, -1, 0),)
EMAILS = (Field("email", CUSTOMERS_OID, 2, 25, -1, -1, 0),)
ROW = message(b"D", b"\0\1\0\0\0\1" + b"7")


def begin(guard: ConnectionGuard, text: str = "select id from plain") -> Leave:
    permit = guard.judge(text)
    assert isinstance(permit, Leave)
    guard.begin(permit, None, "simple")
    return permit


def result(guard: ConnectionGuard) -> RowMask:
    mask = guard.rows(begin(guard), FIELDS)
    assert mask is not None
    return mask


def desk(**limits: int) -> Desk:
    return Desk(budget=Budget(SessionLimits(**limits)))


def test_statements_are_counted_over_all_connections() -> None:
    place = desk(statements=3)
    one, other = place.guard(), place.guard()
    begin(one)
    begin(other)
    begin(one)
    for guard in (one, other):
        with pytest.raises(LimitExceeded, match="at most 3 statements") as caught:
            begin(guard)
        assert caught.value.code == "policy.session_statements"
    assert place.log.kinds() == ["statement"] * 3


@pytest.mark.parametrize("limits", [{"rows": 3}, {"row_bytes": 3 * len(ROW)}])
def test_results_are_counted_over_all_statements(limits: dict[str, int]) -> None:
    place = desk(**limits)
    one, other = place.guard(), place.guard()
    assert result(one).rewrite(ROW * 2) == ROW * 2
    assert result(other).rewrite(ROW) == ROW
    with pytest.raises(LimitExceeded, match="of results"):
        begin(one)


@pytest.mark.parametrize("limits", [{"rows": 3}, {"row_bytes": 3 * len(ROW)}])
def test_what_is_too_much_does_not_pass_and_nothing_more_does(limits: dict[str, int]) -> None:
    guard = desk(**limits).guard()
    mask = result(guard)
    with pytest.raises(LimitExceeded):
        mask.rewrite(ROW * 4)
    with pytest.raises(LimitExceeded):
        mask.rewrite(ROW)
    with pytest.raises(LimitExceeded):
        begin(guard)


def test_a_result_that_was_shown_before_is_counted_again() -> None:
    guard = desk(rows=1).guard()
    permit = begin(guard)
    assert guard.rows(permit, FIELDS) is not None
    assert guard.rows(permit, FIELDS) is not None


def test_what_is_masked_is_counted_as_well() -> None:
    place = desk(rows=1)
    guard = place.guard()
    mask = guard.rows(begin(guard, "select email from customers"), EMAILS)
    assert mask is not None
    assert mask.rewrite(ROW) != ROW
    with pytest.raises(LimitExceeded):
        mask.rewrite(ROW)


def test_the_smaller_of_both_limits_counts() -> None:
    place = Desk(
        policy=TablePolicy(obligations=Obligations(row_limit=2)),
        budget=Budget(SessionLimits(rows=3)),
    )
    guard = place.guard()
    result(guard).rewrite(ROW * 2)
    with pytest.raises(LimitExceeded, match="a session have at most 3"):
        result(guard).rewrite(ROW * 2)


def test_copy_data_counts_as_bytes_and_is_not_for_those_with_a_limit_of_rows() -> None:
    guard = desk(row_bytes=10).guard()
    copy = guard.copy_out(begin(guard, "copy plain to stdout"), False, 1)
    assert copy is not None
    assert copy.rewrite(b"12345\n") + copy.finish() == b"12345\n"
    with pytest.raises(LimitExceeded):
        copy.rewrite(b"12345\n")
    guard = desk(rows=10).guard()
    with pytest.raises(Denied, match="row limit"):
        guard.copy_out(begin(guard, "copy plain to stdout"), False, 1)


def test_without_limits_nothing_is_counted() -> None:
    guard = Desk().guard()
    assert guard.rows(begin(guard), FIELDS) is None


def of_day(day: Day, **limits: int) -> Desk:
    return Desk(budget=Budget(SessionLimits(**limits), day))


def test_statements_of_a_day_are_counted_over_all_sessions() -> None:
    day = Day("prod-db")
    day.begin(Used(statements=1))
    one, other = of_day(day, day_statements=3).guard(), of_day(day, day_statements=3).guard()
    begin(one)
    begin(other)
    for guard in (one, other):
        with pytest.raises(LimitExceeded, match="at most 3 statements of prod-db a day"):
            begin(guard)


@pytest.mark.parametrize("limits", [{"day_rows": 3}, {"day_row_bytes": 3 * len(ROW)}])
def test_results_of_a_day_never_pass_its_limit(limits: dict[str, int]) -> None:
    day = Day("prod-db")
    one, other = of_day(day, **limits).guard(), of_day(day, **limits).guard()
    assert result(one).rewrite(ROW * 2) == ROW * 2
    open_ = result(other)
    assert open_.rewrite(ROW) == ROW
    with pytest.raises(LimitExceeded, match="of results of prod-db a day"):
        open_.rewrite(ROW)
    with pytest.raises(LimitExceeded):
        begin(one)


def test_copies_are_not_for_those_with_a_limit_of_rows_of_a_day() -> None:
    guard = of_day(Day("prod-db"), day_rows=3).guard()
    with pytest.raises(Denied, match="row limit"):
        guard.copy_out(begin(guard, "copy plain to stdout"), False, 1)


def test_a_limit_of_a_day_needs_a_day() -> None:
    with pytest.raises(ValueError, match="without a day"):
        Budget(SessionLimits(day_rows=3))


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["statement", "rows", "save", "midnight"]))
)


@given(STEPS, st.integers(1, 8), st.integers(1, 8))
def test_whatever_comes_in_whichever_order_no_day_passes_its_limits(
    steps: list[tuple[int, str]], statements: int, rows: int
) -> None:
    """Three sessions, a store, and counts that are saved at any time; nothing is counted twice or lost."""
    limits = SessionLimits(day_statements=statements, day_rows=rows)
    day, stored, began, passed = Day("d"), Used(), 0, 0
    budgets = [Budget(limits, day) for _ in range(3)]
    for which, step in steps:
        if step == "midnight":
            stored, began, passed = Used(), 0, 0
            day.saved(day.unsaved, Used())
        elif step == "save":
            stored = stored.plus(day.unsaved)
            day.saved(day.unsaved, stored)
        else:
            try:
                if step == "statement":
                    budgets[which].statement()
                    began += 1
                else:
                    budgets[which].results(2, 9)
                    passed += 2
            except LimitExceeded:
                pass
        assert began <= statements
        assert passed <= rows
        assert (day.used.statements, day.unsaved.plus(stored)) == (began, day.used)
