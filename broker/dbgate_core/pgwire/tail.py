"""What a peer has sent of a message that is not whole yet.

Pieces are joined once, when enough is there: joining at every piece would cost the square of a
message's length, which a peer could make us pay.
"""

from __future__ import annotations


class Tail:
    """The bytes of one peer that wait for more."""

    __slots__ = ("_need_bytes", "_parts", "size_bytes")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._need_bytes = 0
        self.size_bytes = 0

    def add(self, data: bytes) -> None:
        """Take more bytes without a look."""
        self._parts.append(data)
        self.size_bytes += len(data)

    def take(self, data: bytes) -> bytes:
        """All that waits, and `data`, once that is enough for a step; else nothing."""
        if data:
            self.add(data)
        if self.size_bytes < self._need_bytes:
            return b""
        parts, self._parts = self._parts, []
        self.size_bytes = self._need_bytes = 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def keep(self, rest: bytes, need_bytes: int) -> None:
        """Let `rest` wait until there are `need_bytes` of it."""
        self._parts = [rest] if rest else []
        self.size_bytes = len(rest)
        self._need_bytes = need_bytes
