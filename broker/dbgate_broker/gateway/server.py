"""The gateway: a TLS listener whose connections are tunnels to databases."""

from __future__ import annotations

import asyncio
import ssl

from dbgate_broker.gateway import connect
from dbgate_broker.gateway.connection import Connection, OnFailure, unheard
from dbgate_broker.gateway.keys import Keys
from dbgate_broker.gateway.limits import Limits
from dbgate_broker.gateway.seams import Tunnels
from dbgate_broker.gateway.wire import Wire, set_options
from dbgate_core.errors import Unreachable

ADMIN_SHUTDOWN = "57P01"


class Gateway:
    """The data plane of one broker. `tls` is the server's context; TLS 1.2 is the least it speaks."""

    def __init__(
        self,
        tunnels: Tunnels,
        tls: ssl.SSLContext,
        *,
        limits: Limits | None = None,
        on_failure: OnFailure = unheard,
    ) -> None:
        """`on_failure` hears of each connection that an error ends: its database, if known, and why."""
        self._tunnels = tunnels
        self._tls = tls
        self._limits = limits or Limits()
        self._on_failure = on_failure
        self._keys = Keys()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}
        tls.minimum_version = max(tls.minimum_version, ssl.TLSVersion.TLSv1_2)
        tls.options |= ssl.OP_NO_RENEGOTIATION

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    @property
    def most_connections(self) -> int:
        """How many there may be."""
        return self._limits.connections

    async def start(self, host: str, port: int) -> int:
        """Listen; give the bound port. Raises Unreachable when it is taken."""
        half_s = self._limits.opening_s / 2  # the other half is for what follows the handshake
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Wire(self._accept),
                host,
                port,
                ssl=self._tls,
                ssl_handshake_timeout=half_s,
                ssl_shutdown_timeout=self._limits.linger_s,
                backlog=1024,
            )
        except OSError as exc:
            raise Unreachable(
                f"the gateway cannot listen on {host}:{port}: {exc.strerror or exc}",
                hint="another gateway_port, or stop what listens there",
            ) from exc
        for listener in self._server.sockets:
            set_options(listener)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening, tell every client 57P01, and close; what is slow is cut off."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.values()):
            connection.terminate(ADMIN_SHUTDOWN, "the broker is shutting down")
        if self._connections:
            await asyncio.wait(self._connections, timeout=self._limits.stop_s)
        for connection in list(self._connections.values()):
            connection.abort()
        if self._connections:
            await asyncio.wait(self._connections, timeout=0.3)

    def _accept(self, wire: Wire) -> None:
        if len(self._connections) >= self._limits.connections:
            full = Unreachable(
                "the gateway has no room for more connections", hint="try again soon"
            )
            self._on_failure("", full)
            wire.write(connect.refusal(full))
            wire.close(self._limits.linger_s)
            return
        connection = Connection(wire, self._tunnels, self._keys, self._limits, self._on_failure)
        task = connection.start()
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)
