"""The masks of rows, compiled or not, as dbgate_core.native chose."""

from __future__ import annotations

from collections.abc import Sequence

from dbgate_core import native
from dbgate_core.masking.rows import ColumnMask, RowMask

if native.COMPILED:
    from dbgate_core.native._compiled import Plan, mask_rows


class CompiledRowMask(RowMask):
    """Its base, compiled: the same bytes, the same errors."""

    __slots__ = ("_plan",)

    def __init__(self, columns: int, masks: Sequence[ColumnMask]) -> None:
        super().__init__(columns, masks)
        self._plan = Plan(self._masks, columns)

    def rewrite(self, messages: bytes) -> bytes:
        """The same messages with protected values masked."""
        return mask_rows(self, self._plan, messages, self._columns)


def row_mask(columns: int, masks: Sequence[ColumnMask]) -> RowMask:
    """The mask of a result."""
    return (CompiledRowMask if native.COMPILED else RowMask)(columns, masks)
