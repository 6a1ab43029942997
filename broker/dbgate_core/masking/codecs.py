"""Masks of single values in text and binary format, valid for the column's type.

A mask takes the bytes of a value (never NULL) and gives the bytes of its masked value, or None for
NULL, where the type has no value that says nothing. Formats: PostgreSQL documentation, "Formats
and Format Codes"; the binary ones are those of each type's send function.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from ipaddress import ip_address
from typing import Final

from dbgate_core.masking.arrays import mask_binary_array, mask_text_array
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.described import Described, ValueMask
from dbgate_core.masking.forms import (
    MIN_DIGITS_FOR_LAST_FOUR,
    Form,
    mask_text,
    masked_address,
)
from dbgate_core.masking.generalise import first_of_year
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.numeric import is_whole, of_whole, whole_part
from dbgate_core.masking.types import ELEMENTS, FAMILIES, LENGTHS, Family

TEXT_FORMAT: Final = 0
BINARY_FORMAT: Final = 1
_EPOCH: Final = date(2000, 1, 1)
_FIRST_DATE: Final = date(1940, 1, 1)
_DATES: Final = 24_000
"""Masked dates lie in the 24,000 days (66 years) from 1940."""
_BELOW: Final = {Family.INT2: 10**4, Family.INT4: 10**9, Family.FLOAT4: 10**6}
_BELOW_ELSE: Final = 10**12


def value_mask(
    form: Form, type_oid: int, format_code: int, key: MaskKey, limit: int | None = None
) -> ValueMask:
    """The mask of a column. `type_oid` is a base type; `limit` is the most characters of a text.

    An unknown type or format gives the mask that always answers NULL.
    """
    if format_code not in (TEXT_FORMAT, BINARY_FORMAT):
        return NULL_MASK
    if element := ELEMENTS.get(type_oid):
        inner = value_mask(form, element, format_code, key, limit)
        array = mask_binary_array if format_code == BINARY_FORMAT else mask_text_array
        return lambda value: array(value, inner)
    family = FAMILIES.get(type_oid)
    if family is None:
        return NULL_MASK
    if family is Family.TEXT:
        return _text(form, key, limit if limit is not None else LENGTHS.get(type_oid))
    masks = _BINARY if format_code == BINARY_FORMAT else _TEXT
    make = masks.get(family)
    mask = make(form, key, family) if make else NULL_MASK
    if form.partial and form.data_class is DataClass.BIRTH_DATE:
        mask = _year_or(mask, first_of_year(family, format_code))
        if family is Family.DATE and format_code == TEXT_FORMAT:
            return Described(mask, "first_of_year", key.subkey(form.data_class))
    return mask


def is_null_mask(mask: ValueMask) -> bool:
    """Does the mask answer NULL whatever it is given."""
    return mask is NULL_MASK


def _null(value: bytes) -> bytes | None:
    return None


NULL_MASK: Final[ValueMask] = _null
"""The mask that answers NULL whatever it is given."""


def _year_or(token: ValueMask, year: ValueMask | None) -> ValueMask:
    """The first of the date's year, or its token where it has no such year."""

    def mask(value: bytes) -> bytes | None:
        return found if year and (found := year(value)) is not None else token(value)

    return token if year is None else mask


def _text(form: Form, key: MaskKey, limit: int | None) -> ValueMask:
    """Text is equal in both formats: UTF-8 without terminator."""

    def mask(value: bytes) -> bytes | None:
        masked = mask_text(form, value.decode(errors="replace"), key)
        return (masked if limit is None else masked[:limit]).encode()

    bound = -1 if limit is None else limit
    return Described(mask, form.kind, key.subkey(form.data_class), bound, key.mark.encode())


def _below(family: Family) -> int:
    return _BELOW.get(family, _BELOW_ELSE)


_TAIL: Final = 10**4
_TAILED: Final = frozenset({DataClass.PHONE, DataClass.CARD_NUMBER})
_TAIL_FITS: Final = frozenset({Family.INT4, Family.INT8, Family.NUMERIC})


def _keeps_tail(form: Form, family: Family) -> bool:
    """Does its number keep the last four digits, as its text does."""
    return form.partial and form.data_class in _TAILED and family in _TAIL_FITS


def _number(form: Form, value: bytes, key: MaskKey, family: Family) -> int:
    """The masked number of one in text format."""
    number = key.number(form.data_class, value, _below(family))
    if _keeps_tail(form, family) and len(value) >= MIN_DIGITS_FOR_LAST_FOUR and value.isdigit():
        return number - number % _TAIL + int(value[-4:])
    return 1940 + number % 66 if form.data_class is DataClass.BIRTH_DATE else number


def _text_number(form: Form, key: MaskKey, family: Family) -> ValueMask:
    kind = "year" if form.data_class is DataClass.BIRTH_DATE else "number"
    kind = "tailed_number" if _keeps_tail(form, family) else kind
    return Described(
        lambda value: str(_number(form, value, key, family)).encode(),
        kind, key.subkey(form.data_class), _below(family),
    )  # fmt: skip


def _binary_number(layout: str) -> Callable[[Form, MaskKey, Family], ValueMask]:
    """Of an integer the number that its text has, so that both formats have one mask."""
    packer = struct.Struct(layout)

    def make(form: Form, key: MaskKey, family: Family) -> ValueMask:
        def mask(value: bytes) -> bytes | None:
            plain = packer.unpack(value)[0] if len(value) == packer.size else value
            text = b"%d" % plain if isinstance(plain, int) else value
            return packer.pack(_number(form, text, key, family))

        return mask

    return make


def _binary_numeric(form: Form, key: MaskKey, family: Family) -> ValueMask:
    def mask(value: bytes) -> bytes | None:
        text = whole_part(value) if is_whole(value) else None
        return of_whole(b"%d" % _number(form, text or value, key, family))

    return mask


def _day(form: Form, value: bytes, key: MaskKey) -> date:
    return _FIRST_DATE + timedelta(days=key.number(form.data_class, value, _DATES))


def _text_date(form: Form, key: MaskKey, family: Family) -> ValueMask:
    mask = _text_moment("")(form, key, family)
    return Described(mask, "date", key.subkey(form.data_class))


def _text_moment(suffix: str) -> Callable[[Form, MaskKey, Family], ValueMask]:
    def make(form: Form, key: MaskKey, family: Family) -> ValueMask:
        return lambda value: (_day(form, value, key).isoformat() + suffix).encode()

    return make


def _binary_date(form: Form, key: MaskKey, family: Family) -> ValueMask:
    """The day that its text in ISO 8601 has, so that both formats have one mask."""

    def mask(value: bytes) -> bytes | None:
        with suppress(OverflowError):
            days = int.from_bytes(value, "big", signed=True)
            value = (_EPOCH + timedelta(days=days)).isoformat().encode()
        return struct.pack("!i", (_day(form, value, key) - _EPOCH).days)

    return mask


def _binary_moment(layout: str, unit: int) -> Callable[[Form, MaskKey, Family], ValueMask]:
    """Microseconds since 2000-01-01."""

    def make(form: Form, key: MaskKey, family: Family) -> ValueMask:
        def mask(value: bytes) -> bytes | None:
            return struct.pack(layout, (_day(form, value, key) - _EPOCH).days * unit)

        return mask

    return make


def _uuid(form: Form, value: bytes, key: MaskKey) -> bytes:
    """Version 8, the custom one (RFC 9562 5.8), so it is nobody's random identifier."""
    raw = bytearray(key.derive(form.data_class, value))
    raw[6] = 0x80 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return bytes(raw)


def _text_uuid(form: Form, key: MaskKey, family: Family) -> ValueMask:
    def mask(value: bytes) -> bytes | None:
        return _spelled_uuid(_uuid(form, value, key).hex())

    return Described(mask, "uuid", key.subkey(form.data_class))


def _binary_uuid(form: Form, key: MaskKey, family: Family) -> ValueMask:
    """The one that its text has, so that both formats have one mask."""
    return lambda value: _uuid(form, _spelled_uuid(value.hex()), key)


def _spelled_uuid(raw: str) -> bytes:
    return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:])).encode()


def _text_inet(form: Form, key: MaskKey, family: Family) -> ValueMask:
    def mask(value: bytes) -> bytes | None:
        try:
            return masked_address(value.decode(), key).encode()
        except ValueError:
            return None

    return mask


_PGSQL_AF_INET: Final = 2
_PGSQL_AF_INET6: Final = 3


def _binary_inet(form: Form, key: MaskKey, family: Family) -> ValueMask:
    """inet_send: address family, prefix length, is cidr, address length, address."""

    def mask(value: bytes) -> bytes | None:
        if len(value) not in (8, 20):
            return None
        masked = ip_address(masked_address(str(ip_address(value[4:])), key)).packed
        name = _PGSQL_AF_INET if len(masked) == 4 else _PGSQL_AF_INET6
        header = bytes((name, 8 * len(masked), family is Family.CIDR, len(masked)))
        return header + masked

    return mask


def _mac(form: Form, value: bytes, key: MaskKey) -> bytes:
    """Locally administered, so it is no maker's."""
    return b"\x02" + key.derive(form.data_class, value)[:5]


def _text_mac(form: Form, key: MaskKey, family: Family) -> ValueMask:
    return lambda value: _mac(form, value, key).hex(":").encode()


def _binary_mac(form: Form, key: MaskKey, family: Family) -> ValueMask:
    return lambda value: _mac(form, value, key)


def _document(before: str, after: str) -> Callable[[Form, MaskKey, Family], ValueMask]:
    """JSON and XML become one scalar or element: keys and tags may be values, too."""

    def make(form: Form, key: MaskKey, family: Family) -> ValueMask:
        return lambda value: f"{before}***{key.token(form.data_class, value)}{after}".encode()

    return make


def _text_bytea(form: Form, key: MaskKey, family: Family) -> ValueMask:
    return lambda value: b"\\x" + key.derive(form.data_class, value)[:8].hex().encode()


def _binary_bytea(form: Form, key: MaskKey, family: Family) -> ValueMask:
    return lambda value: key.derive(form.data_class, value)[:8]


_JSON = _document('"', '"')
_XML = _document("<masked>", "</masked>")
_NUMBERS: Final = (
    Family.INT2,
    Family.INT4,
    Family.INT8,
    Family.FLOAT4,
    Family.FLOAT8,
    Family.NUMERIC,
)
_TEXT: Final[dict[Family, Callable[[Form, MaskKey, Family], ValueMask]]] = {
    **dict.fromkeys(_NUMBERS, _text_number),
    Family.DATE: _text_date,
    Family.TIMESTAMP: _text_moment(" 00:00:00"),
    Family.TIMESTAMPTZ: _text_moment(" 00:00:00+00"),
    Family.UUID: _text_uuid,
    Family.INET: _text_inet,
    Family.CIDR: _text_inet,
    Family.MACADDR: _text_mac,
    Family.JSON: _JSON,
    Family.JSONB: _JSON,
    Family.XML: _XML,
    Family.BYTEA: _text_bytea,
}
_BINARY: Final[dict[Family, Callable[[Form, MaskKey, Family], ValueMask]]] = {
    Family.INT2: _binary_number("!h"),
    Family.INT4: _binary_number("!i"),
    Family.INT8: _binary_number("!q"),
    Family.FLOAT4: _binary_number("!f"),
    Family.FLOAT8: _binary_number("!d"),
    Family.NUMERIC: _binary_numeric,
    Family.DATE: _binary_date,
    Family.TIMESTAMP: _binary_moment("!q", 86_400_000_000),
    Family.TIMESTAMPTZ: _binary_moment("!q", 86_400_000_000),
    Family.UUID: _binary_uuid,
    Family.INET: _binary_inet,
    Family.CIDR: _binary_inet,
    Family.MACADDR: _binary_mac,
    Family.JSON: _JSON,
    Family.JSONB: _document('\x01"', '"'),
    Family.XML: _XML,
    Family.BYTEA: _binary_bytea,
}
