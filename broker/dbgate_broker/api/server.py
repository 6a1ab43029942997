"""The API's listener: uvicorn within the running loop, over TLS, with every wait bounded."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from dbgate_broker.api.calls import Calls
from dbgate_core.errors import DbgateError, UsageError

HANDSHAKE_S: Final = 10.0
FAREWELL_S: Final = 0.3
"""For a client's part of the end of TLS; a silent one does not keep its connection by it."""
HEAD_S: Final = 10.0
"""For a request line and its headers; also for what comes after an answer has been given."""
KEEP_ALIVE_S: Final = 60
MAX_HEAD_BYTES: Final = 32 * 1024
"""Twice the largest token."""
MAX_CONNECTIONS: Final = 1024
GRACE_S: Final = 1
"""How long calls may go on when the broker stops; long polls end at once."""
LAST_S: Final = 0.5
"""For the answers of what was ended then."""


class ApiServer:
    """Serves one application on one address. TLS 1.2 is the least that is spoken."""

    def __init__(self, app: Starlette, tls: ssl.SSLContext | None) -> None:
        """`tls` None is for tests: the API is never served in the clear by a broker."""
        if tls is not None and tls.minimum_version < ssl.TLSVersion.TLSv1_2:
            tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._calls: Calls = app.state.calls
        config = uvicorn.Config(
            app, http=HurriedProtocol, ws="none", lifespan="off", interface="asgi3", log_config=None, log_level="warning",
            access_log=False, proxy_headers=False, server_header=False, loop="none",
            timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=GRACE_S,
            limit_concurrency=MAX_CONNECTIONS, h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        )  # fmt: skip
        self._server = _Server(config, tls)
        self._serving: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; give the port (a free one for 0). Raises UsageError when it cannot be had."""
        try:
            listener = socket.create_server((host, port), family=_family(host), backlog=1024)
        except OSError as exc:
            raise UsageError(
                f"cannot listen on {host}:{port}: {exc.strerror or exc}",
                hint="is another broker running? choose another `api_port`",
            ) from exc
        listener.setblocking(False)
        self._serving = asyncio.create_task(self._server.serve([listener]))
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._serving.done():
            listener.close()
            raise DbgateError("the API did not start") from self._serving.exception()
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Take no more, end long polls at once and the rest within 2 s; every call is answered."""
        if self._serving is None:
            return
        self._calls.stop()
        self._server.should_exit = True
        await self._serving
        self._serving = None
        state = self._server.server_state
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=LAST_S)
        for connection in list(state.connections):
            connection.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn's server, without its signal handlers, and with a bounded TLS handshake."""

    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._tls = tls

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the broker's business."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the given sockets."""
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {}
        if self._tls is not None:
            options = {"ssl": self._tls, "ssl_handshake_timeout": HANDSHAKE_S,
                       "ssl_shutdown_timeout": FAREWELL_S}  # fmt: skip
        self.servers = [
            await loop.create_server(self._connection, sock=sock, **options)
            for sock in sockets or []
        ]
        self.started = True
        self.listening.set()

    def _connection(self) -> asyncio.Protocol:
        return HurriedProtocol(self.config, self.server_state, {})


class HurriedProtocol(H11Protocol):
    """A connection that is closed when a request's head takes too long, from the first byte on."""

    _hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        super().connection_lost(exc)
        self._calm()

    def _watch(self) -> None:
        """While no request is being answered, the clock runs; more bytes do not set it back."""
        cycle: Any = self.cycle  # None until the first request, whatever its annotation says
        answering = cycle is not None and not cycle.response_complete
        if answering:
            self._calm()
        elif self._hurry is None:
            self._hurry = self.loop.call_later(HEAD_S, self.transport.abort)

    def on_response_complete(self) -> None:
        """An answer is out: uvicorn's own limit for idle connections counts from here."""
        super().on_response_complete()
        self._calm()

    def _calm(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
