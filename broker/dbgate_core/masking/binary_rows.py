"""Where a row of binary COPY data ends. The compiled twin is in dbgate_core/native/copy.pxi."""

from __future__ import annotations

import struct
from typing import Final

from dbgate_core.errors import ProtocolViolation

_LENGTH = struct.Struct("!i")
_NULL: Final = -1


def end_of_values(data: bytes, position: int, columns: int) -> int:
    """The end of so many values, each behind its length; negative where they are not whole.

    Then there must be at least so many bytes before it is worth another look. Raises
    ProtocolViolation for a length that no value has.
    """
    end = len(data)
    for _ in range(columns):
        if end - position < _LENGTH.size:
            return -(position + _LENGTH.size)
        (length,) = _LENGTH.unpack_from(data, position)
        if length < _NULL:
            raise ProtocolViolation("a value of COPY data has a length that none has")
        position += _LENGTH.size + max(0, length)
    return position if position <= end else -position
