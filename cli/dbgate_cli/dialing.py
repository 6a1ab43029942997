"""Dialing the gateway: TCP, TLS, CONNECT and its answer, in steps that never wait.

Whoever dials waits for what a step needs: `Dialer.dial` for one connection, `calls.Calls` for many.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Final, TypeVar

from dbgate_cli.client import problem_error
from dbgate_cli.http import unreachable
from dbgate_cli.proxy import Answer, AnswerReader, Target
from dbgate_cli.splice import IN, OUT
from dbgate_core.errors import ProtocolViolation

TIMEOUT_S: Final = 10.0
"""For all of it."""
_UNDER_WAY: Final = (errno.EINPROGRESS, errno.EALREADY)

_T = TypeVar("_T")
Wait = tuple[socket.socket, int]
"""A socket, and the event that it waits for."""
Steps = Generator[Wait, None, ssl.SSLSocket]
"""Goes on when the event has come; returns the connection, past the gateway's 200. Raises
Unreachable, ProtocolViolation, or what the gateway refuses with. TimeoutError may be thrown in."""


class Dialer:
    """Dials one session's gateway, from any thread.

    TLS sessions are resumed (RFC 8446, section 2.2): a later dial of the same process shows what the
    first one got when it verified the certificate, and both ends save a signature and its check.
    A gateway that does not take it does a whole handshake, with the certificate verified again.
    """

    def __init__(self, target: Target, tls: ssl.SSLContext) -> None:
        self._target = target
        self._tls = tls
        self._where = f"the gateway at {target.host}:{target.port}"
        self._resumable: ssl.SSLSession | None = None
        self._addresses: list[tuple[int, Any]] = []
        self.knows_where = False
        """Whether the gateway's addresses are known, and no dial failed since."""

    def resolve(self) -> None:
        """Ask for the gateway's addresses; this may wait. Raises Unreachable."""
        target = self._target
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except OSError as exc:
            raise unreachable(self._where, exc) from exc
        self._addresses = [(int(family), address) for family, _, _, _, address in found]
        self.knows_where = True

    def dial(self) -> ssl.SSLSocket:
        """Open one tunnel connection; wait for it. The caller closes it. Raises as `Steps`."""
        deadline = time.monotonic() + TIMEOUT_S
        self.resolve()
        steps = self.steps()
        try:
            sock, event = next(steps)
            while True:
                left = deadline - time.monotonic()
                if left > 0 and _happens(sock, event, left):
                    sock, event = next(steps)
                else:
                    steps.throw(TimeoutError("timed out"))
        except StopIteration as done:
            connection: ssl.SSLSocket = done.value
        connection.settimeout(TIMEOUT_S)
        return connection

    def steps(self) -> Steps:
        """Open one tunnel connection, at the addresses that are known."""
        try:
            connection = yield from self._secured((yield from self._reached()))
            try:
                yield from self._granted(connection)
            except BaseException:
                connection.close()
                raise
        except OSError as exc:  # TimeoutError and ssl.SSLError are OSErrors too
            self.knows_where = False
            raise unreachable(self._where, exc) from exc
        if not connection.session_reused:  # reading it costs as much as a signature
            self._resumable = connection.session
        return connection

    def _reached(self) -> Generator[Wait, None, socket.socket]:
        """A TCP connection to the first address that takes one."""
        failed = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        for family, address in self._addresses:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                yield from _connected(sock, address)
                return sock
            except TimeoutError:
                sock.close()
                raise
            except OSError as exc:
                sock.close()
                failed = exc
            except BaseException:
                sock.close()
                raise
        raise failed

    def _secured(self, plain: socket.socket) -> Steps:
        try:
            connection = self._tls.wrap_socket(
                plain,
                server_hostname=self._target.host,
                session=self._resumable,
                do_handshake_on_connect=False,
            )
        except BaseException:
            plain.close()
            raise
        try:
            yield from _until(connection, connection.do_handshake)
        except BaseException:
            connection.close()
            raise
        return connection

    def _granted(self, connection: ssl.SSLSocket) -> Generator[Wait, None, None]:
        """Ask for the tunnel, and have it granted."""
        head = self._target.head()
        while head:
            sent = yield from _until(connection, partial(connection.write, head))
            head = head[sent:]
        answer = yield from _answer(connection)
        if answer.status != 200:
            raise problem_error(answer.status, answer.rest)
        if answer.rest:
            raise ProtocolViolation(f"{self._where} spoke before its client")


def _connected(sock: socket.socket, address: Any) -> Generator[Wait, None, None]:
    while (error := sock.connect_ex(address)) in _UNDER_WAY:
        yield sock, OUT
    if error not in (0, errno.EISCONN):
        raise OSError(error, os.strerror(error))


def _answer(connection: ssl.SSLSocket) -> Generator[Wait, None, Answer]:
    reader, answer = AnswerReader(), None
    while answer is None:
        data = yield from _until(connection, lambda: connection.recv(4096))
        answer = reader.feed(data, end=not data)
    return answer


def _until(connection: ssl.SSLSocket, call: Callable[[], _T]) -> Generator[Wait, None, _T]:
    """Call, again whenever TLS could go on."""
    while True:
        try:
            return call()
        except ssl.SSLWantReadError:
            yield connection, IN
        except ssl.SSLWantWriteError:
            yield connection, OUT


def _happens(sock: socket.socket, event: int, limit_s: float) -> bool:
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(limit_s * 1000))
