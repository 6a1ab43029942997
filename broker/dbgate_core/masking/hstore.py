"""hstore: one pair for all, since keys may be values, too.

Text: `"key"=>"value"`. Binary (hstore_send): number of pairs, then each key's and value's length and
bytes.
"""

from __future__ import annotations

import struct
from typing import Final

_LENGTH = struct.Struct("!i")
_KEY: Final = b"masked"


def text_pair(masked: bytes) -> bytes:
    """The pair whose value is a token, which has nothing to quote."""
    return b'"%b"=>"%b"' % (_KEY, masked)


def binary_pair(masked: bytes) -> bytes:
    """The same."""
    return b"".join((_LENGTH.pack(1), _sized(_KEY), _sized(masked)))


def _sized(part: bytes) -> bytes:
    return _LENGTH.pack(len(part)) + part
