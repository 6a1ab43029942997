"""One whole exchange, recognised at a glance: what drivers send to run a prepared statement.

Bind of the unnamed portal, Describe of it (or not), Execute without a row limit, Sync; answered by
BindComplete, the description, rows, CommandComplete, ReadyForQuery. Or what answers a Query of one
statement: the same without BindComplete. Nearly all of an application's
traffic is this, so dbgate_core.native has it compiled. Whatever looks otherwise, is cut, or is malformed is not recognised here, and goes
the long way, message by message, which alone knows the errors. (PostgreSQL documentation, "Message
Formats".)
"""

from __future__ import annotations

from typing import Final, NamedTuple

from dbgate_core.pgwire.frontend import values_in
from dbgate_core.pgwire.messages import (
    HEADER,
    HEADER_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_STREAMED_BYTES,
)
from dbgate_core.pgwire.runs import end_of_whole_run

_BIND: Final = ord("B")
_DESCRIBE: Final = b"D\0\0\0\6P\0"
_EXECUTE_AND_SYNC: Final = b"E\0\0\0\t\0\0\0\0\0S\0\0\0\4"
BIND_COMPLETE: Final = b"2\0\0\0\4"
_NO_DATA: Final = b"n\0\0\0\4"
_ROW_DESCRIPTION: Final = ord("T")
_COMPLETE: Final = ord("C")
_READY: Final = b"Z\0\0\0\5"
_READY_BYTES: Final = 6
MAX_TAG_BYTES: Final = 64
"""PostgreSQL's own bound of a command tag (COMPLETION_TAG_BUFSIZE)."""


class Asked(NamedTuple):
    """A client's exchange: where it ends, where its Bind does, and what that binds.

    `values` is how many values there are, `values_at` where they and their formats begin.
    """

    end: int
    bind_end: int
    described: bool
    statement: str
    values_at: int
    values: int


class Answered(NamedTuple):
    """A server's answer: where it ends, the body of its RowDescription, its tag and status.

    `fields_at` and `fields_end` are equal, where CommandComplete begins, when there is no result.
    """

    end: int
    fields_at: int
    fields_end: int
    tag: str
    status: str


def asked(data: bytes, position: int) -> Asked | None:
    """The exchange that begins here, if it is whole and nothing but one."""
    size = len(data)
    if size - position < HEADER_BYTES + 1 or data[position] != _BIND:
        return None
    length = HEADER.unpack_from(data, position)[1]
    bind_end: int = position + 1 + length
    if not 4 <= length <= MAX_MESSAGE_BYTES or bind_end > size or data[position + 5]:
        return None
    name_end = data.find(b"\0", position + 6, bind_end)
    values = -1 if name_end < 0 else values_in(data, name_end + 1, bind_end)
    if values < 0:
        return None
    described = data.startswith(_DESCRIBE, bind_end)
    rest = bind_end + len(_DESCRIBE) if described else bind_end
    if not data.startswith(_EXECUTE_AND_SYNC, rest):
        return None
    try:
        name = data[position + 6 : name_end].decode()
    except UnicodeDecodeError:
        return None
    end = rest + len(_EXECUTE_AND_SYNC)
    return Asked(end, bind_end, described, name, name_end + 1, values)


def answered(data: bytes, position: int) -> Answered | None:
    """The answer to an exchange that begins here, if it is whole and nothing but one."""
    if not data.startswith(BIND_COMPLETE, position):
        return None
    position += len(BIND_COMPLETE)
    if data.startswith(_NO_DATA, position):
        position += len(_NO_DATA)
        return _done(data, position, position, position)
    return _rows(data, position)


def replied(data: bytes, position: int) -> Answered | None:
    """The answer to a Query of one statement that begins here, if it is whole and nothing but one."""
    return _rows(data, position) or _done(data, position, position, position)


def _rows(data: bytes, position: int) -> Answered | None:
    end = _whole(data, position, _ROW_DESCRIPTION)
    if not end:
        return None
    return _done(data, end_of_whole_run(data, end, end), position + HEADER_BYTES, end)


def _done(data: bytes, position: int, fields_at: int, fields_end: int) -> Answered | None:
    """CommandComplete and ReadyForQuery."""
    tag_end = _whole(data, position, _COMPLETE)
    ready_end = tag_end + _READY_BYTES
    tag_at = position + HEADER_BYTES
    if not tag_at < tag_end <= tag_at + MAX_TAG_BYTES or data.find(b"\0", tag_at) != tag_end - 1:
        return None
    if ready_end > len(data) or not data.startswith(_READY, tag_end):
        return None
    status = chr(data[ready_end - 1])
    if status not in "ITE":
        return None
    try:
        tag = data[tag_at : tag_end - 1].decode("ascii")
    except UnicodeDecodeError:
        return None
    return Answered(ready_end, fields_at, fields_end, tag, status)


def _whole(data: bytes, position: int, kind: int) -> int:
    """Where the message of this type that begins here ends, if it is whole; else 0."""
    if len(data) - position < HEADER_BYTES:
        return 0
    found, length = HEADER.unpack_from(data, position)
    end: int = position + 1 + length
    return end if found == kind and 4 <= length <= MAX_STREAMED_BYTES and end <= len(data) else 0
