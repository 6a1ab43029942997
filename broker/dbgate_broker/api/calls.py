"""The calls that are being answered: how many, how long, and how they end when the broker stops."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from dbgate_core.errors import Unreachable

MAX_CALLS: Final = 256
MAX_WAITS_OF_ONE: Final = 16
"""Long polls of one principal; each holds a connection for up to half a minute."""


class Calls:
    """Bounds on what runs at once."""

    def __init__(self) -> None:
        self.stopping = False
        self._running = 0
        self._waits: set[asyncio.Timeout] = set()
        self._waiters: Counter[str] = Counter()

    @asynccontextmanager
    async def running(self, deadline_s: float) -> AsyncIterator[None]:
        """One call. Raises Unreachable when there are too many, TimeoutError at the deadline."""
        if self.stopping:
            raise stopping()
        if self._running >= MAX_CALLS:
            raise Unreachable("the broker has too much to do", hint="try again", code="busy")
        self._running += 1
        try:
            async with asyncio.timeout(deadline_s):
                yield
        finally:
            self._running -= 1

    @asynccontextmanager
    async def waiting(self, who: str) -> AsyncIterator[None]:
        """A long poll within a call. Raises Unreachable when `who` has too many, or when we stop."""
        if self.stopping:
            raise stopping()
        if self._waiters[who] >= MAX_WAITS_OF_ONE:
            raise Unreachable("you wait for too many requests at once", hint="dbgate requests list", code="busy")  # fmt: skip
        self._waiters[who] += 1
        try:
            async with asyncio.timeout(None) as timeout:
                self._waits.add(timeout)
                yield
        except TimeoutError:
            if not self.stopping:
                raise
            raise stopping() from None
        finally:
            self._waits.discard(timeout)
            self._waiters[who] -= 1
            if not self._waiters[who]:
                del self._waiters[who]

    def stop(self) -> None:
        """Take no more calls, and end the long polls now."""
        self.stopping = True
        for timeout in self._waits:
            timeout.reschedule(asyncio.get_running_loop().time())


def stopping() -> Unreachable:
    """The error of a call that the broker's end cut short."""
    return Unreachable("the broker is stopping", hint="try again in a few seconds", code="stopping")
