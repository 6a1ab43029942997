"""The open sessions of this broker, watched: ended when they are over, their leases renewed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from dbgate_broker.credentials.provider import LeaseGone
from dbgate_broker.sessions.ending import End, Ending
from dbgate_broker.sessions.leasing import Leasing
from dbgate_broker.sessions.live import LiveSession
from dbgate_core.errors import DbgateError
from dbgate_core.principal import Principal

WINDOW_ENDED: Final = "the session's window has ended"
DRAINED: Final = "the broker is stopping"
WARN_S: Final = 300
"""How long before its deadline a session's clients are warned; half its length, if that is less."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class Roster:
    """`live` are the sessions by id, `tasks` whatever is being done for them at this moment."""

    def __init__(
        self,
        leasing: Leasing,
        ending: Ending,
        clock: Callable[[], datetime],
        *,
        idle_s: int,
        abandoned_s: int | None,
    ) -> None:
        """`abandoned_s` None: nobody is taken for gone, since another broker may have seen him."""
        self.live: dict[str, LiveSession] = {}
        self.tasks: set[asyncio.Task[Any]] = set()
        self._empty = asyncio.Event()
        self._leasing = leasing
        self._ending = ending
        self._clock = clock
        self._idle_s = idle_s
        self._abandoned_s = abandoned_s

    def look(self) -> None:
        """End what is over; renew what has half its life behind it."""
        now = self._clock()
        for live in list(self.live.values()):
            if live.closing is not None:
                continue
            if reason := self._over(live, now):
                self.end(live, reason)
            elif now >= live.held.renew_at and not live.renewing:
                self.spawn(self._renew(live), "lease-renewal")
            if now >= _warning_at(live):
                live.warn()

    def _over(self, live: LiveSession, now: datetime) -> str:
        if now >= live.deadline:
            return WINDOW_ENDED
        if now >= live.held.expires_at:
            return "its database user has ended, and could not be renewed"
        if live.drained:
            return DRAINED
        if live.idle_since is None:
            return ""
        if (now - live.idle_since).total_seconds() >= self._idle_s:
            return f"nothing was connected for {self._idle_s} s"
        silent_s = (now - max(live.idle_since, live.seen_at)).total_seconds()
        if self._abandoned_s is not None and silent_s >= self._abandoned_s:
            return f"its dbgate gave no sign of life for {self._abandoned_s} s"
        return ""

    async def _renew(self, live: LiveSession) -> None:
        live.renewing = True
        try:
            await self._leasing.renew(live.held, live.deadline)
        except LeaseGone:
            self.end(live, "Vault has ended its database user")
        except DbgateError as exc:
            log.warning("lease of session %s is not renewed yet: %s", live.session_id, exc.message)
        finally:
            live.renewing = False

    def end(
        self, live: LiveSession, reason: str, by: Principal | None = None
    ) -> asyncio.Task[None]:
        """End a session once, whoever asks how often."""
        if live.closing is None:
            live.shut(reason)
            end = End(reason, by, live.opened_connections)
            live.closing = self.spawn(self._finish(live, end), "session-ending")
        return live.closing

    async def finish_all(self, limit_s: float) -> None:
        """Wait for what is being done, and for what that starts; cut it off at the limit."""
        deadline = asyncio.get_running_loop().time() + limit_s
        while self.tasks and (left_s := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(set(self.tasks), timeout=left_s)
        late = list(self.tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def emptied(self, limit_s: float) -> bool:
        """Wait until the last session has ended; False at the limit."""
        if self.live:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await self._empty.wait()
        return not self.live

    async def _finish(self, live: LiveSession, end: End) -> None:
        await self._ending.end(live.row, end, live.held)
        self.live.pop(live.session_id, None)
        if not self.live:
            self._empty.set()

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Do it in a task that is kept, and waited for at the end."""
        task = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


def _warning_at(live: LiveSession) -> datetime:
    length = live.deadline - live.row.opened_at
    return live.deadline - min(timedelta(seconds=WARN_S), length / 2)
