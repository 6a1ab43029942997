"""Ranges and multiranges: one masked value from and to which they go, `[x,x]`.

Masked bounds of their own would not be in order. The empty range stays. Binary (range_send): flags,
then each finite bound's length and bytes; multiranges: number of ranges, each one's length and bytes.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from dbgate_core.masking.described import ValueMask

_LENGTH = struct.Struct("!i")
_EMPTY: Final = 0x01
_BOTH_INCLUSIVE: Final = b"\x06"
_NEEDS_DOUBLING = re.compile(rb'(["\\])')


def mask_text_range(value: bytes, mask: ValueMask) -> bytes | None:
    """The range of the whole value's mask."""
    if value == b"empty":
        return value
    point = mask(value)
    if point is None:
        return None
    quoted = b'"' + _NEEDS_DOUBLING.sub(rb"\1\1", point) + b'"'
    return b"[" + quoted + b"," + quoted + b"]"


def mask_binary_range(value: bytes, mask: ValueMask) -> bytes | None:
    """The range of the whole value's mask."""
    if value == bytes([_EMPTY]):
        return value
    point = mask(value)
    if point is None:
        return None
    bound = _LENGTH.pack(len(point)) + point
    return _BOTH_INCLUSIVE + bound + bound


def mask_text_multirange(value: bytes, mask: ValueMask) -> bytes | None:
    """The one range of the whole value's mask."""
    if value == b"{}":
        return value
    masked = mask_text_range(value, mask)
    return None if masked is None else b"{" + masked + b"}"


def mask_binary_multirange(value: bytes, mask: ValueMask) -> bytes | None:
    """The one range of the whole value's mask."""
    if value == _LENGTH.pack(0):
        return value
    masked = mask_binary_range(value, mask)
    return None if masked is None else _LENGTH.pack(1) + _LENGTH.pack(len(masked)) + masked
