"""Masks of values that are made of others: rows, ranges, hstore, arrays of them, to any depth.

What is inside is masked as of its own type, by the class of the whole: nothing says more of it, so
that no partial form fits. What has no mask is NULL inside, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, assert_never

from dbgate_core.masking.arrays import mask_binary_array, mask_text_array
from dbgate_core.masking.codecs import BINARY_FORMAT, NULL_MASK, TEXT_FORMAT, value_mask
from dbgate_core.masking.described import ValueMask
from dbgate_core.masking.forms import STARS, Form
from dbgate_core.masking.hstore import binary_pair, text_pair
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.ranges import (
    mask_binary_multirange,
    mask_binary_range,
    mask_text_multirange,
    mask_text_range,
)
from dbgate_core.masking.records import mask_binary_record, mask_text_record
from dbgate_core.masking.shapes import ArrayOf, Pairs, RangeOf, Row, Shape, Types
from dbgate_core.masking.types import ELEMENTS, TEXT_OID

MAX_DEPTH: Final = 16
"""What lies deeper is NULL: values nest as deep as whoever asks for them likes."""


def mask_of_type(
    form: Form,
    type_oid: int,
    format_code: int,
    key: MaskKey,
    types: Types,
    limit: int | None = None,
) -> ValueMask:
    """The mask of a column of any type. `limit` is the most characters of a text.

    An unknown type or format gives the mask that always answers NULL.
    """
    shape = types.shape(type_oid)
    if shape is None or format_code not in (TEXT_FORMAT, BINARY_FORMAT):
        return value_mask(form, type_oid, format_code, key, limit)
    inside = form if form.stars else replace(form, opaque=True)
    binary = format_code == BINARY_FORMAT
    pair = binary_pair if binary else text_pair

    def pairs(value: bytes) -> bytes:
        return pair((STARS + key.token(form.data_class, value)).encode())

    def leaf(oid: int) -> ValueMask:
        return value_mask(inside, oid, format_code, key)

    return _Nested(leaf, pairs, binary, types).mask(shape, 0)


def mask_leaves(leaf: Callable[[int], ValueMask], type_oid: int, types: Types) -> ValueMask:
    """A mask of arrays and rows in binary format that masks each value by the `leaf` of its type.

    hstore, and what has no such parts, stays as it is.
    """
    nested = _Nested(leaf, _same, True, types)
    shape = types.shape(type_oid)
    if shape is not None:
        return nested.mask(shape, 0)
    inner = leaf(ELEMENTS.get(type_oid, type_oid))
    return lambda value: mask_binary_array(value, inner)


def _same(value: bytes) -> bytes:
    return value


class _Nested:
    """The masks of what a column is made of, all in one format: of single values by the `leaf` of their type."""

    def __init__(
        self, leaf: Callable[[int], ValueMask], pairs: ValueMask, binary: bool, types: Types
    ) -> None:
        self._leaf, self._pairs, self._binary, self._types = leaf, pairs, binary, types

    def mask(self, shape: Shape, depth: int) -> ValueMask:
        """The mask of a shape that lies so deep inside."""
        match shape:
            case ArrayOf(element):
                inner, array = self._of(element, depth), self._array
                return lambda value: array(value, inner)
            case Row(columns):
                return self._row(columns, depth)
            case RangeOf(subtype, multi):
                return self._range(self._of(subtype, depth), multi)
            case Pairs():
                return self._pairs
            case _:
                assert_never(shape)

    def _of(self, oid: int, outside: int) -> ValueMask:
        base, depth = self._types.base_type(oid), outside + 1
        if depth > MAX_DEPTH:
            return NULL_MASK
        shape = self._types.shape(base)
        if shape is not None:
            return self.mask(shape, depth)
        if (element := ELEMENTS.get(base)) is None:
            return self._leaf(base)
        inner, array = self._leaf(element), self._array
        return lambda value: array(value, inner)

    def _array(self, value: bytes, inner: ValueMask) -> bytes | None:
        return (mask_binary_array if self._binary else mask_text_array)(value, inner)

    def _row(self, columns: tuple[int, ...] | None, depth: int) -> ValueMask:
        if self._binary:
            return lambda value: mask_binary_record(value, lambda oid: self._of(oid, depth))
        masks = None if columns is None else [self._of(oid, depth) for oid in columns]
        other = self._leaf(TEXT_OID)
        return lambda value: mask_text_record(value, masks, other)

    def _range(self, inner: ValueMask, multi: bool) -> ValueMask:
        if self._binary:
            function = mask_binary_multirange if multi else mask_binary_range
        else:
            function = mask_text_multirange if multi else mask_text_range
        return lambda value: function(value, inner)
