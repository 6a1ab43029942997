"""A client that says exactly what a test wants: bytes through TLS, CONNECT and SCRAM."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from dbgate_cli.scram import ScramClient
from dbgate_core.pgwire.messages import decode_fields, message
from tests.integration.gateway.world import World

Message = tuple[str, bytes]


class Raw:
    """One TLS connection to the gateway; or, with a port, one without TLS to what listens there."""

    def __init__(self, world: World, port: int | None = None) -> None:
        self._world = world
        self.socket = socket.create_connection(("127.0.0.1", port or world.port), timeout=15)
        if port is None:
            tls = world.client_tls()
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self._data = b""
        self.key = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        self.socket.close()

    def vanish(self) -> None:
        """Break off without a word: RST on close."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def exactly(self, count: int) -> bytes:
        while len(self._data) < count:
            got = self.socket.recv(65536)
            assert got, f"closed after {self._data!r}"
            self._data += got
        data, self._data = self._data[:count], self._data[count:]
        return data

    def rest(self) -> bytes:
        """All up to the end."""
        try:
            while got := self.socket.recv(65536):
                self._data += got
        except (ConnectionResetError, ssl.SSLEOFError):
            pass
        data, self._data = self._data, b""
        return data

    def read(self) -> Message:
        head = self.exactly(5)
        return chr(head[0]), self.exactly(int.from_bytes(head[1:], "big") - 4)

    def until(self, kinds: str) -> list[Message]:
        """Messages up to the first one of these types."""
        seen = [self.read()]
        while seen[-1][0] not in kinds:
            seen.append(self.read())
        return seen

    def error(self) -> dict[str, str]:
        """The fields of the ErrorResponse that comes, after which the connection ends."""
        fields = decode_fields(self.until("E")[-1][1])
        assert self.rest() == b""
        return fields

    def connect(self) -> None:
        """The CONNECT and its 200."""
        self.send(self._world.target(self._world.tunnel).head())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.exactly(1)
        assert head.startswith(b"HTTP/1.1 200 "), head

    def startup(self, parameters: dict[str, str] | None = None, version: int = 3 << 16) -> None:
        pairs = {"user": self._world.tunnel.username, "database": "postgres"}
        pairs |= parameters or {}
        body = b"".join(f"{k}\0{v}\0".encode() for k, v in pairs.items()) + b"\0"
        self.send(struct.pack("!II", len(body) + 8, version) + body)

    def scram(self, password: str | None = None) -> Message:
        """The SCRAM exchange; the message that ends it."""
        secret = self._world.tunnel.password
        if password is not None:
            secret = type(secret)(password)
        client = ScramClient(secret, "a-nonce-of-a-test")
        assert self.read() == ("R", struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0")
        first = client.first()
        self.send(message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first))
        kind, body = self.read()
        assert (kind, body[:4]) == ("R", struct.pack("!I", 11)), body
        self.send(message(b"p", client.final(body[4:])))
        kind, body = self.read()
        if kind == "R":
            client.verify(body[4:])
        return kind, body

    def log_in(self) -> None:
        """All up to ReadyForQuery."""
        self.connect()
        self.startup()
        assert self.scram()[0] == "R"
        for kind, body in self.until("Z"):
            if kind == "K":
                self.key = body


@contextmanager
def raw(world: World) -> Iterator[Raw]:
    client = Raw(world)
    try:
        yield client
    finally:
        client.close()


def query(text: str) -> bytes:
    return message(b"Q", text.encode() + b"\0")
