"""One channel: what waits for it, and its tries. It never holds anybody up: when too much waits, the oldest goes.

1. A try has a deadline. What was not taken is tried again after a rest, which doubles up to a limit
   and is drawn from its upper half, so that brokers do not come all at once.
2. The rest belongs to the channel: while the other side is down, what waits does not hammer it.
3. What is older than `KEEP_S`, or was refused for good, or had to make room, is given up and told so.
4. Told to stop, it tries what is left once, without rests.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dbgate_broker.config import NotificationConfig
from dbgate_broker.notifications.carrier import Carrier, NotTaken
from dbgate_broker.notifications.events import Notification

SEND_S: Final = 10.0
"""For one try; a process for Apprise takes a second to begin."""
KEEP_S: Final = 900.0
"""An approval that is asked for is no news after a quarter of an hour."""
MOST_WAITING: Final = 1_000
FIRST_REST_S: Final = 1.0
LONGEST_REST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """How a try ended: `why` is empty when it was taken; `over` when there is no other."""

    channel: str
    one: Notification
    why: str
    over: bool


async def attempt(carrier: Carrier, one: Notification, send_s: float = SEND_S) -> tuple[str, bool]:
    """One try: why it was not taken, empty if it was; and may it be tried again."""
    try:
        async with asyncio.timeout(send_s):
            await carrier.send(one)
    except TimeoutError:
        return f"no answer within {send_s:g} s", True
    except NotTaken as exc:
        return exc.why, exc.again
    return "", False


class Channel:
    """For the event loop's thread alone."""

    def __init__(
        self,
        config: NotificationConfig,
        carrier: Carrier,
        report: Callable[[Told], None],
        *,
        first_rest_s: float = FIRST_REST_S,
        keep_s: float = KEEP_S,
        send_s: float = SEND_S,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.name = config.name
        self._config, self._carrier, self._report = config, carrier, report
        self._first_rest_s, self._keep_s, self._send_s = first_rest_s, keep_s, send_s
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[Notification, float]] = deque()
        self._current: Notification | None = None
        self._something = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failures = 0

    @property
    def left(self) -> list[Notification]:
        """What waits, the one that is being tried first."""
        tried = [self._current] if self._current is not None else []
        return [*tried, *(one for one, _ in self._waiting)]

    def takes(self, one: Notification) -> bool:
        """Is it for this channel. What is of no database is for every one that takes its event."""
        config = self._config
        if config.events and one.event not in config.events:
            return False
        if not one.database:
            return True
        return (not config.databases or one.database in config.databases) and (
            not config.environments or one.environment in config.environments
        )

    def offer(self, one: Notification) -> None:
        """Let it wait for its turn."""
        if len(self._waiting) >= self._most_waiting:
            self._tell(self._waiting.popleft()[0], f"more than {self._most_waiting} wait")
        self._waiting.append((one, asyncio.get_running_loop().time()))
        self._something.set()

    async def run(self) -> None:
        """Deliver, one at a time and in their order."""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                one, since = self._waiting.popleft()
                self._current = one
                await self._deliver(one, since + self._keep_s)
                self._current = None
            if self._stopping.is_set():
                return

    def stop(self) -> None:
        """End when nothing waits any more; no more rests."""
        self._stopping.set()
        self._something.set()

    async def _deliver(self, one: Notification, until: float) -> None:
        while True:
            why, again = await attempt(self._carrier, one, self._send_s)
            late = asyncio.get_running_loop().time() >= until
            over = not again or late or self._stopping.is_set()
            self._failures = self._failures + 1 if why else 0
            self._tell(one, why, over=over)
            if why:
                await self._rest()
            if over:
                return

    async def _rest(self) -> None:
        longest_s = min(self._first_rest_s * 2 ** min(self._failures - 1, 30), LONGEST_REST_S)
        try:
            async with asyncio.timeout(longest_s * (1 + random.random()) / 2):  # noqa: S311
                await self._stopping.wait()
        except TimeoutError:
            return

    def _tell(self, one: Notification, why: str, *, over: bool = True) -> None:
        self._report(Told(self.name, one, why, over))
