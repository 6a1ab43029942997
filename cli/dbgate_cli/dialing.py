"""Dialing the gateway: TCP, TLS, CONNECT and its answer, in the calling thread or a crew's."""

from __future__ import annotations

import collections
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Final

from dbgate_cli import signals
from dbgate_cli.client import problem_error
from dbgate_cli.http import unreachable
from dbgate_cli.proxy import Answer, AnswerReader, Target
from dbgate_core.errors import ProtocolViolation

TIMEOUT_S: Final = 10.0
"""For all of it."""
MAX_WORKERS: Final = 32
"""Dials at once; the next ones wait their turn. A pool's size: all of it may connect together."""


class Dialer:
    """Dials one session's gateway, from any thread.

    TLS sessions are resumed (RFC 8446, section 2.2): a later dial of the same process shows what the
    first one got when it verified the certificate, and both ends save a signature and its check.
    A gateway that does not take it does a whole handshake, with the certificate verified again.
    """

    def __init__(self, target: Target, tls: ssl.SSLContext) -> None:
        self._target = target
        self._tls = tls
        self._resumable: ssl.SSLSession | None = None

    def dial(self) -> ssl.SSLSocket:
        """Open one tunnel connection, past the gateway's 200. The caller closes it.

        Raises Unreachable, ProtocolViolation, or what the gateway refuses with.
        """
        target = self._target
        where = f"the gateway at {target.host}:{target.port}"
        deadline = time.monotonic() + TIMEOUT_S
        try:
            connection = self._secured(deadline)
            try:
                _connected(connection, target, where, deadline)
            except BaseException:
                connection.close()
                raise
        except OSError as exc:  # TimeoutError and ssl.SSLError are OSErrors too
            raise unreachable(where, exc) from exc
        self._resumable = connection.session
        return connection

    def _secured(self, deadline: float) -> ssl.SSLSocket:
        host = self._target.host
        plain = socket.create_connection((host, self._target.port), TIMEOUT_S)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _arm(plain, deadline)
            return self._tls.wrap_socket(plain, server_hostname=host, session=self._resumable)
        except BaseException:
            plain.close()
            raise


def _connected(connection: ssl.SSLSocket, target: Target, where: str, deadline: float) -> None:
    """Ask for the tunnel, and have it granted."""
    connection.sendall(target.head())
    answer = _answer(connection, deadline)
    if answer.status != 200:
        raise problem_error(answer.status, answer.rest)
    if answer.rest:
        raise ProtocolViolation(f"{where} spoke before its client")


def _answer(connection: ssl.SSLSocket, deadline: float) -> Answer:
    reader, answer = AnswerReader(), None
    while answer is None:
        _arm(connection, deadline)
        data = connection.recv(4096)
        answer = reader.feed(data, end=not data)
    return answer


def _arm(sock: socket.socket, deadline: float) -> None:
    """Give the socket what is left of the deadline. Raises TimeoutError when nothing is."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    sock.settimeout(left)


class Crew:
    """Threads for what blocks: one for each job, MAX_WORKERS at once, gone when there is none."""

    def __init__(self) -> None:
        self._jobs: collections.deque[Callable[[], None]] = collections.deque()
        self._workers = 0
        self._lock = threading.Lock()

    def take(self, job: Callable[[], None]) -> None:
        """Have a job done soon; it raises nothing."""
        with self._lock:
            self._jobs.append(job)
            if self._workers == MAX_WORKERS:
                return
            self._workers += 1
        threading.Thread(target=self._work, name="dial", daemon=True).start()

    def _work(self) -> None:
        signals.block_in_thread()
        while job := self._next():
            job()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._workers -= 1
            return None
