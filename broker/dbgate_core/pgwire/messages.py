"""Messages as bytes: types, limits, and the few that dbgate itself makes or takes apart.

Source: PostgreSQL documentation, chapter "Frontend/Backend Protocol", sections "Message Formats"
and "Error and Notice Message Fields".
"""

from __future__ import annotations

import struct
from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.guard import Refusal

HEADER: Final = struct.Struct("!BI")
HEADER_BYTES: Final = 5

MAX_SQL_BYTES: Final = 1 << 20
"""A Query or Parse: the judge reads it whole. Longer data belongs in parameters or COPY."""
MAX_MESSAGE_BYTES: Final = 64 << 20
"""Any other client message that is held whole (Bind). PostgreSQL's own bound is 1 GiB."""
MAX_SMALL_BYTES: Final = 10_000
"""Messages that hold a name or nothing; PostgreSQL's own bound (PQ_SMALL_MESSAGE_LIMIT)."""
MAX_STREAMED_BYTES: Final = 1 << 30
"""CopyData and DataRow without a mask pass in pieces; PostgreSQL's own bound."""
MAX_HELD_BYTES: Final = 16 << 20
"""A server message that must be whole before it passes: descriptions, errors, masked rows."""

SUCCESS: Final = "00000"
WARNING: Final = "01000"
_LEADS: Final = ((0xE0, 0xC0, 2), (0xF0, 0xE0, 3), (0xF8, 0xF0, 4))
"""Mask, first byte and length of UTF-8's longer sequences (pg_utf_mblen)."""


class NotUtf8(ProtocolViolation):
    """Text in another encoding. Behind the log-in the statement is refused, as the server would."""

    code = "protocol.encoding"
    sqlstate = "22021"


def message(kind: bytes, body: bytes) -> bytes:
    """A typed message: the type byte, an int32 length that counts itself, the body."""
    return kind + struct.pack("!I", len(body) + 4) + body


def error_response(refusal: Refusal, severity: str = "ERROR") -> bytes:
    """An ErrorResponse with the refusal's fields; the rule stands in DETAIL."""
    detail = refusal.detail or (f"rule: {refusal.rule}" if refusal.rule else "")
    fields = {
        "S": severity,
        "V": severity,
        "C": refusal.sqlstate,
        "M": refusal.message,
        "D": detail,
        "H": refusal.hint,
        "P": str(refusal.position or ""),
    }
    return message(b"E", encode_fields(fields))


def warning(text: str, hint: str) -> bytes:
    """A NoticeResponse of severity WARNING."""
    fields = {"S": "WARNING", "V": "WARNING", "C": WARNING, "M": text, "H": hint}
    return message(b"N", encode_fields(fields))


def notice(text: str, hint: str) -> bytes:
    """A NoticeResponse of severity NOTICE."""
    fields = {"S": "NOTICE", "V": "NOTICE", "C": SUCCESS, "M": text, "H": hint}
    return message(b"N", encode_fields(fields))


def encode_fields(fields: dict[str, str]) -> bytes:
    """The body of an ErrorResponse or NoticeResponse; empty fields are left out."""
    parts = [
        k.encode() + v.replace("\0", "").encode("utf-8", "surrogateescape") + b"\0"
        for k, v in fields.items()
        if v
    ]
    return b"".join(parts) + b"\0"


def decode_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse, by their one-letter code."""
    return {
        part[:1].decode("latin-1"): part[1:].decode("utf-8", "surrogateescape")
        for part in body.split(b"\0")
        if part
    }


def cstring(body: bytes, position: int) -> tuple[str, int]:
    """A zero-ended string and the position after it. Raises ProtocolViolation without its end, and
    NotUtf8."""
    end = body.find(b"\0", position)
    if end < 0:
        raise ProtocolViolation("a string without its end")
    try:
        return body[position:end].decode("utf-8"), end + 1
    except UnicodeDecodeError as exc:
        raise NotUtf8(_bad_sequence(exc), hint="send text in UTF-8") from exc


def _bad_sequence(exc: UnicodeDecodeError) -> str:
    """What PostgreSQL says of it (report_invalid_encoding): the bytes of the whole character."""
    bad = exc.object[exc.start :]
    length = next((n for mask, lead, n in _LEADS if bad[0] & mask == lead), 1)
    shown = " ".join(f"0x{byte:02x}" for byte in bad[:length])
    return f'invalid byte sequence for encoding "UTF8": {shown}'
