"""Client messages taken apart: Parse, Bind, Describe, Execute, Close."""

from __future__ import annotations

import struct
from dataclasses import dataclass

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
    """A Bind: portal and statement name, parameters, result formats."""

    portal: str
    statement: str
    parameters: Parameters
    result_formats: tuple[int, ...]


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
    tail = body[position:]
    try:
        formats, position = _shorts(tail, 0)
        values, position = _values(tail, position)
        results, position = _shorts(tail, position)
    except (struct.error, IndexError) as exc:
        raise ProtocolViolation("a malformed Bind") from exc
    if position != len(tail):
        raise ProtocolViolation("a Bind with bytes left over")
    return Bind(portal, statement, Parameters(values, formats), results)


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


def _shorts(data: bytes, position: int) -> tuple[tuple[int, ...], int]:
    (count,) = struct.unpack_from("!H", data, position)
    if not count:
        return (), position + 2
    return struct.unpack_from(f"!{count}h", data, position + 2), position + 2 + 2 * count


def _values(data: bytes, position: int) -> tuple[tuple[bytes | None, ...], int]:
    (count,) = struct.unpack_from("!H", data, position)
    position += 2
    values: list[bytes | None] = []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", data, position)
        position += 4
        if length < -1 or position + max(length, 0) > len(data):
            raise ProtocolViolation("a Bind parameter with a wrong length")
        if length == -1:
            values.append(None)
        else:
            values.append(data[position : position + length])
            position += length
    return tuple(values), position
