"""The end of a binary row's values, compiled and not."""

from __future__ import annotations

import struct

from hypothesis import example, given
from hypothesis import strategies as st

from dbgate_core.masking import binary_rows
from tests.unit.native.twins import answer, compiled

native = compiled()
VALUE = st.one_of(
    st.just(b"\xff" * 4),
    st.binary(max_size=6).map(lambda value: struct.pack("!i", len(value)) + value),
    st.integers(-3, 9).map(lambda length: struct.pack("!i", length)),
)


@given(st.lists(VALUE, max_size=5).map(b"".join), st.integers(0, 9), st.integers(0, 5))
@example(b"\x7f\xff\xff\xff" * 9, 0, 3)
@example(b"\xff\xff\xff\xfe", 0, 1)
@example(b"", 4, 1)
def test_values_end_where_they_end(data: bytes, position: int, columns: int) -> None:
    expected = answer(binary_rows.end_of_values, data, position, columns)
    assert answer(native.end_of_values, data, position, columns) == expected


@given(st.lists(st.one_of(st.none(), st.binary(max_size=6)), max_size=5), st.binary(max_size=9))
def test_what_is_cut_says_how_much_there_must_be(values: list[bytes | None], more: bytes) -> None:
    parts = [b"\xff" * 4 if v is None else struct.pack("!i", len(v)) + v for v in values]
    whole = b"".join(parts)
    assert native.end_of_values(whole + more, 0, len(values)) == len(whole)
    for cut in range(len(whole)):
        missing = native.end_of_values(whole[:cut], 0, len(values))
        assert cut < -missing <= len(whole)
