"""The compiled RowMask gives what its reference gives, for good rows and for broken ones."""

from __future__ import annotations

import struct
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.codecs import value_mask
from dbgate_core.masking.column_masks import Masking, OutputColumn
from dbgate_core.masking.forms import Form
from dbgate_core.masking.free_text import FreeTexts
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.rows import ColumnMask, MaskedColumn, RowMask
from dbgate_core.masking.shapes import SYSTEM_TYPES
from dbgate_core.masking.styles import PARTIAL_FOR_ALL
from dbgate_core.masking.types import TEXT_OID
from dbgate_core.native.masks import CompiledRowMask
from tests.unit.native.texts import TEXTS
from tests.unit.native.twins import answer, compiled

compiled()

WIDTH = 4
KEY = MaskKey(b"k" * 32)
ABOUT = MaskedColumn("c", "email", "token")
OIDS = st.sampled_from([TEXT_OID, TEXT_OID, TEXT_OID, 16, 20, 1009, 1082, 3802])
MASKS = st.builds(
    lambda data_class, opaque, oid, format_code: value_mask(
        Form(data_class, opaque), oid, format_code, KEY
    ),
    st.sampled_from(DataClass), st.booleans(), OIDS, st.sampled_from([0, 1]),
)  # fmt: skip
READING = FreeTexts(Masking(KEY, PARTIAL_FOR_ALL, SYSTEM_TYPES), {})
SPARING = st.sampled_from(
    [found for oid in (TEXT_OID, 114, 1009) if (found := READING.of(OutputColumn(0, "c", oid, 0)))]
)
COLUMNS = MASKS.map(lambda mask: ColumnMask(0, ABOUT, mask)) | SPARING


def placed(columns: dict[int, ColumnMask]) -> list[ColumnMask]:
    return [replace(column, index=index) for index, column in columns.items()]


PLANS = st.dictionaries(st.integers(0, WIDTH - 1), COLUMNS).map(placed)
VALUES = st.one_of(
    st.none(),
    st.binary(max_size=150),
    TEXTS,
    st.sampled_from([b"ada@example.com", b"+1 555 0100 4477", b"Ada Lovelace", b""]),
)
ROW = st.lists(VALUES, min_size=WIDTH, max_size=WIDTH)


def encode(row: list[bytes | None]) -> bytes:
    parts = [b"\xff" * 4 if v is None else struct.pack("!i", len(v)) + v for v in row]
    body = struct.pack("!H", len(row)) + b"".join(parts)
    return b"D" + struct.pack("!i", len(body) + 4) + body


ROWS = st.lists(ROW.map(encode), max_size=5).map(b"".join)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Rows in which a few bytes lie, most often a length."""
    data = bytearray(draw(ROWS))
    for _ in range(draw(st.integers(0, 3)) if data else 0):
        at = draw(st.integers(0, len(data) - 1))
        lie = draw(st.sampled_from([b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\xfe", b"D"]))
        data[at : at + len(lie)] = lie
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@settings(max_examples=300, deadline=None)
@given(st.one_of(ROWS, broken(), st.binary(max_size=80)), PLANS)
def test_rows_are_masked_alike(data: bytes, plan: list[ColumnMask]) -> None:
    pure, quick = RowMask(WIDTH, plan), CompiledRowMask(WIDTH, plan)
    for _ in range(2):
        assert answer(quick.rewrite, data) == answer(pure.rewrite, data)
        assert quick.values == pure.values
    assert quick.masked == pure.masked
