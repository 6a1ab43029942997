"""Masking of COPY TO STDOUT data in binary format, with rows cut anywhere.

The format (PostgreSQL documentation, COPY, "Binary Format"): a signature, flags, the length of an
extension and it; then rows, each the number of its columns (int16) and every column's length (int32,
-1 is NULL) and bytes, as in a DataRow; then -1 for the end.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from dbgate_core.errors import LimitExceeded, ProtocolViolation
from dbgate_core.masking.copy import MAX_ROW_BYTES
from dbgate_core.masking.rows import DATA_ROW, ColumnMask, MaskedColumn, RowMask
from dbgate_core.native import end_of_values
from dbgate_core.native.masks import row_mask

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES: Final = len(_SIGNATURE) + 8
_MESSAGE = struct.Struct("!Bi")
_COUNT = struct.Struct("!h")
_LENGTH = struct.Struct("!i")
_END: Final = -1


class BinaryCopyMask:
    """Masks the payload of CopyData messages. Stateful: give the payloads in order, then finish."""

    __slots__ = ("_begun", "_buffer", "_columns", "_ended", "_needed", "_rows")

    def __init__(self, columns: int, masks: Sequence[ColumnMask]) -> None:
        """`columns` is the number of columns that every row must have."""
        self._columns = columns
        self._rows: RowMask = row_mask(columns, masks)
        self._buffer = bytearray()
        self._needed = 0
        self._begun = self._ended = False

    @property
    def masked(self) -> tuple[MaskedColumn, ...]:
        """The columns that are masked."""
        return self._rows.masked

    @property
    def values(self) -> int:
        """How many values were masked so far."""
        return self._rows.values

    def rewrite(self, data: bytes) -> bytes:
        """What the data completes: the header, whole rows, the end; may be empty.

        Raises LimitExceeded for an endless row, ProtocolViolation for what is not as it was described.
        """
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return self._nothing_yet()
            data = bytes(self._buffer)
        position = 0 if self._begun else self._header(data)
        out = [data[:position]]
        while (after := self._end_of_row(data, position)) > position:
            out.append(data[position:after] if self._ended else self._row(data[position:after]))
            position = after
        self._buffer = bytearray(data[position:])
        return b"".join(out) + self._nothing_yet()

    def finish(self) -> bytes:
        """Nothing is left. Raises ProtocolViolation when the data did not end as it must."""
        if self._buffer or not self._ended:
            raise ProtocolViolation("COPY data ends before its end")
        return b""

    def _nothing_yet(self) -> bytes:
        if len(self._buffer) > MAX_ROW_BYTES:
            raise LimitExceeded(f"a row of COPY data is over {MAX_ROW_BYTES} bytes")
        return b""

    def _header(self, data: bytes) -> int:
        """Its end; 0 while it is not whole. The server sets no flag and sends no extension."""
        if len(data) < _HEADER_BYTES:
            return 0
        if data[:_HEADER_BYTES] != _SIGNATURE + bytes(8):
            raise ProtocolViolation("the header of COPY data is not that of PostgreSQL")
        self._begun = True
        return _HEADER_BYTES

    def _end_of_row(self, data: bytes, position: int) -> int:
        """The end of the row, or of the data's end, at `position`; that itself when it is not whole.

        Then `_needed` is what there must be before it is worth another look.
        """
        self._needed = 0
        if self._ended and position < len(data):
            raise ProtocolViolation("COPY data goes on behind its end")
        if not self._begun or len(data) - position < _COUNT.size:
            return position
        (columns,) = _COUNT.unpack_from(data, position)
        after = position + _COUNT.size
        if columns == _END:
            self._ended = True
            return after
        if columns != self._columns:
            raise ProtocolViolation("a row of COPY data does not have the columns of its table")
        end = end_of_values(data, after, columns)
        if end < 0:
            self._needed = -end - position
            return position
        return end

    def _row(self, row: bytes) -> bytes:
        """A row is what a DataRow holds, so that its masks do for both."""
        message = _MESSAGE.pack(DATA_ROW, _LENGTH.size + len(row)) + row
        return self._rows.rewrite(message)[_MESSAGE.size :]
