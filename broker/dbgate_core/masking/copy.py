"""Masking of COPY TO STDOUT data, text and csv, with rows cut anywhere.

Formats: PostgreSQL documentation, COPY, "File Formats". Columns that are not masked are copied
byte by byte as they stand; the header line is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dbgate_core.errors import LimitExceeded, ProtocolViolation
from dbgate_core.masking.described import ValueMask
from dbgate_core.masking.rows import ColumnMask, in_order

MAX_ROW_BYTES: Final = 256 * 2**20
"""A row that is not complete by then ends the COPY with 54000; the server itself sends a row whole."""


@dataclass(frozen=True, slots=True)
class CopyFormat:
    """The options of a COPY, as the server resolved them."""

    csv: bool = False
    delimiter: bytes = b"\t"
    null: bytes = b"\\N"
    quote: bytes = b'"'
    escape: bytes = b'"'
    header: bool = False


class CopyMask:
    """Masks the payload of CopyData messages. Stateful: give the payloads in order, then finish."""

    __slots__ = ("_again", "_buffer", "_columns", "_format", "_header", "_masks", "_row", "masked", "values")  # fmt: skip

    def __init__(self, columns: int, masks: Sequence[ColumnMask], form: CopyFormat) -> None:
        """`columns` is the number of columns that every row must have."""
        self._columns = columns
        self._masks = in_order(masks)
        self._format = form
        self._header = form.header
        self._buffer = bytearray()
        self._again = 0  # a csv field of many lines, cut, is read again when it has doubled
        self._row = _csv_row(form) if form.csv else None
        self.masked: Final = tuple(mask.column for mask in masks if mask.column)
        self.values = 0

    def rewrite(self, data: bytes) -> bytes:
        """The whole rows that the data completes, masked; may be empty.

        Raises LimitExceeded for an endless row, ProtocolViolation for one of another shape.
        """
        self._buffer += data
        masked = b""
        if b"\n" in data and len(self._buffer) >= self._again:
            masked, rest = self._rows(bytes(self._buffer))
            self._buffer = bytearray(rest)
            self._again = 2 * len(rest) if b"\n" in rest else 0
        if len(self._buffer) > MAX_ROW_BYTES:
            raise LimitExceeded(f"a row of COPY data is over {MAX_ROW_BYTES} bytes")
        return masked

    def finish(self) -> bytes:
        """What is left when the server ends without a last newline."""
        masked, rest = self._rows(bytes(self._buffer))
        self._buffer = bytearray()
        return masked + self._masked_row(rest) if rest else masked

    def _rows(self, data: bytes) -> tuple[bytes, bytes]:
        """The whole rows of the data, masked, and what is left of it."""
        rows, rest = self._split(data)
        return b"".join([self._masked_row(row) + b"\n" for row in rows]), rest

    def _split(self, buffer: bytes) -> tuple[list[bytes], bytes]:
        if self._row is None:
            *rows, rest = buffer.split(b"\n")
            return rows, rest
        rows, position = [], 0
        while found := self._row.match(buffer, position):
            rows.append(found[1])
            position = found.end()
        return rows, buffer[position:]

    def _masked_row(self, row: bytes) -> bytes:
        if self._header:
            self._header = False
            return row
        if row == b"\\." and self._row is None:
            return row
        fields = self._csv_fields(row) if self._row else self._text_fields(row)
        if len(fields) != self._columns:
            raise ProtocolViolation("a row of COPY data does not have the columns of its table")
        for index, mask, sparing in self._masks:
            if fields[index] != self._format.null:
                fields[index] = self._masked(fields[index], mask, sparing)
                self.values += not sparing
        return self._format.delimiter.join(fields)

    def _masked(self, raw: bytes, mask: ValueMask, sparing: bool) -> bytes:
        """The field with its value masked; as it came where a sparing mask changes nothing."""
        plain = self._csv_plain(raw) if self._row else _unescape(raw)
        masked = mask(plain)
        if sparing and masked == plain:
            return raw
        if masked is None:
            return self._format.null
        if self._row:
            return self._csv_quoted(masked, raw[:1] == self._format.quote)
        return _escape(masked, self._format.delimiter)

    def _text_fields(self, row: bytes) -> list[bytes]:
        """A delimiter inside a value stands behind a backslash."""
        if b"\\" not in row:
            return row.split(self._format.delimiter)
        fields, start = [], 0
        for found in re.finditer(rb"\\.|" + re.escape(self._format.delimiter), row, re.DOTALL):
            if found[0] == self._format.delimiter:
                fields.append(row[start : found.start()])
                start = found.end()
        fields.append(row[start:])
        return fields

    def _csv_fields(self, row: bytes) -> list[bytes]:
        field = re.compile(_csv_field(self._format))
        fields, position = [], 0
        while found := field.match(row, position):
            fields.append(found[0])
            position = found.end() + 1
            if row[found.end() : position] != self._format.delimiter:
                break
        if position <= len(row):
            raise ProtocolViolation("a row of COPY data is not csv as it was asked for")
        return fields

    def _csv_plain(self, raw: bytes) -> bytes:
        quote, escape = self._format.quote, self._format.escape
        if raw[:1] != quote:
            return raw
        escaped = re.escape(escape) + b"([" + re.escape(quote) + re.escape(escape) + b"])"
        return re.sub(escaped, rb"\1", raw[1:-1])

    def _csv_quoted(self, masked: bytes, was_quoted: bool) -> bytes:
        quote, escape = self._format.quote, self._format.escape
        special = any(mark in masked for mark in (quote, self._format.delimiter, b"\n", b"\r"))
        if not (was_quoted or special or masked == self._format.null):
            return masked
        marks = b"([" + re.escape(quote) + re.escape(escape) + b"])"
        return quote + re.sub(marks, lambda m: escape + m[1], masked) + quote


def _csv_field(form: CopyFormat) -> bytes:
    quote, escape, delimiter = (re.escape(c) for c in (form.quote, form.escape, form.delimiter))
    if form.quote == form.escape:
        inside = b"[^" + quote + b"]|" + quote + quote
    else:
        inside = b"[^" + quote + escape + b"]|" + escape + b"[" + quote + escape + b"]"
    return b"(?:%b(?:%b)*+%b|[^%b%b\n]*+)" % (quote, inside, quote, quote, delimiter)


def _csv_row(form: CopyFormat) -> re.Pattern[bytes]:
    field, delimiter = _csv_field(form), re.escape(form.delimiter)
    return re.compile(b"(%b(?:%b%b)*+)\r?\n" % (field, delimiter, field))


_LETTERS: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_MARKS: Final = {plain: b"\\" + letter for letter, plain in _LETTERS.items()}
_ESCAPE_IN = re.compile(rb"\\(.)", re.DOTALL)


def _unescape(raw: bytes) -> bytes:
    if b"\\" not in raw:
        return raw
    return _ESCAPE_IN.sub(lambda found: _LETTERS.get(found[1], found[1]), raw)


def _escape(plain: bytes, delimiter: bytes) -> bytes:
    marks = b"[\b\f\n\r\t\v\\\\" + re.escape(delimiter) + b"]"
    return re.sub(marks, lambda found: _MARKS.get(found[0], b"\\" + found[0]), plain)
