"""Rows (composite types, `record`) in text and binary format: every column masked, NULLs kept.

Text: `(a,"b c",,)`, quotes and backslashes doubled, nothing at all for NULL (PostgreSQL documentation, 8.16.6 "Composite
Type Input and Output Syntax"). Binary (record_send): number of columns, then each one's type and
length, -1 for NULL, and bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Final

from dbgate_core.masking.described import ValueMask

_COLUMN = re.compile(rb'"((?:[^"\\]|""|\\.)*+)"|([^,()"\\]*+)', re.DOTALL)
_DOUBLED = re.compile(rb'""|\\(.)', re.DOTALL)
_NEEDS_DOUBLING = re.compile(rb'(["\\])')
_COUNT = struct.Struct("!i")
_HEAD = struct.Struct("!Ii")
MAX_COLUMNS: Final = 1_664
"""PostgreSQL's MaxTupleAttributeNumber."""


def mask_text_record(
    value: bytes, masks: Sequence[ValueMask] | None, other: ValueMask
) -> bytes | None:
    """The row with each column masked: by its own mask, or by `other` where none is known.

    None (NULL) for what is no row, or not one of as many columns.
    """
    columns = _text_columns(value)
    if columns is None:
        return None
    if masks is None:
        masks = [other] * len(columns)
    elif not masks and columns == [None]:
        return value  # of no columns
    if len(masks) != len(columns):
        return None
    return b"(" + b",".join(map(_text_column, columns, masks)) + b")"


def _text_columns(value: bytes) -> list[bytes | None] | None:
    """The columns of a row, plain; None where it is none."""
    if value[:1] != b"(" or value[-1:] != b")":
        return None
    columns, position, end = list[bytes | None](), 1, len(value) - 1
    while found := _COLUMN.match(value, position, end):
        quoted, bare = found[1], found[2]
        columns.append(_DOUBLED.sub(_undoubled, quoted) if quoted is not None else bare or None)
        if found.end() == end:
            return columns
        if value[found.end() : found.end() + 1] != b",":
            return None
        position = found.end() + 1
    return None


def _undoubled(found: re.Match[bytes]) -> bytes:
    return found[1] if found[1] is not None else b'"'


def _text_column(value: bytes | None, mask: ValueMask) -> bytes:
    masked = None if value is None else mask(value)
    return b"" if masked is None else b'"' + _NEEDS_DOUBLING.sub(rb"\1\1", masked) + b'"'


def mask_binary_record(value: bytes, mask_of: Callable[[int], ValueMask]) -> bytes | None:
    """The row with each column masked by the mask of its type; None for what is no row."""
    try:
        return _mask_binary_record(value, mask_of)
    except struct.error:
        return None


def _mask_binary_record(value: bytes, mask_of: Callable[[int], ValueMask]) -> bytes | None:
    (count,) = _COUNT.unpack_from(value)
    if not 0 <= count <= MAX_COLUMNS:
        return None
    out, position = [value[: _COUNT.size]], _COUNT.size
    for _ in range(count):
        type_oid, length = _HEAD.unpack_from(value, position)
        position += _HEAD.size
        if length > len(value) - position or length < -1:
            return None
        masked = mask_of(type_oid)(value[position : position + length]) if length >= 0 else None
        position += max(0, length)
        out.append(_HEAD.pack(type_oid, -1 if masked is None else len(masked)) + (masked or b""))
    return b"".join(out) if position == len(value) else None
