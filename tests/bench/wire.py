"""A client that does as little as can be: it logs in, sends text, and throws away what comes.

psql and drivers take results apart, and so hide what a relay costs.
"""

from __future__ import annotations

import re
import secrets
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass

from dbgate_cli.scram import ScramClient
from dbgate_core.pgwire.messages import decode_fields, message
from dbgate_core.secret import Secret
from tests.bench.paths import Route

PROTOCOL = 196_608
SSL_REQUEST = 80_877_103
SASL, SASL_CONTINUE, SASL_FINAL = 10, 11, 12
READY = b"Z\0\0\0\5I"
"""No text value holds it: it has zero bytes."""
TAG = re.compile(rb"C\0\0\0.(?:SELECT|COPY) (\d+)\0" + re.escape(READY) + rb"\Z", re.DOTALL)
TAIL_BYTES = 64
"""Enough for the last two messages of a result."""
TIMEOUT_S = 120.0
BUFFER_BYTES = 1 << 20


class Refused(Exception):
    """The server, or who stands before it, answered with an error."""


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a result: bytes, and its rows when its reader did not stop before the end."""

    bytes: int
    rows: int


class Client:
    """One connection on a route. Raises Refused and OSError."""

    def __init__(self, route: Route) -> None:
        env = route.env
        plain = socket.create_connection((env["PGHOST"], int(env["PGPORT"])), TIMEOUT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain if env.get("PGSSLMODE") == "disable" else _encrypted(plain)
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        try:
            self._log_in(env)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, text: str) -> None:
        """Send a simple query."""
        self._socket.sendall(message(b"Q", text.encode() + b"\0"))

    def answer(self) -> bytes:
        """All of a small answer."""
        data = b""
        while not data.endswith(READY):
            got = self._socket.recv(BUFFER_BYTES)
            if not got:
                raise Refused("closed in the middle of an answer")
            data += got
        return data

    def drain(self, seen: Callable[[int], bool] = lambda size: True) -> Read:
        """Read up to the end of the answer, or while `seen`, told of each read's size, says so."""
        count, tail = 0, b""
        while not tail.endswith(READY):
            size = self._socket.recv_into(self._buffer)
            if not size:
                raise Refused("closed in the middle of a result")
            count += size
            tail += bytes(self._buffer[max(0, size - TAIL_BYTES) : size])
            tail = tail[-TAIL_BYTES:]
            if not seen(size):
                return Read(count, 0)
        done = TAG.search(tail)
        if done is None:
            raise Refused(f"the answer ended with {tail!r}")
        return Read(count, int(done[1]))

    def _log_in(self, env: dict[str, str]) -> None:
        fields = f"user\0{env['PGUSER']}\0database\0{env['PGDATABASE']}\0\0".encode()
        self._socket.sendall(struct.pack("!II", len(fields) + 8, PROTOCOL) + fields)
        scram = ScramClient(Secret(env["PGPASSWORD"]), secrets.token_urlsafe(18))
        while True:
            kind, body = self._message()
            if kind == b"E":
                raise Refused(decode_fields(body).get("M", ""))
            if kind == b"Z":
                return
            if kind == b"R":
                self._authenticate(scram, int.from_bytes(body[:4]), body[4:])

    def _authenticate(self, scram: ScramClient, step: int, data: bytes) -> None:
        if step == SASL:
            first = scram.first()
            start = b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first
            self._socket.sendall(message(b"p", start))
        elif step == SASL_CONTINUE:
            self._socket.sendall(message(b"p", scram.final(data)))
        elif step == SASL_FINAL:
            scram.verify(data)

    def _message(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        return head[:1], self._exactly(int.from_bytes(head[1:]) - 4)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            got = self._socket.recv(count - len(data))
            if not got:
                raise Refused("closed during the log-in")
            data += got
        return data


def _encrypted(plain: socket.socket) -> socket.socket:
    plain.sendall(struct.pack("!II", 8, SSL_REQUEST))
    if plain.recv(1) != b"S":
        raise Refused("no TLS")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # a certificate of our own
    return context.wrap_socket(plain)
