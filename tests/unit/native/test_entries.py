"""The compiled parts of the audit log give what their references give: lines and times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.audit import filling
from tests.unit.native.twins import compiled

native = compiled()
LAST_US = 253_402_300_799_999_999

values = st.one_of(
    st.integers(0, 2**63 - 1), st.text(st.characters(codec="utf-8")), st.binary(max_size=2_000)
)


@given(st.data(), st.lists(values, min_size=1, max_size=8))
def test_lines_are_filled_alike(data: st.DataObject, held: list[int | str | bytes]) -> None:
    order = tuple(data.draw(st.lists(st.integers(0, len(held) - 1), max_size=9)))
    pieces = tuple(
        data.draw(st.lists(st.binary(), min_size=len(order) + 1, max_size=len(order) + 1))
    )
    assert native.filled(pieces, order, tuple(held)) == filling.filled(pieces, order, held)


@pytest.mark.parametrize("twin", [native, filling])
def test_what_does_not_fit_is_no_line(twin: object) -> None:
    filled = twin.filled  # type: ignore[attr-defined]
    for pieces, order, held in [
        ((b"",), (0,), (1,)),
        ((b"", b""), (), ()),
        ((b"", b""), (0,), (-1,)),
    ]:
        with pytest.raises(ValueError, match=r"fit|below"):
            filled(pieces, order, held)
    with pytest.raises(IndexError):
        filled((b"", b""), (1,), (1,))


@given(st.integers(0, LAST_US))
def test_times_are_told_alike(now_us: int) -> None:
    assert native.timestamp(now_us) == filling.timestamp(now_us)


@pytest.mark.parametrize("day", [0, 58, 59, 789, 11_015, 11_016, 47_540, 47_541, 2_932_896])
def test_times_are_told_alike_about_leap_days(day: int) -> None:
    for second in (0, 86_399):
        now_us = (day * 86_400 + second) * 1_000_000 + 7
        assert native.timestamp(now_us) == filling.timestamp(now_us)
