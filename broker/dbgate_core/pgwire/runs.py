"""Runs of neighbouring messages of one type, found by their headers alone.

This is all that a row without a mask costs, so the loops unpack a header in one call, and
dbgate_core.native has them compiled: import them from there.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.messages import HEADER, HEADER_BYTES, MAX_STREAMED_BYTES

DATA_ROW: Final = ord("D")


def end_of_run(data: bytes, position: int, kind: int) -> int:
    """The end of the run of messages of this type; past the data when the last is cut."""
    last, unpack = len(data) - HEADER_BYTES, HEADER.unpack_from
    while position <= last:
        found, length = unpack(data, position)
        if found != kind:
            break
        if not 4 <= length <= MAX_STREAMED_BYTES:
            raise ProtocolViolation(f"a server message of length {length}")
        position += 1 + length
    return position


def end_of_whole_run(data: bytes, position: int, end: int) -> int:
    """The end of the run of whole DataRow messages that begins with the one up to `end`."""
    size, unpack = len(data), HEADER.unpack_from
    while size - end >= HEADER_BYTES:
        found, length = unpack(data, end)
        following = end + 1 + length
        if found != DATA_ROW or length < 4 or following > size:
            break
        end = following
    return end


def count_rows(messages: bytes) -> int:
    """How many messages these are; the last may be cut."""
    position = count = 0
    while position < len(messages):
        length = int.from_bytes(messages[position + 1 : position + 5], "big")
        if length < 4 or len(messages) - position < HEADER_BYTES:
            raise ProtocolViolation("a row of a wrong length")
        position += 1 + length
        count += 1
    return count
