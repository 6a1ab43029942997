"""numeric in binary format (numeric_send), as far as masks need it: whole numbers.

Digit count, weight of the first digit, sign and display scale (int16 each), then digits to base
10,000, the highest first. A weight of n counts the digits before the point less one.
"""

from __future__ import annotations

import struct
from typing import Final

_HEAD = struct.Struct("!HhHH")
_POSITIVE: Final = 0x0000
_NEGATIVE: Final = 0x4000
"""Other signs are NaN and the infinities."""
DIGITS: Final = 4
"""Decimal ones in each digit of numeric's."""


def whole_part(value: bytes) -> bytes | None:
    """The digits before the point, with a minus where there is one; None for what is no number."""
    if len(value) < _HEAD.size:
        return None
    count, weight, sign, _ = _HEAD.unpack_from(value)
    if sign not in (_POSITIVE, _NEGATIVE) or len(value) != _HEAD.size + 2 * count:
        return None
    groups = struct.unpack_from(f"!{count}H", value, _HEAD.size)[: max(0, weight + 1)]
    if any(group > 9_999 for group in groups):
        return None
    whole = b"".join(b"%04d" % group for group in groups)
    whole = whole.ljust(DIGITS * (weight + 1), b"0").lstrip(b"0")
    return (b"-" if sign == _NEGATIVE and whole else b"") + (whole or b"0")


def is_whole(value: bytes) -> bool:
    """Does text format write it without a point: its display scale is 0."""
    return len(value) >= _HEAD.size and _HEAD.unpack_from(value)[3] == 0


def of_whole(text: bytes) -> bytes:
    """The binary form of digits, with a minus or without."""
    digits = text.removeprefix(b"-").lstrip(b"0")
    digits = digits.rjust(-(-len(digits) // DIGITS) * DIGITS, b"0")
    groups = [int(digits[at : at + DIGITS]) for at in range(0, len(digits), DIGITS)]
    weight = max(0, len(groups) - 1)
    while groups and groups[-1] == 0:
        groups.pop()
    sign = _NEGATIVE if groups and text.startswith(b"-") else _POSITIVE
    return _HEAD.pack(len(groups), weight, sign, 0) + struct.pack(f"!{len(groups)}H", *groups)
