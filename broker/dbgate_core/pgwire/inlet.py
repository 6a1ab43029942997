"""Where a leg's bytes come in: as much as the lane takes on goes on to the other leg at once.

The compiled twin (native/inlet.pxi) is the one in use where there is a lane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dbgate_core.pgwire.lane import Lane

TURN_BYTES: Final = 128 * 1024
"""What a leg hands on before the others have their turn: the loop reads a socket that stays full up to
32 times, 256 KiB each, which held everybody else for 40 ms beside a masked bulk read."""


class Inlet:
    """What a loop calls for a read: `get_buffer`, then `buffer_updated` with the bytes in it.

    `store` is the loop's buffer, shared by its legs: between the two calls none other reads. `received` takes
    what the lane does not; `rests` is told when the others are due their turn.
    """

    def __init__(
        self, store: bytearray, received: Callable[[bytes], None], rests: Callable[[], None]
    ) -> None:
        self._view = memoryview(store)
        self._received = received
        self._rests = rests
        self._turn_bytes = 0

    def through(
        self,
        lane: Lane,
        asks: bool,
        pass_on: Callable[[bytes], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """From now on by the lane: the client's bytes ask, the server's answer."""

    def past(self) -> None:
        """No longer by the lane."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next read goes."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on a copy."""
        self._turn_bytes += nbytes
        if self._turn_bytes >= TURN_BYTES:
            self._turn_bytes = 0
            self._rests()
        self._received(self._view[:nbytes].tobytes())
