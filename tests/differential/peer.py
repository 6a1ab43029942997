"""One connection to PostgreSQL by raw bytes: straight to the server, or through all of dbgate."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

from dbgate_cli.scram import ScramClient
from dbgate_core.pgwire.messages import HEADER, HEADER_BYTES, message
from dbgate_core.secret import Secret
from tests.integration.gateway.raw import Message

PATIENCE_S = 20.0
"""For what must come: on a busy machine a new process takes its time."""
GLANCE_S = 0.002
"""Between two looks at a server that is still busy."""


class Peer:
    """Sends bytes and collects the messages that come; `ended` once the other side closed."""

    def __init__(self, port: int, user: str, password: Secret, database: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = b""
        self.seen: list[Message] = []
        self.ended = False
        self.pid = 0
        self._log_in(user, password, database)

    def _log_in(self, user: str, password: Secret, database: str) -> None:
        body = f"user\0{user}\0database\0{database}\0\0".encode()
        self.send(struct.pack("!II", len(body) + 8, 3 << 16) + body)
        client = ScramClient(password, "a-nonce-of-a-test")
        self.wait(1)
        first = client.first()
        self.send(message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first))
        self.wait(2)
        self.send(message(b"p", client.final(self.seen[1][1][4:])))
        while not self.ended and self.seen[-1][0] not in "ZE":
            self.wait(len(self.seen) + 1)
        assert self.seen[-1][0] == "Z", self.seen[-1]
        self.pid = next(int.from_bytes(b[:4], "big") for k, b in self.seen if k == "K")
        self.greeting, self.seen = self.seen, []

    def send(self, data: bytes) -> None:
        """Send all of it, and read meanwhile: the other side may not take more before we read."""
        rest = memoryview(data)
        while rest and not self.ended:
            try:
                rest = rest[self._socket.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self._take(GLANCE_S)
            except OSError:
                self.wait(1 << 30)

    def _take(self, limit_s: float) -> None:
        """Read what is there, or what comes soon."""
        self._socket.settimeout(limit_s)
        try:
            got = self._socket.recv(1 << 18)
        except (TimeoutError, BlockingIOError):
            return
        except OSError:
            got = b""
        self.ended = not got
        self._data += got
        position = 0
        while len(self._data) - position >= HEADER_BYTES:
            kind, length = HEADER.unpack_from(self._data, position)
            end = position + 1 + length
            if end > len(self._data):
                break
            self.seen.append((chr(kind), self._data[position + HEADER_BYTES : end]))
            position = end
        self._data = self._data[position:]

    def wait(self, count: int) -> None:
        """Until so many messages have come, or the end; or patience is over."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.seen) < count and not self.ended and time.monotonic() < deadline:
            self._take(0.2)

    def settle(self) -> None:
        """Until the backend, a process of this machine, sleeps and has nothing more to say."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.ended and time.monotonic() < deadline:
            asleep = _asleep(self.pid)
            before = len(self.seen), len(self._data)
            self._take(0.0 if asleep else GLANCE_S)
            if asleep and before == (len(self.seen), len(self._data)):
                return

    def close(self) -> None:
        """Leave without a word."""
        self._socket.close()


def _asleep(pid: int) -> bool:
    """Whether the process waits (proc(5), `state` S): for what we have yet to send."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(") ")[2].startswith("S")
