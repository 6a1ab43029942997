"""The compiled scan of messages gives what its reference gives, whatever the bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.pgwire import runs
from tests.unit.native.twins import answer, compiled

native = compiled()

LENGTHS = st.one_of(
    st.integers(0, 40), st.sampled_from([3, 4, 1 << 30, (1 << 30) + 1, 1 << 31, (1 << 32) - 1])
)
MESSAGES = st.builds(
    lambda kind, length, body: kind + struct.pack("!I", length) + body,
    st.sampled_from([b"D", b"d", b"C"]),
    LENGTHS,
    st.binary(max_size=40),
)
WHOLE = st.builds(
    lambda kind, body: kind + struct.pack("!I", 4 + len(body)) + body,
    st.sampled_from([b"D", b"D", b"D", b"C"]),
    st.binary(max_size=20),
)
BYTES = st.one_of(
    st.binary(max_size=60),
    st.lists(st.one_of(WHOLE, WHOLE, MESSAGES), max_size=6).map(b"".join),
)


@given(BYTES, st.integers(0, 70), st.sampled_from(b"DdC"))
def test_a_run_of_messages_ends_alike(data: bytes, position: int, kind: int) -> None:
    expected = answer(runs.end_of_run, data, position, kind)
    assert answer(native.end_of_run, data, position, kind) == expected


@given(BYTES, st.integers(0, 70))
def test_a_run_of_whole_rows_ends_alike(data: bytes, end: int) -> None:
    expected = answer(runs.end_of_whole_run, data, 0, end)
    assert answer(native.end_of_whole_run, data, 0, end) == expected


@given(BYTES)
def test_rows_are_counted_alike(data: bytes) -> None:
    assert answer(native.count_rows, data) == answer(runs.count_rows, data)


def test_no_position_leads_out_of_the_data() -> None:
    for function in (native.end_of_run, native.end_of_whole_run):
        with pytest.raises(ValueError, match="before the data"):
            function(b"D\0\0\0\4", -1, -1)
