"""Arrays in text and binary format: every element masked, header and bounds kept.

Text: `[0:1]={a,"b c",NULL}` (PostgreSQL documentation, 8.15.6 "Array Input and Output Syntax").
Binary (array_send): dimensions, has-null flag, element type, then length and lower bound of each
dimension, then each element with its length, -1 for NULL.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

_HEADER = struct.Struct("!iII")
_LENGTH = struct.Struct("!i")
_NULL: Final = b"\xff\xff\xff\xff"
_MAX_DIMENSIONS: Final = 6
"""PostgreSQL's MAXDIM; anything above is no array."""
_ELEMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"|([^{},"]+)|[{},]', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_NEEDS_ESCAPE = re.compile(rb'(["\\])')
_BOUNDS = re.compile(rb"(?:\[[-+0-9:]+\])+=")

ElementMask = Callable[[bytes], bytes | None]


def mask_text_array(value: bytes, mask: ElementMask) -> bytes | None:
    """The array with each element masked and quoted; None (NULL) for what is no array."""
    bounds = _BOUNDS.match(value)
    out, position = [bounds[0] if bounds else b""], bounds.end() if bounds else 0
    if value[position : position + 1] != b"{":
        return None
    while position < len(value):
        found = _ELEMENT.match(value, position)
        if found is None:
            return None
        position = found.end()
        out.append(_masked_element(found, mask))
    return b"".join(out)


def _masked_element(found: re.Match[bytes], mask: ElementMask) -> bytes:
    quoted, bare = found[1], found[2]
    if quoted is None and bare is None:
        return found[0]
    if bare is not None and bare.upper() == b"NULL":
        return b"NULL"
    plain = _ESCAPED.sub(rb"\1", quoted if quoted is not None else bare)
    masked = mask(plain)
    return b"NULL" if masked is None else b'"' + _NEEDS_ESCAPE.sub(rb"\\\1", masked) + b'"'


def mask_binary_array(value: bytes, mask: ElementMask) -> bytes | None:
    """The array with each element masked, its null flag set anew; None for what is no array."""
    try:
        return _mask_binary_array(value, mask)
    except (struct.error, ValueError):
        return None


def _mask_binary_array(value: bytes, mask: ElementMask) -> bytes | None:
    dimensions, _, element_type = _HEADER.unpack_from(value)
    if not 0 <= dimensions <= _MAX_DIMENSIONS:
        return None
    position = _HEADER.size + 8 * dimensions
    out, has_null = [value[_HEADER.size : position]], 0
    while position < len(value):
        (length,) = _LENGTH.unpack_from(value, position)
        position += 4
        element = None
        if length >= 0:
            if position + length > len(value):
                return None
            element = mask(value[position : position + length])
            position += length
        has_null |= element is None
        out.append(_NULL if element is None else _LENGTH.pack(len(element)) + element)
    return _HEADER.pack(dimensions, has_null, element_type) + b"".join(out)
