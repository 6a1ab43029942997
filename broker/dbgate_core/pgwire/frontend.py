"""Client messages taken apart: Parse, Bind, Describe, Execute, Close."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.guard import Parameters
from dbgate_core.pgwire.messages import cstring


@dataclass(frozen=True, slots=True)
class Parse:
    """A Parse: statement name, text, and the parameter type OIDs as bytes that follow."""

    name: str
    text: str
    types: bytes


@dataclass(frozen=True, slots=True)
class Bind:
    """A Bind: portal and statement name, parameters."""

    portal: str
    statement: str
    parameters: Parameters


def parse(body: bytes) -> Parse:
    """Take a Parse apart. Raises ProtocolViolation."""
    name, position = cstring(body, 0)
    text, position = cstring(body, position)
    types = body[position:]
    if len(types) < 2 or len(types) != 2 + 4 * int.from_bytes(types[:2], "big"):
        raise ProtocolViolation("a malformed Parse")
    return Parse(name, text, types)


def bind(body: bytes) -> Bind:
    """Take a Bind apart. Raises ProtocolViolation."""
    portal, position = cstring(body, 0)
    statement, position = cstring(body, position)
    count = values_in(body, position, len(body))
    if count < 0:
        raise ProtocolViolation("a malformed Bind")
    return Bind(portal, statement, Parameters(body[position:], count))


def target(body: bytes) -> tuple[str, str]:
    """The kind (`S` or `P`) and name of a Describe or Close. Raises ProtocolViolation."""
    name, end = cstring(body, 1)
    kind = body[:1].decode("latin-1")
    if kind not in ("S", "P") or end != len(body):
        raise ProtocolViolation("a malformed Describe or Close")
    return kind, name


def execute(body: bytes) -> str:
    """The portal's name of an Execute; its row limit follows. Raises ProtocolViolation."""
    name, end = cstring(body, 0)
    if len(body) != end + 4:
        raise ProtocolViolation("a malformed Execute")
    return name


def values_in(data: bytes, position: int, end: int) -> int:
    """How many values follow the names in a Bind; -1 if it is not formats, values, result formats."""
    try:
        position += 2 + 2 * _SHORT.unpack_from(data, position)[0]
        (count,) = _SHORT.unpack_from(data, position)
        position += 2
        for _ in range(count):
            (length,) = _INT.unpack_from(data, position)
            position += 4 + max(length, 0)
            if length < -1 or position > end:
                return -1
        position += 2 + 2 * _SHORT.unpack_from(data, position)[0]
    except struct.error:
        return -1
    return int(count) if position == end else -1


_SHORT: Final = struct.Struct("!H")
_INT: Final = struct.Struct("!i")
