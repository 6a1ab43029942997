"""Those who wait for a request to change: woken at once by this broker, else they look again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LOOK_AGAIN_S: Final = 1.0
"""For what another broker changed, and for requests that lapse."""


class Changed:
    """One waiter's bell."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def clear(self) -> None:
        """Forget earlier changes."""
        self._event.clear()

    def ring(self) -> None:
        """Something changed."""
        self._event.set()

    async def until(self, deadline: float) -> bool:
        """Wait for a change or for the time to look again; False once the loop's time is `deadline`."""
        left_s = deadline - asyncio.get_running_loop().time()
        if left_s <= 0:
            return False
        try:
            async with asyncio.timeout(min(left_s, LOOK_AGAIN_S)):
                await self._event.wait()
        except TimeoutError:
            pass
        return True


class Waiting:
    """The waiters of every request."""

    def __init__(self) -> None:
        self._waiters: dict[str, set[Changed]] = {}

    @contextmanager
    def of(self, request_id: str) -> Iterator[Changed]:
        """Be one of a request's waiters for a while."""
        changed = Changed()
        waiters = self._waiters.setdefault(request_id, set())
        waiters.add(changed)
        try:
            yield changed
        finally:
            waiters.discard(changed)
            if not waiters and self._waiters.get(request_id) is waiters:
                del self._waiters[request_id]

    def wake(self, request_id: str) -> None:
        """Tell a request's waiters that it changed."""
        for changed in self._waiters.get(request_id, ()):
            changed.ring()
