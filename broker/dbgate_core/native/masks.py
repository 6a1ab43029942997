"""The masks of rows and of COPY data, compiled or not, as dbgate_core.native chose."""

from __future__ import annotations

from collections.abc import Sequence

from dbgate_core import native
from dbgate_core.masking.copy import CopyFormat, CopyMask
from dbgate_core.masking.rows import ColumnMask, RowMask

if native.COMPILED:
    from dbgate_core.native._compiled import Plan, mask_copy, mask_rows


class CompiledRowMask(RowMask):
    """Its base, compiled: the same bytes, the same errors."""

    __slots__ = ("_plan",)

    def __init__(self, columns: int, masks: Sequence[ColumnMask]) -> None:
        super().__init__(columns, masks)
        self._plan = Plan(self._masks, columns)

    def rewrite(self, messages: bytes) -> bytes:
        """The same messages with protected values masked."""
        return mask_rows(self, self._plan, messages, self._columns)


class CompiledCopyMask(CopyMask):
    """Its base, compiled: the same bytes, the same errors."""

    __slots__ = ("_marks", "_plan")

    def __init__(self, columns: int, masks: Sequence[ColumnMask], form: CopyFormat) -> None:
        super().__init__(columns, masks, form)
        self._plan = Plan(self._masks, columns)
        self._marks = (form.csv, form.delimiter[0], form.null, form.quote[0], form.escape[0])

    def rewrite(self, data: bytes) -> bytes:
        """The whole rows that the data completes, masked; the server sends one a message."""
        if self._header or self._buffer:
            return super().rewrite(data)
        masked, size = mask_copy(self, self._plan, data, self._columns, *self._marks)
        return masked if size == len(data) else masked + super().rewrite(data[size:])

    def _rows(self, data: bytes) -> tuple[bytes, bytes]:
        if self._header:
            return super()._rows(data)
        masked, size = mask_copy(self, self._plan, data, self._columns, *self._marks)
        rest = data[size:]
        if b"\n" not in rest:
            return masked, rest
        more, rest = super()._rows(rest)
        return masked + more, rest


def row_mask(columns: int, masks: Sequence[ColumnMask]) -> RowMask:
    """The mask of a result."""
    return (CompiledRowMask if native.COMPILED else RowMask)(columns, masks)


def copy_mask(columns: int, masks: Sequence[ColumnMask], form: CopyFormat) -> CopyMask:
    """The mask of a COPY TO STDOUT."""
    single = all(len(mark) == 1 for mark in (form.delimiter, form.quote, form.escape))
    return (CompiledCopyMask if native.COMPILED and single else CopyMask)(columns, masks, form)
