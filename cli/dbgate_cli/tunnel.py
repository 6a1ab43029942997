"""The local end of a tunnel: a loopback listener whose connections are spliced to the gateway.

Each local connection gets its own TLS connection and its own CONNECT, so a CancelRequest, which
comes on a connection of its own, needs nothing special. What a client says before the gateway has
answered waits in its socket. The listener is open to every user of the machine; the session's
one-time password, asked for by the gateway, is what protects it.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Final

from dbgate_cli import descriptors
from dbgate_cli.calls import Calls
from dbgate_cli.crew import Crew
from dbgate_cli.dialing import Dialer
from dbgate_cli.proxy import Target
from dbgate_cli.refusing import refuse
from dbgate_cli.splice import End, Splicer, hang_up
from dbgate_core.errors import DbgateError, LimitExceeded, Unreachable

HOST: Final = "127.0.0.1"
FIRST_PORT: Final = 15000
PORTS: Final = 5000
"""Ports 15000-19999: below Linux's ephemeral range, so they are rarely taken by chance."""
TRIES: Final = 50
BACKLOG: Final = 1024
"""Clients that the system lets connect before they are accepted."""
MAX_CONNECTIONS: Final = 4096
"""Local connections at once; the next one is told so. The broker lets a session have fewer."""
FILES_EACH: Final = 2
"""Descriptors of a connection: the client's socket and the gateway's."""
FULL_S: Final = 1.0
"""How long nobody is accepted when the system has no descriptor left."""


def stable_port(database: str) -> int:
    """The port that a database's tunnels try first, the same on every machine and day."""
    digest = hashlib.sha256(database.encode()).digest()
    return FIRST_PORT + int.from_bytes(digest[:4]) % PORTS


class Tunnel:
    """A listener on loopback that leads to one session's database. It lives in threads of its own.

    `suspect` is called, in any of them, when the gateway refuses or drops a connection: the session
    may be over.
    """

    def __init__(
        self, target: Target, tls: ssl.SSLContext, suspect: Callable[[], None] = lambda: None
    ) -> None:
        self._target = target
        self._dialer = Dialer(target, tls)
        self._suspect = suspect
        self._listener: socket.socket | None = None
        self._splicer = Splicer(self._ended)
        self._crew = Crew()
        self._calls = Calls(self._dialer, self._splicer, self._crew, self._failed)
        self._lock = threading.Lock()
        self._connections = 0

    @property
    def connections(self) -> int:
        """How many local connections there are."""
        return self._connections

    def listen(self, port: int = 0) -> int:
        """Listen; give the port. 0: the database's stable port, else the next free one.

        Raises Unreachable when the wished port is taken.
        """
        if port:
            return self.listen_on(port)
        start = stable_port(self._target.database)
        for step in range(TRIES):
            with contextlib.suppress(Unreachable):
                return self.listen_on(FIRST_PORT + (start - FIRST_PORT + step) % PORTS)
        return self.listen_on(0)

    def listen_on(self, port: int) -> int:
        """Listen on exactly this port, 0 for any free one; give it. Raises Unreachable."""
        try:
            listener = socket.create_server((HOST, port), backlog=BACKLOG)
        except OSError as exc:
            raise Unreachable(
                f"cannot listen on {HOST}:{port}: {exc.strerror or exc}",
                hint="leave --port out for a free one",
            ) from exc
        listener.setblocking(False)
        self._listener = listener
        self._splicer.listen(listener, lambda: self._accept(listener))
        bound: int = listener.getsockname()[1]
        return bound

    def close(self) -> None:
        """Stop listening and end every connection at once."""
        self._splicer.stop()
        self._calls.close()
        if self._listener is not None:
            self._listener.close()

    def knock(self) -> None:
        """Show the gateway the session's token, and hang up. Raises what the gateway refuses with."""
        hang_up(self._dialer.dial())

    def _accept(self, listener: socket.socket) -> None:
        """Take one client, and have the gateway dialed for it, or it told why not."""
        try:
            local, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no descriptor is left, here or in the system
            self._splicer.rest(listener, FULL_S)
            return
        with self._lock:
            self._connections += 1
            count = self._connections
        full = _full(count)
        if full is None:
            self._calls.take(local)
        else:
            self._crew.take(lambda: self._refuse(local, full))

    def _failed(self, local: socket.socket, error: DbgateError) -> None:
        """The gateway was not to be had: tell the client why."""
        self._crew.take(lambda: self._refuse(local, error))
        self._suspect()

    def _refuse(self, local: socket.socket, error: DbgateError) -> None:
        refuse(local, error)
        self._left()

    def _ended(self, end: End) -> None:
        """Forget a client that is gone. A splice that the gateway ended may mean more."""
        self._left()
        if end.far:
            self._suspect()

    def _left(self) -> None:
        with self._lock:
            self._connections -= 1


def most_connections() -> int:
    """How many connections a tunnel of this process can have at once."""
    files = descriptors.most()
    return MAX_CONNECTIONS if files is None else min(MAX_CONNECTIONS, files // FILES_EACH)


def _full(count: int) -> LimitExceeded | None:
    """Why there may not be so many connections; None while there may."""
    if count > MAX_CONNECTIONS:
        return LimitExceeded(
            f"this tunnel has {MAX_CONNECTIONS} connections already", sqlstate="53300"
        )
    limit = descriptors.make_room(count * FILES_EACH)
    if limit is None:
        return None
    return LimitExceeded(
        f"this tunnel has {count - 1} connections already, and may open no more than {limit} files",
        hint="raise the hard limit of open files before dbgate starts (ulimit -Hn)",
        sqlstate="53300",
    )
