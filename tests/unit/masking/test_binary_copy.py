"""Binary COPY data: rows as a DataRow has them, wherever they are cut; nothing passes by its masks."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.errors import LimitExceeded, ProtocolViolation
from dbgate_core.masking import binary_copy
from dbgate_core.masking.binary_copy import BinaryCopyMask
from dbgate_core.masking.rows import ColumnMask, MaskedColumn

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
ABOUT = MaskedColumn("c", "email", "token")
Row = Sequence[bytes | None]


def row(values: Row) -> bytes:
    parts = [b"\xff" * 4 if v is None else struct.pack("!i", len(v)) + v for v in values]
    return struct.pack("!h", len(values)) + b"".join(parts)


def whole(rows: Sequence[Row]) -> bytes:
    return HEADER + b"".join(map(row, rows)) + END


def masking(columns: int = 2) -> BinaryCopyMask:
    """The second column is masked: reversed, and longer; what starts with 0 is NULL."""
    reverse = ColumnMask(1, ABOUT, lambda value: None if value[:1] == b"\0" else value[::-1] + b"!")
    return BinaryCopyMask(columns, [reverse])


def masked(value: bytes | None) -> bytes | None:
    return None if value is None or value[:1] == b"\0" else value[::-1] + b"!"


VALUES = st.one_of(st.none(), st.binary(max_size=12))
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=5)


@given(ROWS, st.integers(1, 40))
def test_rows_are_masked_wherever_they_are_cut(rows: list[Row], cut: int) -> None:
    data, mask = whole(rows), masking()
    shown = b"".join(mask.rewrite(data[at : at + cut]) for at in range(0, len(data), cut))
    assert shown + mask.finish() == whole([(one, masked(two)) for one, two in rows])
    assert mask.values == sum(two is not None for _, two in rows)
    assert mask.masked == (ABOUT,)


@pytest.mark.parametrize(
    "data",
    [
        b"PGCOPY\n\xff\r\n\1" + bytes(8) + END,
        HEADER[:-5] + b"\1" + bytes(4) + END,
        HEADER[:-1] + b"\4" + b"kept" + END,
        HEADER + row([b"a"]) + END,
        HEADER + row([b"a", b"b", b"c"]) + END,
        HEADER + b"\xff\xfe",
        HEADER + b"\0\2\xff\xff\xff\xfe",
        HEADER + END + row([b"a", b"b"]),
        HEADER + END + b"\0",
    ],
    ids=range(9),
)
def test_what_is_not_as_described_does_not_pass(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        masking().rewrite(data)


@pytest.mark.parametrize("data", [b"", HEADER[:5], HEADER, HEADER + row([b"a", b"b"])[:-1]])
def test_data_that_does_not_end_is_refused(data: bytes) -> None:
    mask = masking()
    assert mask.rewrite(data) in (b"", HEADER)
    with pytest.raises(ProtocolViolation):
        mask.finish()


def test_an_endless_row_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary_copy, "MAX_ROW_BYTES", 64)
    mask = masking()
    mask.rewrite(HEADER + b"\0\2\x7f\xff\xff\xff")
    with pytest.raises(LimitExceeded):
        mask.rewrite(bytes(64))


@given(st.binary(max_size=60))
def test_no_bytes_break_it(data: bytes) -> None:
    mask = masking()
    try:
        mask.rewrite(HEADER + data)
        mask.finish()
    except ProtocolViolation:
        pass
