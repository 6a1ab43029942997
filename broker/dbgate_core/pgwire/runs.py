"""Runs of neighbouring messages of one type, found by their headers alone."""

from __future__ import annotations

from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.messages import HEADER_BYTES, MAX_STREAMED_BYTES

DATA_ROW: Final = ord("D")


def end_of_run(data: bytes, position: int, kind: int) -> int:
    """The end of the run of messages of this type; past the data when the last is cut."""
    size = len(data)
    while size - position >= HEADER_BYTES and data[position] == kind:
        length = int.from_bytes(data[position + 1 : position + 5], "big")
        if not 4 <= length <= MAX_STREAMED_BYTES:
            raise ProtocolViolation(f"a server message of length {length}")
        position += 1 + length
    return position


def end_of_whole_run(data: bytes, position: int, end: int) -> int:
    """The end of the run of whole DataRow messages that begins with the one up to `end`."""
    size = len(data)
    while size - end >= HEADER_BYTES and data[end] == DATA_ROW:
        length = int.from_bytes(data[end + 1 : end + 5], "big")
        following = end + 1 + length
        if length < 4 or following > size:
            break
        end = following
    return end
