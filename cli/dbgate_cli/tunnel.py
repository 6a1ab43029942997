"""The local end of a tunnel: a loopback listener whose connections are spliced to the gateway.

Each local connection gets its own TLS connection and its own CONNECT, so a CancelRequest, which
comes on a connection of its own, needs nothing special. Nothing is parsed: after the gateway's
200 there are PostgreSQL's bytes and nothing else. The listener is open to every user of the
machine; the session's one-time password, asked for by the gateway, is what protects it.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable
from typing import Final, cast

from dbgate_cli.client import problem_error
from dbgate_cli.http import unreachable
from dbgate_cli.pgmessages import error_response
from dbgate_cli.proxy import Answer, AnswerReader, Target
from dbgate_core.errors import DbgateError, ProtocolViolation, Unreachable

HOST: Final = "127.0.0.1"
FIRST_PORT: Final = 15000
PORTS: Final = 5000
"""Ports 15000-19999: below Linux's ephemeral range, so they are rarely taken by chance."""
TRIES: Final = 50
MAX_CONNECTIONS: Final = 200
"""Local connections at once; the next one is told so. Beyond what a client's pool needs."""
DIAL_TIMEOUT_S: Final = 10.0
HIGH_WATER_BYTES: Final = 256 * 1024
"""What one direction may hold when its reader is slow; then its sender is not read any more."""
READ_BYTES: Final = 64 * 1024
"""The most that one read takes."""


def stable_port(database: str) -> int:
    """The port that a database's tunnels try first, the same on every machine and day."""
    digest = hashlib.sha256(database.encode()).digest()
    return FIRST_PORT + int.from_bytes(digest[:4]) % PORTS


class Half(asyncio.BufferedProtocol):
    """One side of a splice: what it reads, its peer writes; when its peer is full, it waits.

    All halves read into their tunnel's one buffer: between get_buffer and buffer_updated none other
    reads. For a plain Protocol each read over TLS makes a bytes object of 256 KiB first.
    """

    def __init__(self, buffer: memoryview) -> None:
        self._buffer = buffer
        self.transport: asyncio.Transport | None = None
        self.peer: Half | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; small messages go out at once (TCP_NODELAY)."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next read goes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take a copy of what was read."""
        self.received(self._buffer[:nbytes].tobytes())

    def received(self, data: bytes) -> None:
        """Hand on, as it came. Bytes that nobody is there for end the connection."""
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.write(data)
        elif self.transport is not None:
            self.transport.abort()

    def pause_writing(self) -> None:
        """Our reader is slow: stop reading from the other side."""
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        """Our reader caught up."""
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other side when what it still has to write is written."""
        self.transport = None
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()


class Gateway(Half):
    """The far side: sends the CONNECT, reads its answer, then splices."""

    def __init__(self, buffer: memoryview, head: bytes, answer: asyncio.Future[Answer]) -> None:
        super().__init__(buffer)
        self._head = head
        self._answer = answer
        self._reader = AnswerReader()
        self._answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the tunnel."""
        super().connection_made(transport)
        if self.transport is not None:
            self.transport.write(self._head)

    def received(self, data: bytes) -> None:
        """Read the answer; after it, hand on."""
        if self._answered:
            super().received(data)
        else:
            self._read(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Before the answer this is a refusal, after it the end of the splice."""
        if not self._answered:
            self._read(b"", end=True)
        super().connection_lost(exc)

    def _read(self, data: bytes, *, end: bool = False) -> None:
        try:
            answer = self._reader.feed(data, end=end)
        except ProtocolViolation as exc:
            self._answered = True
            if not self._answer.done():
                self._answer.set_exception(exc)
            if self.transport is not None:
                self.transport.abort()
            return
        if answer is None:
            return
        self._answered = True
        if self.transport is not None:
            self.transport.pause_reading()
        if not self._answer.done():
            self._answer.set_result(answer)


class Local(Half):
    """The near side: a client of ours."""

    def __init__(self, tunnel: Tunnel, buffer: memoryview) -> None:
        super().__init__(buffer)
        self._tunnel = tunnel
        self._early = bytearray()
        self._dial: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Dial the gateway."""
        super().connection_made(transport)
        self._dial = asyncio.get_running_loop().create_task(self._tunnel.connect(self))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop dialing, or close the splice."""
        super().connection_lost(exc)
        if self._dial is not None and self.peer is None:
            self._dial.cancel()
        self._tunnel.lost(self)

    def received(self, data: bytes) -> None:
        """Hand on; what comes before there is a peer is held, and no more of it is read.

        Reading is paused here and not in connection_made: a loop may begin to read after it.
        """
        if self.peer is not None:
            super().received(data)
            return
        self._early += data
        if self.transport is not None:
            self.transport.pause_reading()

    def splice(self, gateway: Gateway, first: bytes) -> None:
        """Join both sides; each gets what the other said early."""
        self.peer, gateway.peer = gateway, self
        if self.transport is None or gateway.transport is None:
            for half in (self, gateway):
                if half.transport is not None:
                    half.transport.close()
            return
        if first:
            self.transport.write(first)
        if self._early:
            gateway.transport.write(bytes(self._early))
            self._early.clear()
        gateway.transport.resume_reading()
        self.transport.resume_reading()

    def refuse(self, error: DbgateError) -> None:
        """Say why there is no connection, as a server would, and hang up."""
        if self.transport is not None:
            self.transport.write(error_response(error.sqlstate, error.message, error.hint))
            self.transport.close()


class Tunnel:
    """A listener on loopback that leads to one session's database.

    `suspect` is called when the gateway refuses or drops a connection: the session may be over.
    """

    def __init__(
        self, target: Target, tls: ssl.SSLContext, suspect: Callable[[], None] = lambda: None
    ) -> None:
        self._target = target
        self._tls = tls
        self._suspect = suspect
        self._server: asyncio.Server | None = None
        self._locals: set[Local] = set()
        self._buffer = memoryview(bytearray(READ_BYTES))

    @property
    def connections(self) -> int:
        """How many local connections there are."""
        return len(self._locals)

    async def listen(self, port: int = 0) -> int:
        """Listen; give the port. 0: the database's stable port, else the next free one.

        Raises UsageError when the wished port is taken.
        """
        if port:
            return await self._listen_on(port)
        start = stable_port(self._target.database)
        for step in range(TRIES):
            try:
                return await self._listen_on(FIRST_PORT + (start - FIRST_PORT + step) % PORTS)
            except Unreachable:
                continue
        return await self._listen_on(0)

    async def _listen_on(self, port: int) -> int:
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Local(self, self._buffer), HOST, port, backlog=128
            )
        except OSError as exc:
            raise Unreachable(
                f"cannot listen on {HOST}:{port}: {exc.strerror or exc}",
                hint="leave --port out for a free one",
            ) from exc
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening and end every connection at once."""
        if self._server is not None:
            self._server.close()
        for local in list(self._locals):
            for half in (local, local.peer):
                if half is not None and half.transport is not None:
                    half.transport.abort()

    async def knock(self) -> None:
        """Show the gateway the session's token, and hang up. Raises what the gateway refuses with."""
        gateway, _ = await self._dial()
        _abort(gateway)

    async def connect(self, local: Local) -> None:
        """Dial the gateway for a client, and splice, or tell the client why not."""
        self._locals.add(local)
        if len(self._locals) > MAX_CONNECTIONS:
            local.refuse(
                DbgateError(
                    f"this tunnel has {MAX_CONNECTIONS} connections already", sqlstate="53300"
                )
            )
            return
        try:
            gateway, first = await self._dial()
        except DbgateError as exc:
            local.refuse(exc)
            self._suspect()
            return
        local.splice(gateway, first)

    async def _dial(self) -> tuple[Gateway, bytes]:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()
        head = self._target.head()
        gateway: Gateway | None = None
        try:
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                _, gateway = await loop.create_connection(
                    lambda: Gateway(self._buffer, head, answered),
                    self._target.host,
                    self._target.port,
                    ssl=self._tls,
                    server_hostname=self._target.host,
                )
                answer = await answered
        except OSError as exc:  # TimeoutError and ssl.SSLError are OSErrors too
            _abort(gateway)
            where = f"the gateway at {self._target.host}:{self._target.port}"
            raise unreachable(where, exc) from exc
        except BaseException:
            _abort(gateway)
            raise
        if answer.status != 200:
            _abort(gateway)
            raise problem_error(answer.status, answer.rest)
        return gateway, answer.rest

    def lost(self, local: Local) -> None:
        """Forget a client that is gone. A splice that the gateway ended may mean more."""
        self._locals.discard(local)
        if local.peer is not None and local.peer.transport is None:
            self._suspect()


def _abort(gateway: Gateway | None) -> None:
    if gateway is not None and gateway.transport is not None:
        gateway.transport.abort()
