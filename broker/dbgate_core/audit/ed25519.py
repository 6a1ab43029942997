"""Verification of Ed25519 signatures in plain Python. RFC 8032 section 5.1.7.

Verification only: it handles nothing secret, so it need not run in constant time, and the light
command line needs no cryptography package. Strict where implementations differ: S must be below
L, the key and R must be canonically encoded, and the key must not be of small order (with such a key, one
signature fits many messages). The equation is checked without the cofactor, as OpenSSL does.

Multiples of the base point and of the key come from tables: 50 ms once a key, then some 0.5 ms a
signature, because a log has thousands of checkpoints and one key.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha512
from typing import Final

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
D: Final = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1: Final = pow(2, (P - 1) // 4, P)

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_WINDOW_BITS: Final = 6
_WINDOW: Final = 1 << _WINDOW_BITS
_WINDOWS: Final = -(-256 // _WINDOW_BITS)

Point = tuple[int, int, int, int]
"""X, Y, Z, T: x = X/Z, y = Y/Z, x*y = T/Z (section 5.1.4)."""
NEUTRAL: Final[Point] = (0, 1, 1, 0)


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of `key` (32 bytes) signed the message. Never raises."""
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    table = _table_of_key(key)
    if table is None:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    h = int.from_bytes(sha512(r + key + message).digest(), "little") % L
    found = _multiply(_table_of_base(), s, NEUTRAL)
    return _encode(_multiply(table, h, found)) == r


def decode_point(data: bytes) -> Point | None:
    """A point from its 32 bytes (section 5.1.3); None when no point is so encoded."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_MINUS_1 % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def add(p: Point, q: Point) -> Point:
    """The sum of two points; complete, so it doubles as well (section 5.1.4)."""
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _encode(point: Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _small_order(point: Point) -> bool:
    for _ in range(3):
        point = add(point, point)
    return point[0] == 0 and point[1] == point[2]


def _table(point: Point) -> list[list[Point]]:
    """For each window w of the scalar, the multiples 0..2**6-1 of 2**(6w) times the point."""
    table = []
    for _ in range(_WINDOWS):
        row = [NEUTRAL]
        for _ in range(_WINDOW - 1):
            row.append(add(row[-1], point))
        table.append(row)
        point = add(row[-1], point)
    return table


def _multiply(table: list[list[Point]], scalar: int, start: Point) -> Point:
    """`start` plus `scalar` times the table's point."""
    total = start
    for row in table:
        digit = scalar & (_WINDOW - 1)
        if digit:
            total = add(total, row[digit])
        scalar >>= _WINDOW_BITS
    return total


@lru_cache(maxsize=1)
def _table_of_base() -> list[list[Point]]:
    base = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    assert base is not None  # noqa: S101 - a constant of the curve
    return _table(base)


@lru_cache(maxsize=8)
def _table_of_key(key: bytes) -> list[list[Point]] | None:
    """Multiples of minus the key; None when it is no key that can be trusted."""
    point = decode_point(key)
    if point is None or _small_order(point):
        return None
    x, y, z, t = point
    return _table((P - x, y, z, P - t))
