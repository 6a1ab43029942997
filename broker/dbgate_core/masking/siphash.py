"""SipHash-2-4 with a digest of 128 bits: the keyed function behind masks.

A pseudo-random function for short inputs (Aumasson and Bernstein, "SipHash: a fast short-input
PRF", 2012; the 128-bit digest is of the authors' reference implementation). It is compiled,
too (docs/adr/0006).
"""

from __future__ import annotations

import struct
from typing import Final

KEY_BYTES: Final = 16
_ALL: Final = (1 << 64) - 1
_START: Final = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
State = tuple[int, int, int, int]


def siphash(key: bytes, value: bytes) -> bytes:
    """16 pseudo-random bytes for the value. `key` has 16 bytes, else ValueError."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a SipHash key of {len(key)} bytes")
    k0, k1 = struct.unpack("<2Q", key)
    state = (k0 ^ _START[0], k1 ^ _START[1] ^ 0xEE, k0 ^ _START[2], k1 ^ _START[3])
    whole = len(value) & ~7
    last = value[whole:].ljust(7, b"\0") + bytes([len(value) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", value[:whole] + last):
        a, b, c, d = _rounds((*state[:3], state[3] ^ word), 2)
        state = (a ^ word, b, c, d)
    a, b, c, d = _rounds((state[0], state[1], state[2] ^ 0xEE, state[3]), 4)
    first = a ^ b ^ c ^ d
    a, b, c, d = _rounds((a, b ^ 0xDD, c, d), 4)
    return struct.pack("<2Q", first, a ^ b ^ c ^ d)


def _rounds(state: State, count: int) -> State:
    """Additions, turns and exclusive ors (SipRound), written out: calls would cost most."""
    a, b, c, d = state
    for _ in range(count):
        a = (a + b) & _ALL
        b = (b << 13 & _ALL | b >> 51) ^ a
        a = a << 32 & _ALL | a >> 32
        c = (c + d) & _ALL
        d = (d << 16 & _ALL | d >> 48) ^ c
        a = (a + d) & _ALL
        d = (d << 21 & _ALL | d >> 43) ^ a
        c = (c + b) & _ALL
        b = (b << 17 & _ALL | b >> 47) ^ c
        c = c << 32 & _ALL | c >> 32
    return a, b, c, d
