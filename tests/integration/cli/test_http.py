"""A kept connection that the peer has closed: repeated where that is harmless, opened anew before."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from dbgate_cli.http import Channel
from dbgate_core.errors import Unreachable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """Answers one request a connection. `rude`: it closes only when the next request has come."""

    def __init__(self) -> None:
        self.rude = False
        self.closed = threading.Event()
        self.requests: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(65536).split(b" ")[0])
                connection.sendall(ANSWER)
                if self.rude:
                    connection.recv(65536)
            self.closed.set()

    def stop(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)


@pytest.fixture
def peer() -> Iterator[Peer]:
    running = Peer()
    yield running
    running.stop()


@pytest.fixture
def channel(peer: Peer) -> Iterator[Channel]:
    opened = Channel(f"http://127.0.0.1:{peer.port}", ssl.create_default_context(), name="it")
    yield opened
    opened.close()


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_connection_that_was_closed_while_it_rested_is_opened_anew(
    peer: Peer, channel: Channel, method: str
) -> None:
    channel.send("GET", "/")
    assert peer.closed.wait(10)
    assert channel.send(method, "/").body == b"ok"
    assert peer.requests == [b"GET", method.encode()]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_may_be_repeated_is_sent_once_more(peer: Peer, channel: Channel, method: str) -> None:
    peer.rude = True
    channel.send("GET", "/")
    assert channel.send(method, "/").body == b"ok"


def test_what_may_not_be_repeated_is_not(peer: Peer, channel: Channel) -> None:
    peer.rude = True
    channel.send("GET", "/")
    with pytest.raises(Unreachable):
        channel.send("POST", "/", body=b"{}")
    assert peer.requests == [b"GET"]
