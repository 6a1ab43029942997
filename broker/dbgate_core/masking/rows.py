"""Masking of DataRow messages: runs of whole messages in, as many messages out.

DataRow (PostgreSQL documentation, "Message Formats"): 'D', length (int32, itself included), number
of columns (int16), then each column's length (int32, -1 is NULL) and bytes. Only masked columns
are rewritten; every other byte is copied as it stands.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.masking.described import ValueMask

DATA_ROW: Final = 0x44
MEMO_ENTRIES: Final = 2_048
"""Values remembered per column with their masks, so that repeated values cost one look-up."""
MEMO_VALUE_BYTES: Final = 128
"""Longer values are not remembered."""
NULL: Final = b"\xff\xff\xff\xff"
_LENGTH = struct.Struct("!i")
_HEAD = struct.Struct("!BiH")


@dataclass(frozen=True, slots=True)
class MaskedColumn:
    """What the audit entry says of a masked column. `mask` is a MaskStyle, the one that was used.

    `data_class` is the strictest of its `classes`, which names the mask.
    """

    name: str
    data_class: str
    mask: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnMask:
    """The mask of the column at `index`, counted from 0.

    Without a `column` it is a sparing one: it leaves most values as they are, never gives NULL, and tells itself
    what it changed.
    """

    index: int
    column: MaskedColumn | None
    mask: ValueMask

    @property
    def sparing(self) -> bool:
        """Is the column no masked one, but looked into."""
        return self.column is None


def in_order(masks: Sequence[ColumnMask]) -> tuple[tuple[int, ValueMask, bool], ...]:
    """Index, mask, and whether it is sparing, by index."""
    ordered = sorted(masks, key=lambda mask: mask.index)
    return tuple((mask.index, mask.mask, mask.sparing) for mask in ordered)


class RowMask:
    """Masks the rows of one result. Keeps a count of what columns that are masked had; holds no other state."""

    __slots__ = ("_columns", "_masks", "_memos", "masked", "values")

    def __init__(self, columns: int, masks: Sequence[ColumnMask]) -> None:
        """`columns` is the number of columns of the result, which every row must have."""
        self._columns = columns
        self._masks = in_order(masks)
        self._memos: tuple[dict[bytes, bytes | None], ...] = tuple({} for _ in self._masks)
        self.masked: Final = tuple(mask.column for mask in masks if mask.column)
        self.values = 0

    def rewrite(self, messages: bytes) -> bytes:
        """The same messages with protected values masked.

        Raises ProtocolViolation when the bytes are not whole DataRow messages of this result.
        """
        out: list[bytes] = []
        position, end = 0, len(messages)
        while position < end:
            if end - position < _HEAD.size:
                raise ProtocolViolation("a row is cut short")
            kind, length, columns = _HEAD.unpack_from(messages, position)
            after = position + 1 + length
            if kind != DATA_ROW or columns != self._columns or after > end or length < 6:
                raise ProtocolViolation("a row does not match the description of its result")
            self._row(messages, position, after, out)
            position = after
        return b"".join(out)

    def _row(self, data: bytes, start: int, end: int, out: list[bytes]) -> None:
        head = len(out)
        out.append(b"")
        copied = position = start + _HEAD.size
        size, column, values = 6, 0, 0
        for (index, mask, sparing), memo in zip(self._masks, self._memos, strict=True):
            while column <= index:
                begin = position
                position = _end_of_value(data, begin, end)
                column += 1
            if position == begin + 4 and data[begin] == 0xFF:
                continue
            value = data[begin + 4 : position]
            if sparing:
                masked = mask(value)
            else:
                masked = memo[value] if value in memo else self._remember(memo, mask, value)
            field = NULL if masked is None else _LENGTH.pack(len(masked)) + masked
            out.append(data[copied:begin])
            out.append(field)
            size += begin - copied + len(field)
            copied = position
            values += not sparing
        out.append(data[copied:end])
        self.values += values
        out[head] = _HEAD.pack(DATA_ROW, size + end - copied, self._columns)

    def _remember(
        self, memo: dict[bytes, bytes | None], mask: ValueMask, value: bytes
    ) -> bytes | None:
        masked = mask(value)
        if len(value) <= MEMO_VALUE_BYTES:
            if len(memo) >= MEMO_ENTRIES:
                memo.clear()
            memo[value] = masked
        return masked


def _end_of_value(data: bytes, position: int, end: int) -> int:
    """The end of the value whose length stands at `position`, in a row that ends at `end`."""
    if end - position >= 4:
        length: int = _LENGTH.unpack_from(data, position)[0]
        if -1 <= length <= end - position - 4:
            return position + 4 + max(length, 0)
    raise ProtocolViolation("a value is longer than its row")
