"""RowDescription, DataRow and friends (PostgreSQL documentation, "Message Formats")."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from dbgate_core.errors import ProtocolViolation

_FIELD: Final = struct.Struct("!IhIhih")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a result, as RowDescription names it. `format`: 0 text, 1 binary."""

    name: str
    table_oid: int
    attnum: int
    type_oid: int
    type_size: int
    type_modifier: int
    format: int


MAX_REMEMBERED_BYTES: Final = 2_048
"""Descriptions up to this length are remembered, some 40 columns: 1,024 of them, 10 MB at most."""


def parse_row_description(body: bytes) -> tuple[Field, ...]:
    """The fields of a RowDescription's body. Raises ProtocolViolation when it is malformed.

    The same body gives the same tuple, mostly: what was planned for it may be found by identity.
    """
    return _remembered(body) if len(body) <= MAX_REMEMBERED_BYTES else _fields(body)


def _fields(body: bytes) -> tuple[Field, ...]:
    try:
        count = int.from_bytes(body[:2], "big")
        fields = []
        position = 2
        for _ in range(count):
            end = body.index(b"\0", position)
            name = body[position:end].decode("utf-8", "surrogateescape")
            fields.append(Field(name, *_FIELD.unpack_from(body, end + 1)))
            position = end + 1 + _FIELD.size
    except (ValueError, struct.error) as exc:
        raise ProtocolViolation("a malformed RowDescription") from exc
    if position != len(body):
        raise ProtocolViolation("a RowDescription with bytes left over")
    return tuple(fields)


_remembered: Final = lru_cache(maxsize=1_024)(_fields)
