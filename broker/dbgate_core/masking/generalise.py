"""Masks that leave the size of a value: the year of a date, the first digit of a number.

Only what is the plain value of one column is generalised: of a value that is computed, as by adding
days to a date, many answers together would tell the rest.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from dbgate_core.masking.arrays import mask_binary_array, mask_text_array
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.described import ValueMask
from dbgate_core.masking.numeric import of_whole, whole_part
from dbgate_core.masking.types import ELEMENTS, FAMILIES, Family

_NEVER: Final = frozenset({DataClass.SECRET, DataClass.TOKEN})
"""The first digit of a PIN is a part of it, not its size."""
_EPOCH: Final = date(2000, 1, 1)
_DAY_US: Final = 86_400_000_000
_DATE = re.compile(rb"(\d{4})-\d\d-\d\d|\d\d([./-])\d\d[./-](\d{4})")
_MOMENT = re.compile(rb"(?:" + _DATE.pattern + rb") [0-9:.]+(?: ?[A-Za-z]+|[-+][0-9:]+)?")
_NUMBER = re.compile(rb"(-?)0*(\d+)(?:\.\d+)?(?:e([-+]\d{1,3}))?", re.IGNORECASE)
_YEAR_DIGITS: Final = 4


def generalised(data_class: DataClass, type_oid: int, format_code: int) -> ValueMask | None:
    """The mask, for a base type in text (0) or binary (1); None where size says nothing."""
    if data_class in _NEVER:
        return None
    if element := ELEMENTS.get(type_oid):
        inner = generalised(data_class, element, format_code)
        if inner is None:
            return None
        array = mask_binary_array if format_code else mask_text_array
        return lambda value: array(value, inner)
    family = FAMILIES.get(type_oid)
    year = (_BINARY_YEARS if format_code else _TEXT_YEARS).get(family) if family else None
    if year is not None:
        return year
    number = (_BINARY_NUMBERS if format_code else _TEXT_NUMBERS).get(family) if family else None
    return (lambda value: number(data_class, value)) if number else None


def first_of_year(family: Family, format_code: int) -> ValueMask | None:
    """The mask of a date or timestamp; None for other types."""
    return (_BINARY_YEARS if format_code else _TEXT_YEARS).get(family)


def bucket(data_class: DataClass, value: bytes) -> bytes | None:
    """Zeros behind the first digit, 0 for all below ten: `-4711.5` is `-4000`; of a year the decade."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        return None
    sign, whole, exponent = found.groups()
    power = len(whole) - 1 + int(exponent or 0)
    if power < 1 or whole == b"0":
        return b"0"
    if data_class is DataClass.BIRTH_DATE and power == _YEAR_DIGITS - 1 == len(whole) - 1:
        return sign + whole[:-1] + b"0"
    return sign + whole[:1] + b"0" * power


def _text_year(pattern: re.Pattern[bytes], suffix: bytes) -> ValueMask:
    """In the DateStyles ISO, SQL and German; of others, infinities and years over 9999: NULL."""

    def mask(value: bytes) -> bytes | None:
        found = pattern.fullmatch(value)
        if found is None:
            return None
        iso, mark, year = found.groups()
        return (iso + b"-01-01" if iso else b"01%b01%b%b" % (mark, mark, year)) + suffix

    return mask


def _binary_year(layout: str, unit: int) -> ValueMask:
    """Days or microseconds since 2000; infinities and what no calendar of ours has: NULL."""
    packer = struct.Struct(layout)

    def mask(value: bytes) -> bytes | None:
        if len(value) != packer.size:
            return None
        try:
            day = _EPOCH + timedelta(days=packer.unpack(value)[0] // unit)
        except OverflowError:
            return None
        return packer.pack((day.replace(month=1, day=1) - _EPOCH).days * unit)

    return mask


def _binary_integer(layout: str) -> Callable[[DataClass, bytes], bytes | None]:
    packer = struct.Struct(layout)

    def mask(data_class: DataClass, value: bytes) -> bytes | None:
        if len(value) != packer.size:
            return None
        masked = bucket(data_class, b"%d" % packer.unpack(value)[0])
        return None if masked is None else packer.pack(int(masked))

    return mask


def _binary_float(layout: str) -> Callable[[DataClass, bytes], bytes | None]:
    packer = struct.Struct(layout)

    def mask(data_class: DataClass, value: bytes) -> bytes | None:
        number = packer.unpack(value)[0] if len(value) == packer.size else math.nan
        masked = bucket(data_class, b"%.17g" % number) if math.isfinite(number) else None
        return None if masked is None else packer.pack(float(masked))

    return mask


def _binary_numeric(data_class: DataClass, value: bytes) -> bytes | None:
    whole = whole_part(value)
    masked = None if whole is None else bucket(data_class, whole)
    return None if masked is None else of_whole(masked)


_INTEGERS: Final = {Family.INT2: "!h", Family.INT4: "!i", Family.INT8: "!q"}
_FLOATS: Final = {Family.FLOAT4: "!f", Family.FLOAT8: "!d"}
_TEXT_NUMBERS: Final = dict.fromkeys((*_INTEGERS, *_FLOATS, Family.NUMERIC), bucket)
_BINARY_NUMBERS: Final = {
    **{family: _binary_integer(layout) for family, layout in _INTEGERS.items()},
    **{family: _binary_float(layout) for family, layout in _FLOATS.items()},
    Family.NUMERIC: _binary_numeric,
}
_TEXT_YEARS: Final = {
    Family.DATE: _text_year(_DATE, b""),
    Family.TIMESTAMP: _text_year(_MOMENT, b" 00:00:00"),
    Family.TIMESTAMPTZ: _text_year(_MOMENT, b" 00:00:00+00"),
}
_BINARY_YEARS: Final = {
    Family.DATE: _binary_year("!i", 1),
    Family.TIMESTAMP: _binary_year("!q", _DAY_US),
    Family.TIMESTAMPTZ: _binary_year("!q", _DAY_US),
}
