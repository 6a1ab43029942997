"""Durations and moments, as people type them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli.durations import UNITS_S, moment, seconds
from dbgate_core.errors import UsageError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PARTS = st.lists(st.tuples(st.integers(0, 999_999), st.sampled_from("dhms")), min_size=1)


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2d", 172800), (" 1H ", 3600), ("0m1s", 1)],
)
def test_durations(text: str, value: int) -> None:
    assert seconds(text) == value


@given(PARTS)
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{n}{unit}" for n, unit in parts)
    total = sum(n * UNITS_S[unit] for n, unit in parts)
    if total:
        assert seconds(text) == total
    else:
        with pytest.raises(UsageError):
            seconds(text)


@pytest.mark.parametrize("text", ["", "0s", "5", "m", "1h 30m", "-5m", "1.5h", "1w", "1234567s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration"):
        seconds(text)


@given(st.text())
def test_any_text_is_a_duration_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert seconds(text) >= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


def test_a_moment_without_a_zone_is_local() -> None:
    assert moment("2026-01-31", NOW) == datetime(2026, 1, 31).astimezone()


@pytest.mark.parametrize("text", ["yesterday", "", "999999d999999d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        moment(text, NOW)
