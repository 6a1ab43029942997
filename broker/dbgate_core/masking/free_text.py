"""Masks of what stands within values that no class covers: `@free_text("mask")` of a policy.

The backstop: addresses, numbers and keys that `classify.within` is sure of are replaced where they stand, the rest of
the value stays. What is put in their place has nothing that arrays, rows or documents are written with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from dbgate_core.classify.within import found_within
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.codecs import BINARY_FORMAT, TEXT_FORMAT
from dbgate_core.masking.column_masks import Masking, OutputColumn
from dbgate_core.masking.described import ValueMask
from dbgate_core.masking.forms import STARS, Form, mask_text
from dbgate_core.masking.nested import mask_leaves
from dbgate_core.masking.rows import ColumnMask
from dbgate_core.masking.shapes import RangeOf
from dbgate_core.masking.styles import MaskStyle
from dbgate_core.masking.types import ELEMENTS, FAMILIES, Family
from dbgate_core.native import worth_reading

MAX_READ_BYTES: Final = 64 * 1024
"""A longer value in which anything may stand is masked whole: reading it would hold up others."""
Finds = dict[tuple[str, DataClass], int]
"""How often a class was found within a column's values."""
_ERROR: Final = "error text"
"""Stands for the column."""
_FIXED_FIELDS: Final = frozenset("SVCPpFLR")
"""Severities, SQLSTATE, positions, and where in the server's source."""
_TEXTS: Final = frozenset({Family.TEXT, Family.XML})
_JSON: Final = frozenset({Family.JSON, Family.JSONB})
_JSONB: Final = "\x01"
"""The version before jsonb in binary."""
_ESCAPED: Final = re.compile(r"\\+u00(?!22|5[cC])([2-7][0-9A-Fa-f])")
"""What a text of JSON may write for a character, however deep it is quoted, but for its own quotes and backslashes."""
_LITERAL: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


class FreeText:
    """The mask of texts; `kind` has the compiled rows pass over what is not worth reading."""

    __slots__ = ("_limit", "_replace", "kind")

    def __init__(self, replace: Callable[[str], str], limit: int | None) -> None:
        self._replace = replace
        self._limit = limit
        self.kind: Final = "free_text"

    def __call__(self, value: bytes) -> bytes:
        """The value with what was found in it masked; the very value when nothing was."""
        if not worth_reading(value):
            return value
        text = value.decode(errors="surrogateescape")
        masked = self._replace(text)
        if masked == text:
            return value
        return masked[: self._limit].encode(errors="surrogateescape")


class FreeTexts:
    """The masks for the columns of one result that no class covers."""

    def __init__(self, masking: Masking, finds: Finds) -> None:
        self._masking, self._finds = masking, finds

    def of(self, column: OutputColumn) -> ColumnMask | None:
        """The mask of a column; None for a type whose values cannot hold texts."""
        mask = self._mask(column)
        return None if mask is None else ColumnMask(column.index, None, mask)

    def of_error(self, fields: dict[str, str]) -> dict[str, str]:
        """The fields of an ErrorResponse or NoticeResponse, by their codes, masked likewise."""
        return {
            code: text if code in _FIXED_FIELDS else self._within(_ERROR, text)
            for code, text in fields.items()
        }

    def _mask(self, column: OutputColumn) -> ValueMask | None:
        types = self._masking.types
        oid = types.base_type(column.type_oid)
        family, shape = FAMILIES.get(ELEMENTS.get(oid, oid)), types.shape(oid)
        if isinstance(shape, RangeOf) or (family and family not in _TEXTS | _JSON):
            return None
        if column.format == TEXT_FORMAT:
            return self._text(column.name, family in _JSON and oid in FAMILIES, column.limit)
        if column.format != BINARY_FORMAT:
            return None
        if shape is None and oid not in ELEMENTS:
            return self._leaf(column.name, oid, column.limit) if family else None
        return mask_leaves(lambda leaf: self._leaf(column.name, leaf), oid, types)

    def _leaf(self, name: str, oid: int, limit: int | None = None) -> ValueMask:
        family = FAMILIES.get(oid)
        if family in _TEXTS or family in _JSON:
            return self._text(name, family in _JSON, limit)
        return _same

    def _text(self, name: str, document: bool, limit: int | None) -> FreeText:
        within = self._document if document else self._within

        def replace(text: str) -> str:
            if len(text) <= MAX_READ_BYTES:
                return within(name, text)
            self._note(name, DataClass.SECRET)
            whole = self._masked(DataClass.SECRET, text)
            return f'{text[: text[0] == _JSONB]}"{whole}"' if document else whole

        return FreeText(replace, limit)

    def _within(self, name: str, text: str) -> str:
        if "\\u00" in text:
            plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
            masked = self._replaced(name, plain)
            return text if masked == plain else masked
        return self._replaced(name, text)

    def _replaced(self, name: str, text: str) -> str:
        out: list[str] = []
        position = 0
        for start, end, data_class in found_within(text):
            out += text[position:start], self._masked(data_class, text[start:end])
            position = end
            self._note(name, data_class)
        return "".join(out) + text[position:]

    def _document(self, name: str, text: str) -> str:
        """The texts of a document, its keys too; numbers stay, which are classed by their paths."""
        return _LITERAL.sub(lambda literal: self._literal(name, literal[0]), text)

    def _literal(self, name: str, literal: str) -> str:
        try:
            plain = json.loads(literal, strict=False)
        except ValueError:
            return f'"{STARS}"'
        masked = self._within(name, plain)
        return literal if masked == plain else json.dumps(masked, ensure_ascii=False)

    def _note(self, name: str, data_class: DataClass) -> None:
        self._finds[name, data_class] = self._finds.get((name, data_class), 0) + 1

    def _masked(self, data_class: DataClass, text: str) -> str:
        masking = self._masking
        style = masking.styles.of((data_class,))
        if style not in (MaskStyle.PARTIAL, MaskStyle.TOKEN):
            return STARS
        return mask_text(Form(data_class, style is not MaskStyle.PARTIAL), text, masking.key)


def _same(value: bytes) -> bytes:
    return value
