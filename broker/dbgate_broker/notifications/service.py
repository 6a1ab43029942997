"""Tells channels of what is written in the log, beside the work and never in its way."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from dbgate_broker.config import NotificationConfig
from dbgate_broker.notifications.carrier import Carrier
from dbgate_broker.notifications.channel import Channel, Told
from dbgate_broker.notifications.events import Event, notification
from dbgate_broker.sessions.records import record
from dbgate_core.audit.recorder import Recorder
from dbgate_core.errors import AuditUnavailable

UNDELIVERED: Final = "notification_undelivered"
STOP_S: Final = 3.0
"""For what waits when the broker ends."""
LOG_AGAIN_S: Final = 300.0
"""A log that fails fails with every statement: it is told once in this time."""
EVENTS: Final = frozenset(event.value for event in Event)
OUTCOMES: Final = ("delivered", "failed", "undelivered")
ABOUT: Final = ("database", "environment", "request", "session")
"""What an undelivered one is found by."""

log = logging.getLogger(__name__)


class Notifier:
    """The channels of one broker. Made on the event loop; `announce` may be called by any thread."""

    def __init__(
        self,
        channels: Sequence[tuple[NotificationConfig, Carrier]],
        recorder: Recorder,
        counted: Counter[tuple[str, str]],
    ) -> None:
        self._recorder, self._counted = recorder, counted
        self._channels = [Channel(config, carrier, self._report) for config, carrier in channels]
        for config, _ in channels:
            self._counted.update({(config.name, outcome): 0 for outcome in OUTCOMES})
        self._loop = asyncio.get_running_loop()
        self._log_failed_at = -LOG_AGAIN_S
        self._open = bool(channels)
        self._recording: set[asyncio.Task[None]] = set()
        self._tasks = [
            asyncio.create_task(channel.run(), name="notifications") for channel in self._channels
        ]

    def announce(self, kind: str, entry: Mapping[str, object]) -> None:
        """Tell of an entry, if it is of a kind that is told."""
        if self._open and kind in EVENTS:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._offer, Event(kind), entry)

    def log_failed(self, exc: AuditUnavailable) -> None:
        """Tell that the log cannot be written."""
        self.announce(Event.LOG_FAILED, {"why": exc.message})

    async def stop(self) -> None:
        """Try what is left, for a moment; record what nobody was told."""
        self._open = False
        for channel in self._channels:
            channel.stop()
        if not self._tasks:
            return
        _, running = await asyncio.wait(self._tasks, timeout=STOP_S)
        for task in running:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for channel in self._channels:
            for one in channel.left:
                self._report(Told(channel.name, one, "the broker ended", True))
        await asyncio.gather(*self._recording)

    def _offer(self, event: Event, entry: Mapping[str, object]) -> None:
        if event is Event.LOG_FAILED:
            now = self._loop.time()
            if now - self._log_failed_at < LOG_AGAIN_S:
                return
            self._log_failed_at = now
        one = notification(event, entry, new_id(), datetime.now(UTC))
        if one is None:
            return
        for channel in self._channels:
            if channel.takes(one):
                channel.offer(one)

    def _report(self, told: Told) -> None:
        """Count it; what nobody was told is in the broker's log and in the audit log."""
        one, channel = told.one, told.channel
        if not told.why:
            self._counted[channel, "delivered"] += 1
            log.info("told %s of %s (%s)", channel, one.event, one.id)
            return
        self._counted[channel, "undelivered" if told.over else "failed"] += 1
        ending = "given up" if told.over else "tried again"
        log.warning("%s of %s for %s is %s: %s", one.id, one.event, channel, ending, told.why)
        if told.over:
            task = asyncio.create_task(self._record(told), name="undelivered")
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)

    async def _record(self, told: Told) -> None:
        one = told.one
        fields = {
            "channel": told.channel,
            "event": one.event,
            "notification": one.id,
            "why": told.why,
        }
        about = {name: one.data[name] for name in ABOUT if name in one.data}
        with suppress(AuditUnavailable):
            await record(self._recorder, UNDELIVERED, fields | about)


class Announcing:
    """A Recorder that tells of what it wrote."""

    def __init__(
        self, recorder: Recorder, announce: Callable[[str, Mapping[str, object]], None]
    ) -> None:
        self._recorder, self._announce = recorder, announce

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        """Write, then tell: nobody is told of what is not on record."""
        index = self._recorder.append(kind, fields)
        self._announce(kind, fields)
        return index


def new_id() -> str:
    """By which a receiver knows a second try of the same."""
    return f"msg_{secrets.token_hex(16)}"
