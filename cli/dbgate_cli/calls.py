"""Dials of the gateway for many clients, in the splicer's thread: none waits for another's."""

from __future__ import annotations

import collections
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from dbgate_cli.crew import Crew
from dbgate_cli.dialing import TIMEOUT_S, Dialer, Steps, Wait
from dbgate_cli.http import unreachable
from dbgate_cli.splice import Splicer, hang_up
from dbgate_core.errors import DbgateError

MAX_DIALS: Final = 32
"""At once; the next ones wait their turn. A pool's size: all of it may connect together, and each
is done before the gateway loses patience with the last one."""
Failed = Callable[[socket.socket, DbgateError], None]


@dataclass(eq=False, slots=True)
class _Call:
    """A client whose gateway is being dialed."""

    local: socket.socket
    deadline: float
    steps: Steps | None = None
    waits: socket.socket | None = None
    resolved: bool = False
    """It has asked for the gateway's addresses itself: they are new."""


class Calls:
    """Dials for clients, and joins them with what answers. All but `close` is called in the thread
    of the splicer, where `failed` is called, too.

    Only names are asked for elsewhere, by the crew: once, and again when an address fails.
    """

    def __init__(self, dialer: Dialer, splicer: Splicer, crew: Crew, failed: Failed) -> None:
        self._dialer = dialer
        self._splicer = splicer
        self._crew = crew
        self._failed = failed
        self._waiting: collections.deque[socket.socket] = collections.deque()
        self._running: set[_Call] = set()
        self._alarm: threading.Timer | None = None

    def take(self, local: socket.socket) -> None:
        """Dial for a client; the socket is no longer the caller's."""
        self._waiting.append(local)
        self._fill()

    def close(self) -> None:
        """Give up all of it; the splicer has ended."""
        if self._alarm is not None:
            self._alarm.cancel()
        for call in self._running:
            if call.steps is not None:
                call.steps.close()
            hang_up(call.local)
        for local in self._waiting:
            hang_up(local)

    def _fill(self) -> None:
        while self._waiting and len(self._running) < MAX_DIALS:
            call = _Call(self._waiting.popleft(), time.monotonic() + TIMEOUT_S)
            self._running.add(call)
            self._watch_time()
            if self._dialer.knows_where:
                self._start(call)
            else:
                self._resolve(call)

    def _resolve(self, call: _Call) -> None:
        call.resolved = True
        self._crew.take(lambda: self._resolved(call))

    def _resolved(self, call: _Call) -> None:
        """In a thread of the crew."""
        try:
            self._dialer.resolve()
        except DbgateError as exc:
            error = exc
            self._splicer.soon(lambda: self._fail(call, error))
        else:
            self._splicer.soon(lambda: self._start(call))

    def _start(self, call: _Call) -> None:
        if call in self._running:  # else its time is over
            call.steps = self._dialer.steps()
            self._go(call, partial(next, call.steps))

    def _go(self, call: _Call, step: Callable[[], Wait]) -> None:
        """Take a step, and wait for what the next one needs."""
        try:
            call.waits, event = step()
        except StopIteration as done:
            self._over(call)
            self._splicer.join(call.local, done.value)
        except DbgateError as exc:
            self._stumble(call, exc)
        else:
            self._splicer.once(call.waits, event, partial(self._go, call, step))

    def _stumble(self, call: _Call, error: DbgateError) -> None:
        """The gateway may have moved since its name was asked for; a second time it has not."""
        if self._dialer.knows_where or call.resolved or time.monotonic() >= call.deadline:
            self._fail(call, error)
        else:
            self._resolve(call)

    def _fail(self, call: _Call, error: DbgateError) -> None:
        if call in self._running:
            self._over(call)
            self._failed(call.local, error)

    def _over(self, call: _Call) -> None:
        self._running.discard(call)
        self._fill()

    def _watch_time(self) -> None:
        """One alarm for all of them: the first is due first."""
        if self._alarm is None:
            due = min(call.deadline for call in self._running)
            self._alarm = threading.Timer(due - time.monotonic(), self._ring)
            self._alarm.daemon = True
            self._alarm.start()

    def _ring(self) -> None:
        """In the alarm's thread."""
        self._splicer.soon(self._expire)

    def _expire(self) -> None:
        self._alarm = None
        now = time.monotonic()
        for call in [call for call in self._running if call.deadline <= now]:
            late = TimeoutError("timed out")
            if call.steps is None or call.waits is None:
                self._fail(call, unreachable("the name of the gateway", late))
            else:
                self._splicer.forget(call.waits)
                self._go(call, partial(call.steps.throw, late))
        if self._running:
            self._watch_time()
