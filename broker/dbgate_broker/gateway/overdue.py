"""What runs longer than policy lets it: cancelled, by the broker's own clock, which no SET reaches.

The time counts while the server owes the answer to one and the same message, as PostgreSQL's
statement_timeout does: in a pipeline that is answered at its end, to all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from dbgate_core.pgwire.session import Session

AGAIN_S: Final = 0.5
"""A CancelRequest may come before its statement, or be lost: it is repeated until the answer comes."""


class Overdue:
    """Watches one connection. `cancel` asks the server to stop what it runs; `tell` speaks to the client."""

    def __init__(
        self,
        limit_s: float,
        session: Session,
        cancel: Callable[[], Awaitable[None]],
        tell: Callable[[str, str], None],
    ) -> None:
        self._limit_s = limit_s
        self._session = session
        self._cancel = cancel
        self._tell = tell
        self._head: object = None
        self._timer: asyncio.TimerHandle | None = None
        self._cancelling: asyncio.Task[None] | None = None

    def look(self) -> None:
        """After each step: start the clock for what is due next, if that is another."""
        head = self._session.pending.head
        if head is not self._head:
            self.stop()
            self._head = head
            if head is not None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._limit_s, self._over)

    def stop(self) -> None:
        """Watch no more."""
        self._head = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._cancelling is not None:
            self._cancelling.cancel()
            self._cancelling = None

    def _over(self) -> None:
        self._tell(
            f"policy lets a statement run for {self._limit_s:g} s: it is canceled",
            "narrow it, or do it in parts",
        )
        self._cancelling = asyncio.get_running_loop().create_task(self._cancel_it())

    async def _cancel_it(self) -> None:
        while True:
            await self._cancel()
            await asyncio.sleep(AGAIN_S)
