"""The relay: both legs joined by a wire session. It reads, steps, writes, and notices the end.

Whatever is read at once is judged at once and written at once. When a leg has more unsent than its
mark, the other leg is not read. While the session is held, for a fresh catalog or for somebody's
leave, the client is read on up to a bound, so that its end is noticed.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from enum import Enum

from dbgate_broker.gateway.limits import HIGH_WATER_BYTES, MAX_READINGS
from dbgate_broker.gateway.overdue import Overdue
from dbgate_broker.gateway.wire import Pause, Wire
from dbgate_core.errors import DbgateError, Unreachable
from dbgate_core.holds import BY_USER
from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.pgwire.session import Session

Decide = Callable[[Hold, bool], Awaitable[Refusal | None]]
"""Waits for somebody's leave; told whether a transaction is open meanwhile. None: judge anew."""

_ASIDE = ThreadPoolExecutor(1, "judge")
"""Where texts are judged that take long: one at a time, so that they wait for each other alone."""

log = logging.getLogger("dbgate.gateway")


class End(Enum):
    """How a relay ended."""

    TERMINATED = "the client said Terminate"
    CLIENT_GONE = "the client is gone"
    SERVER_GONE = "the server closed the connection"
    FAILED = "it could not go on"


def report(exc: BaseException) -> DbgateError:
    """Log an unexpected error by its type and place, without its text; what the client is told."""
    frames = traceback.extract_tb(exc.__traceback__)
    where = " < ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in reversed(frames[-6:]))
    log.error("unexpected %s at %s", type(exc).__name__, where)
    return DbgateError("an internal error of dbgate ended the connection", hint="see its log")


class Relay:
    """Joins a client and a server. `done` gives how it ended; `error` is what the client is told."""

    def __init__(
        self,
        session: Session,
        client: Wire,
        server: Wire,
        refresh: Callable[[], Awaitable[None]],
        decide: Decide,
    ) -> None:
        self.session = session
        self.done: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self.error: DbgateError | None = None
        self._client = client
        self._server = server
        self._refresh = refresh
        self._decide = decide
        self._waiting: asyncio.Task[None] | None = None
        self._deciding: asyncio.Future[Refusal | None] | None = None
        self._last: DbgateError | None = None
        self.overdue: Overdue | None = None
        self._context = copy_context()

    def start(self) -> None:
        """Take over both legs."""
        self._client.on_lost = self._client_lost
        self._server.on_lost = self._server_lost
        self._client.on_pressure = lambda full: self._pressure(self._server, full)
        self._server.on_pressure = lambda full: self._pressure(self._client, full)
        if self._server.lost:
            self._server_lost()
        if self._client.lost:
            self._client_lost()
        if self.overdue is None:  # who watches what runs has to see each step
            lane = self.session.lane
            self._client.through(lane, True, self._server.write, self._broken)
            self._server.through(lane, False, self._client.write, self._broken)
        self._server.hand_over(self.from_server)
        self._client.hand_over(self.from_client)

    def fail(self, error: DbgateError) -> None:
        """End, and tell the client why."""
        if not self.done.done():
            self.error = error
            self._finish(End.FAILED)

    def drain(self, error: DbgateError) -> None:
        """End as by `fail`, as soon as nothing runs and no transaction is open."""
        self._last = error
        self._leave_lane()
        self._end_at_rest(error)

    def _leave_lane(self) -> None:
        self._client.past()
        self._server.past()

    def _end_at_rest(self, error: DbgateError) -> None:
        if self.session.drained and self.session.transaction_status == "I":
            self.fail(error)

    def warn(self, notice: bytes) -> None:
        """Send the client a NoticeResponse as soon as one may stand in its stream."""
        if not self.done.done():
            self.session.interject(notice)
            self._send_rest()

    def cancel(self) -> bool:
        """End the wait for somebody's leave, as its client asks; False when there is none."""
        return self._deciding is not None and self._deciding.cancel()

    async def undone(self) -> None:
        """Once it has ended: until nothing of a wait goes on."""
        if self._waiting is not None:
            await asyncio.gather(self._waiting, return_exceptions=True)

    def from_client(self, data: bytes) -> None:
        """Judge and forward what the client sent."""
        if self.done.done():
            return
        session = self.session
        try:
            session.receive_client(data)
        except Exception as exc:
            self._broken(exc)
            return
        out = session.take_for_server()
        if out:
            self._server.write(out)
        if self.overdue is not None:
            self.overdue.look()
        if session.held:
            self._hold()
        elif session.terminated:
            self._finish(End.TERMINATED)

    def from_server(self, data: bytes) -> None:
        """Mask and forward what the server sent."""
        if self.done.done():
            return
        session = self.session
        try:
            session.receive_server(data)
        except Exception as exc:
            self._send_rest()
            self._broken(exc)
            return
        out = session.take_for_client()
        if out:
            self._client.write(out)
        if self.overdue is not None:
            self.overdue.look()
        if self._last is not None:
            self._end_at_rest(self._last)
        if session.acted:
            session.acted = False
            self.from_client(b"")
        if session.held:
            self._hold()

    def _send_rest(self) -> None:
        out = self.session.take_for_client()
        if out:
            self._client.write(out)

    def _hold(self) -> None:
        """Once the server owes nothing, wait for what is due; meanwhile bound what waits with it."""
        if self.session.held_bytes > HIGH_WATER_BYTES:
            self._client.pause(Pause.AHEAD)
        if self._waiting is None and self.session.drained:
            self._waiting = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        """For a long judgement, for leave, where that is due, and always for a fresh catalog; then go on."""
        try:
            if self.session.aside is not None:
                await asyncio.get_running_loop().run_in_executor(_ASIDE, self.session.aside)
            hold = self.session.asks
            answer = None if hold is None else await self._decided(hold)
            await self._until_fresh()
            self._waiting = None
            if not self.done.done():
                self.session.resume(answer)
        except Exception as exc:
            self._broken(exc)
            return
        self._client.resume(Pause.AHEAD)
        self.from_client(b"")

    async def _decided(self, hold: Hold) -> Refusal | None:
        work = self._decide(hold, self.session.in_transaction)
        self._deciding = asyncio.ensure_future(work)
        try:
            return await self._deciding
        except asyncio.CancelledError:
            if self.done.done():
                raise
            return BY_USER
        finally:
            self._deciding = None

    async def _until_fresh(self) -> None:
        """Read the catalog; again while other connections change the schema meanwhile."""
        for _ in range(MAX_READINGS):
            await self._refresh()
            if not self.session.guard.stale:
                return
        raise Unreachable(
            "the schema changes faster than it can be read", hint="try again when that is over"
        )

    def _broken(self, exc: Exception) -> None:
        error = exc if isinstance(exc, DbgateError) else self._context.run(report, exc)
        self.fail(error)

    def _client_lost(self) -> None:
        self._finish(End.CLIENT_GONE)

    def _server_lost(self) -> None:
        if self.done.done():
            return
        if not self.session.server_ended:
            self.error = Unreachable("the database closed the connection", hint="connect again")
        self._finish(End.SERVER_GONE)

    def _pressure(self, other: Wire, full: bool) -> None:
        if full:
            other.pause(Pause.FULL)
        else:
            other.resume(Pause.FULL)

    def _finish(self, end: End) -> None:
        if self.done.done():
            return
        self.done.set_result(end)
        self._leave_lane()
        if self.overdue is not None:
            self.overdue.stop()
        if self._waiting is not None:
            self._waiting.cancel()
        self._server.resume(Pause.FULL)
