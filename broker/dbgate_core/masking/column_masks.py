"""The mask of one column: from what it carries, its type and format, and what policy leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dbgate_core.masking.carried import Carried
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.codecs import NULL_MASK, is_null_mask
from dbgate_core.masking.described import ValueMask
from dbgate_core.masking.forms import Form
from dbgate_core.masking.generalise import generalised
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.nested import mask_of_type
from dbgate_core.masking.rows import ColumnMask, MaskedColumn
from dbgate_core.masking.shapes import Types
from dbgate_core.masking.styles import MaskStyle, MaskStyles
from dbgate_core.masking.types import FAMILIES, Family

_STARS: Final = Form(DataClass.SECRET)
_STRICTEST: Final = {data_class: rank for rank, data_class in enumerate(DataClass)}


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """Where a column stands, and how its values are written.

    `type_oid` is as declared, 0 where it is not known; `limit` is the most characters of a text.
    """

    index: int
    name: str
    type_oid: int
    format: int
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Masking:
    """What all masks of a result have in common."""

    key: MaskKey
    styles: MaskStyles
    types: Types

    def of(self, column: OutputColumn, carried: Carried) -> ColumnMask:
        """The mask of a column that carries protected values; of several classes the strictest's."""
        data_class = max(carried.classes, key=_STRICTEST.__getitem__)
        plain = not carried.derived and len(carried.classes) == 1
        style, mask = self._mask(column, data_class, plain, self.styles.of(carried.classes))
        classes = tuple(sorted(carried.classes))
        return ColumnMask(
            column.index, MaskedColumn(column.name, str(data_class), str(style), classes), mask
        )

    def _mask(
        self, column: OutputColumn, data_class: DataClass, plain: bool, style: MaskStyle
    ) -> tuple[MaskStyle, ValueMask]:
        """The mask, and the style that became of the one that was asked for."""
        type_oid = self.types.base_type(column.type_oid)
        if style is MaskStyle.GENERALISE:
            size = generalised(data_class, type_oid, column.format) if plain else None
            if size is not None:
                return style, size
            style = MaskStyle.REDACT
        if style is MaskStyle.NULL:
            return style, NULL_MASK
        form = Form(data_class, opaque=not plain or style is not MaskStyle.PARTIAL)
        if style is MaskStyle.REDACT:
            if FAMILIES.get(type_oid) is not Family.TEXT:
                return MaskStyle.NULL, NULL_MASK
            form = _STARS
        mask = mask_of_type(form, type_oid, column.format, self.key, self.types, column.limit)
        if is_null_mask(mask):
            return MaskStyle.NULL, mask
        return self._left(form, type_oid), mask

    def _left(self, form: Form, type_oid: int) -> MaskStyle:
        """What a mask in this form leaves; nothing that is made of others has partial forms inside."""
        if form is _STARS:
            return MaskStyle.REDACT
        whole = self.types.shape(type_oid) is None
        return MaskStyle.PARTIAL if form.partial and whole else MaskStyle.TOKEN
