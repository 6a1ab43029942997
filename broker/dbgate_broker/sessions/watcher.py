"""What runs beside everything else: deadlines, idle sessions, renewals, and chores with a period."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dbgate_core.errors import DbgateError

TICK_S: Final = 0.25
"""How late a deadline may be kept."""
RETRY_S: Final = 5.0
"""When a chore that failed is done again, if its period is longer."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Chore:
    """Work done every `period_s`, never twice at once. It raises, or gives False, when it must be done again soon."""

    name: str
    period_s: float
    work: Callable[[], Awaitable[bool | None]]
    due_at: datetime | None = None
    task: asyncio.Task[None] | None = None

    async def run(self, clock: Callable[[], datetime]) -> None:
        """Do it once, and say when it is due again. Never raises but CancelledError."""
        try:
            done = await self.work() is not False
        except DbgateError as exc:
            log.warning("%s: %s; it is tried again", self.name, exc.message)
            done = False
        except Exception:
            log.exception("%s failed; it is tried again", self.name)
            done = False
        pause_s = self.period_s if done else min(self.period_s, RETRY_S)
        self.due_at = clock() + timedelta(seconds=pause_s)


class Watcher:
    """Calls `look` every quarter of a second, and starts chores as they fall due."""

    def __init__(
        self,
        look: Callable[[], None],
        chores: Iterable[Chore],
        clock: Callable[[], datetime],
    ) -> None:
        self._look = look
        self._chores = list(chores)
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="sessions-watcher")

    async def stop(self) -> None:
        """End, the chores that run included."""
        tasks = [chore.task for chore in self._chores if chore.task is not None]
        tasks += [self._task] if self._task is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def tick(self) -> None:
        """Look once, and start what is due."""
        self._look()
        now = self._clock()
        for chore in self._chores:
            running = chore.task is not None and not chore.task.done()
            if not running and (chore.due_at is None or chore.due_at <= now):
                chore.task = asyncio.create_task(chore.run(self._clock), name=chore.name)

    async def _run(self) -> None:
        while True:
            try:
                self.tick()
            except Exception:
                log.exception("watching the sessions failed once")
            await asyncio.sleep(TICK_S)
