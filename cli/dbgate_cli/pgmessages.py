"""The few messages of the PostgreSQL protocol that the command line reads and writes itself.

PostgreSQL documentation, "Message Formats".
"""

from __future__ import annotations

import struct
from typing import Final

from dbgate_core.errors import ProtocolViolation

PROTOCOL_3_0: Final = 196608
CANCEL: Final = 80877102
SSL_REQUEST: Final = 80877103
GSSENC_REQUEST: Final = 80877104


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A typed message."""
    return kind + struct.pack("!I", len(body) + 4) + body


def startup(**parameters: str) -> bytes:
    """A StartupMessage of protocol 3.0."""
    pairs = b"".join(f"{key}\0{value}\0".encode() for key, value in parameters.items())
    body = struct.pack("!I", PROTOCOL_3_0) + pairs + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def cancel_request(key: bytes) -> bytes:
    """A CancelRequest; `key` is the body of BackendKeyData."""
    return struct.pack("!II", 8 + len(key), CANCEL) + key


def error_response(sqlstate: str, text: str, hint: str = "") -> bytes:
    """A FATAL ErrorResponse, as the server writes them."""
    fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": text, "H": hint}
    body = b"".join(
        key.encode() + value.replace("\0", "").encode() + b"\0"
        for key, value in fields.items()
        if value
    )
    return message(b"E", body + b"\0")


def fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse, by their one-letter codes."""
    return {chr(part[0]): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def columns(body: bytes) -> list[tuple[str, int]]:
    """The names and type OIDs of a RowDescription. Raises ProtocolViolation for half a one."""
    found, at = [], 2
    try:
        (count,) = struct.unpack_from("!H", body)
        for _ in range(count):
            end = body.index(b"\0", at)
            (type_oid,) = struct.unpack_from("!6xI8x", body, end + 1)
            found.append((body[at:end].decode(errors="replace"), type_oid))
            at = end + 19
    except (struct.error, ValueError) as exc:
        raise ProtocolViolation("a RowDescription is shorter than its columns") from exc
    return found


def row(body: bytes) -> list[bytes | None]:
    """The values of a DataRow in text format, None for NULL. Raises ProtocolViolation for half a one."""
    values: list[bytes | None] = []
    at = 2
    try:
        (count,) = struct.unpack_from("!H", body)
        for _ in range(count):
            (size,) = struct.unpack_from("!i", body, at)
            at += 4
            if size < 0:
                values.append(None)
                continue
            (value,) = struct.unpack_from(f"!{size}s", body, at)
            values.append(value)
            at += size
    except struct.error as exc:
        raise ProtocolViolation("a DataRow is shorter than its values") from exc
    return values


def authentication(body: bytes) -> tuple[int, bytes]:
    """The code of an Authentication message, and what follows it."""
    if len(body) < 4:
        raise ProtocolViolation("an Authentication message has no code")
    return int.from_bytes(body[:4]), body[4:]
