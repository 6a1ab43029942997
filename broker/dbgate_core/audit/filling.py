"""The parts of a line put together, and the time in it: what dbgate_core.native has compiled.

These are the reference and the fallback. Every statement is written twice, so each step counts here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol, SupportsBytes

Value = int | str | SupportsBytes
"""A whole number from 0 on; text that needs no escape, whose quotes stand in the pieces; or bytes
that are JSON already."""


class Leaves(Protocol):
    """The Merkle tree of a chain."""

    @property
    def size(self) -> int:
        """How many lines there are."""


class Growing(Protocol):
    """A chain of lines (chain.py)."""

    @property
    def prev(self) -> str:
        """The hash of the last line."""

    @property
    def tree(self) -> Leaves:
        """Its tree."""

    def take(self, line: bytes) -> None:
        """Go on to the next line."""


def filled(pieces: Sequence[bytes], order: Sequence[int], values: Sequence[Value]) -> bytes:
    """The pieces, with one of the values between each two: `order` says which.

    Raises ValueError unless there is one piece more than places, or for a number below 0.
    """
    if len(pieces) != len(order) + 1:
        raise ValueError("pieces and places do not fit")
    parts = [pieces[0]]
    for piece, place in zip(pieces[1:], order, strict=True):
        parts += (_written(values[place]), piece)
    return b"".join(parts)


def entered(
    chain: Growing,
    write: Callable[[int, bytes], int],
    fd: int,
    pieces: Sequence[bytes],
    order: Sequence[int],
    own: tuple[Value, ...],
    stamp: str,
) -> int | tuple[bytes, int]:
    """Write a chain's next line and take it; how long it is.

    Or the line and how many bytes of it were written, when these are not all: then it is not taken.
    Raises ValueError as `filled`, before anything is written.
    """
    line = filled(pieces, order, (chain.tree.size, chain.prev, stamp, *own))
    try:
        done = write(fd, line)
    except OSError:
        done = 0
    if done < len(line):
        return line, done
    chain.take(line)
    return done


def timestamp(now_us: int) -> str:
    """RFC 3339 in UTC: `2026-01-31T12:00:00.000000Z`. `now_us` are microseconds since 1970."""
    return f"{_second(now_us // 1_000_000)}.{now_us % 1_000_000:06}Z"


def _written(value: Value) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, int):
        return bytes(value)
    if value < 0:
        raise ValueError("a number below 0")
    return b"%d" % value


@lru_cache(maxsize=4)
def _second(since_1970: int) -> str:
    """All but the fraction: the same for thousands of entries, and most of the work."""
    return datetime.fromtimestamp(since_1970, UTC).replace(tzinfo=None).isoformat()
