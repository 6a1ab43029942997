"""One tunnel connection, from the CONNECT to the end: a coroutine that owns all it opened.

The order of `try` and `finally` is the order of what must be undone: whatever fails, at whatever
step, the guard is closed once, and the connection detached once, after its backend is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from dbgate_broker.gateway import connect, login, upstream
from dbgate_broker.gateway.keys import Keys
from dbgate_broker.gateway.limits import MAX_HEAD_BYTES, Limits
from dbgate_broker.gateway.overdue import Overdue
from dbgate_broker.gateway.relay import End, Relay, report
from dbgate_broker.gateway.seams import ConnectionFacts, LiveGuard, Tunnel, Tunnels
from dbgate_broker.gateway.upstream import Upstream
from dbgate_broker.gateway.wire import Gone, Wire
from dbgate_broker.telemetry.logs import about
from dbgate_core.errors import DbgateError, Denied, Unreachable
from dbgate_core.pgwire import options
from dbgate_core.pgwire.guard import Refusal
from dbgate_core.pgwire.messages import message, notice, warning
from dbgate_core.pgwire.session import Session, fatal
from dbgate_core.pgwire.startup import (
    Cancel,
    DirectTls,
    Startup,
    backend_key_data,
)

log = logging.getLogger("dbgate.gateway")
_READY: Final = message(b"Z", b"I")
_TERMINATE: Final = message(b"X", b"")
TERMINATED: Final = "session.ended"
"""The code of a connection that was told to end: no failure of anything."""
_NOT_OPEN: Final = "57P03"
OnFailure = Callable[[str, DbgateError], None]
_CANCEL_EVERY_S: Final = 0.5
"""A CancelRequest may come before its statement; so it is repeated until the backend is done."""


def unheard(database: str, exc: DbgateError) -> None:
    """Nobody listens."""


class Connection:
    """A client's connection; `Terminable` once it is attached to its tunnel."""

    def __init__(
        self,
        wire: Wire,
        tunnels: Tunnels,
        keys: Keys,
        limits: Limits,
        on_failure: OnFailure = unheard,
    ) -> None:
        self._client = wire
        self._tunnels = tunnels
        self._keys = keys
        self._limits = limits
        self._on_failure = on_failure
        self._database = ""
        self._relay: Relay | None = None
        self._task: asyncio.Task[None] | None = None
        self._farewell: DbgateError | None = None
        self._warnings: list[bytes] = []
        self._in_http = True

    def start(self) -> asyncio.Task[None]:
        """Begin to serve; the task ends when all is closed."""
        self._client.on_lost = self._lost_early
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self._task

    def terminate(self, sqlstate: str, message: str) -> None:
        """Tell the client why, and close both sides."""
        error = DbgateError(message, sqlstate=sqlstate, code=TERMINATED)
        if self._relay is not None:
            self._relay.fail(error)
        elif self._task is not None and self._farewell is None:
            self._farewell = error
            self._task.cancel()

    def drain(self, sqlstate: str, message: str) -> None:
        """The same, once nothing runs and no transaction is open."""
        if self._relay is None:
            self.terminate(sqlstate, message)
        else:
            self._relay.drain(DbgateError(message, sqlstate=sqlstate, code=TERMINATED))

    def warn(self, message: str, hint: str) -> None:
        """Send a NoticeResponse: between two messages of the server, or after the log-in."""
        said = warning(message, hint)
        if self._relay is not None:
            self._relay.warn(said)
        else:
            self._warnings.append(said)

    def say(self, message: str, hint: str) -> None:
        """Send a NoticeResponse of severity NOTICE, while the relay goes on."""
        if self._relay is not None:
            self._relay.warn(notice(message, hint))

    def abort(self) -> None:
        """Close at once, saying nothing."""
        self._client.abort()
        if self._task is not None:
            self._task.cancel()

    def _lost_early(self) -> None:
        if self._relay is None and self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._serve()
        except Gone:
            pass
        except asyncio.CancelledError:
            if self._farewell is not None:
                self._tell(self._farewell)
        except DbgateError as exc:
            self._tell(exc)
        except Exception as exc:
            self._tell(report(exc))
        finally:
            self._client.close(self._limits.linger_s)

    def _tell(self, exc: DbgateError) -> None:
        self._on_failure(self._database, exc)
        if self._in_http:
            self._client.write(connect.refusal(exc))
        else:
            self._client.write(DirectTls.ALERT if isinstance(exc, DirectTls) else fatal(exc))

    async def _serve(self) -> None:
        try:
            async with asyncio.timeout(self._limits.opening_s):
                tunnel = await self._connect()
                packet = await login.first_packet(self._client)
                if isinstance(packet, Startup):
                    await login.log_in(self._client, packet, tunnel)
        except TimeoutError as exc:
            raise Unreachable("the log-in took too long", sqlstate="08006") from exc
        if isinstance(packet, Cancel):
            await self._cancel_other(tunnel, packet)
        else:
            await self._attached(tunnel, packet)

    async def _connect(self) -> Tunnel:
        """The CONNECT, checked by the tunnels; its 200 is sent."""
        head = await self._client.read_until(connect.HEAD_END, MAX_HEAD_BYTES)
        asked = connect.parse(head)
        tunnel = await self._tunnels.authorize(asked.database, asked.session_id, asked.token)
        self._database = tunnel.database.name
        self._client.write(connect.ESTABLISHED)
        self._in_http = False
        return tunnel

    async def _cancel_other(self, tunnel: Tunnel, packet: Cancel) -> None:
        """A CancelRequest has no answer: the client learns by the end of the connection."""
        cancel = self._keys.find(tunnel.session_id, packet.pid, packet.secret)
        if cancel is not None:
            await cancel()

    async def _attached(self, tunnel: Tunnel, asked: Startup) -> None:
        try:
            number = tunnel.attach(self)
        except Denied as exc:
            raise Denied(exc.message, hint=exc.hint, rule=exc.rule, sqlstate=_NOT_OPEN) from exc
        about.set({"session": tunnel.session_id, "connection": number})
        try:
            await self._guarded(tunnel, asked, number)
        finally:
            tunnel.detach(number)

    async def _guarded(self, tunnel: Tunnel, asked: Startup, number: int) -> None:
        facts = ConnectionFacts(number, asked.parameters, self._client.peer)
        try:
            async with asyncio.timeout(self._limits.upstream_s) as deadline:
                guard = await tunnel.guard(facts)
                try:
                    _demand_settings(guard, asked)
                    server = await self._dial(tunnel, asked)
                    deadline.reschedule(None)
                    if "search_path" in asked.parameters:  # old servers do not report it
                        guard.parameter("search_path", asked.parameters["search_path"])
                    await self._joined(tunnel, guard, server, asked.key_bytes)
                finally:
                    guard.closed()
        except TimeoutError as exc:
            raise Unreachable(
                f"the database {tunnel.database.name} did not answer in time"
            ) from exc

    async def _dial(self, tunnel: Tunnel, asked: Startup) -> Upstream:
        credentials = await tunnel.credentials()
        async with asyncio.timeout(self._limits.dial_s):
            return await upstream.dial(tunnel.database, credentials, asked.parameters)

    async def _joined(
        self, tunnel: Tunnel, guard: LiveGuard, server: Upstream, key_bytes: int
    ) -> None:
        session = Session(guard)
        canceller = _Canceller(tunnel, server, self._limits.cancel_s)
        relay = Relay(
            session,
            self._client,
            server.wire,
            lambda: self._refresh(tunnel, guard),
            lambda hold, locks: tunnel.decide(guard, hold, in_transaction=locks, tell=self.say),
        )
        if tunnel.timeout_s is not None:
            relay.overdue = Overdue(tunnel.timeout_s, session, canceller.once, self.say)
        cancel = partial(_cancel, relay, canceller)
        secret = self._keys.issue(tunnel.session_id, cancel, server.pid, key_bytes)
        try:
            self._greet(session, server, secret)
            self._relay = relay
            relay.start()
            for waiting in self._warnings:
                relay.warn(waiting)
            end = await relay.done
            await relay.undone()
            self._say_goodbye(relay)
            await self._wind_down(session, server.wire, canceller, end)
        finally:
            self._keys.withdraw(server.pid, secret)
            server.wire.abort()
            self._abandon(session)

    def _greet(self, session: Session, server: Upstream, secret: bytes) -> None:
        parts = []
        for name, value in server.parameters:
            session.guard.parameter(name, value)
            parts.append(message(b"S", f"{name}\0{value}\0".encode()))
        server.parameters.clear()  # of every idle connection they would take 2.5 KB
        self._client.write(b"".join([*parts, backend_key_data(server.pid, secret), _READY]))

    async def _refresh(self, tunnel: Tunnel, guard: LiveGuard) -> None:
        try:
            async with asyncio.timeout(self._limits.refresh_s):
                await tunnel.refresh(guard)
        except TimeoutError as exc:
            raise Unreachable("the catalog could not be read in time", hint="try again") from exc

    def _say_goodbye(self, relay: Relay) -> None:
        """The last message, where a message may stand; in the midst of a row there is no room."""
        if relay.error is not None:
            self._on_failure(self._database, relay.error)
        if relay.error is not None and not relay.session.cuts_server_message:
            self._client.write(fatal(relay.error))
        self._client.close(self._limits.linger_s)

    async def _wind_down(
        self, session: Session, server: Wire, canceller: _Canceller, end: End
    ) -> None:
        """Leave nothing running: cancel until the backend ends, for a bounded time."""
        gone = asyncio.Event()
        server.on_lost = gone.set
        if server.lost:
            return
        owed = not session.drained
        if session.cuts_client_message or session.pending.copying_in:
            server.abort()  # the end of the stream ends a COPY; a Terminate would be data of it
        elif end is not End.TERMINATED:
            server.write(_TERMINATE)
        if not owed:
            server.close(self._limits.linger_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.wind_down_s):
                if owed and end is End.TERMINATED:
                    await _within(gone, self._limits.wind_down_s / 2)
                while owed and not gone.is_set():
                    await canceller.once()
                    await _within(gone, _CANCEL_EVERY_S)

    def _abandon(self, session: Session) -> None:
        try:
            session.abort()
        except DbgateError as exc:
            log.error("the end of a statement could not be recorded: %s", exc.code)


class _Canceller:
    """Sends the real CancelRequest of one backend; errors are logged, nothing waits for them."""

    def __init__(self, tunnel: Tunnel, server: Upstream, limit_s: float) -> None:
        self._tunnel = tunnel
        self._server = server
        self._limit_s = limit_s

    async def once(self) -> None:
        """Send one; return when the server took note, or the deadline passed."""
        try:
            async with asyncio.timeout(self._limit_s):
                await upstream.cancel(self._tunnel.database, self._server.pid, self._server.secret)
        except (DbgateError, OSError) as exc:
            log.warning(
                "a CancelRequest did not reach %s: %s",
                self._tunnel.database.name,
                type(exc).__name__,
            )


async def _cancel(relay: Relay, canceller: _Canceller) -> None:
    """What a CancelRequest asks for: the end of the client's wait, or else of what the server runs."""
    if not relay.cancel():
        await canceller.once()


def _demand_settings(guard: LiveGuard, asked: Startup) -> None:
    """Each setting is judged as the SET that does the same. Raises Denied."""
    for name, value in asked.parameters.items():
        verdict = guard.admit(options.as_statement(name, value))
        if isinstance(verdict, Refusal):
            raise Denied(
                verdict.message, hint=verdict.hint, rule=verdict.rule, sqlstate=verdict.sqlstate
            )


async def _within(event: asyncio.Event, limit_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()
