"""The tunnel itself: bytes both ways, bounds, ends and refusals, however it waits on its sockets."""

from __future__ import annotations

import contextlib
import json
import random
import select
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dbgate_cli import calls, splice, tunnel
from dbgate_cli.pgmessages import GSSENC_REQUEST, SSL_REQUEST, startup
from dbgate_cli.splice import READ_BYTES
from dbgate_cli.tunnel import Tunnel
from dbgate_core.errors import Denied
from tests.integration.cli import authority
from tests.integration.cli.plain_gateway import LIMIT_S, PlainGateway

BULK = random.Random(7).randbytes(1 << 20)
FLOOD = 48
"""Times BULK: more than all the kernel's buffers of a splice hold together."""
POLLS = [kind for kind in ("epoll", "poll") if hasattr(select, kind)]


@pytest.fixture(params=POLLS, autouse=True)
def waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splice, "new_poll", getattr(select, request.param))


@pytest.fixture
def gateway(certificates: tuple[Path, Path]) -> Iterator[PlainGateway]:
    found = PlainGateway(*certificates)
    yield found
    found.stop()


class World:
    """A tunnel to the gateway, and its clients."""

    def __init__(self, gateway: PlainGateway) -> None:
        self.suspected = threading.Event()
        self.tunnel = Tunnel(gateway.target, gateway.client_tls, self.suspected.set)
        self.port = self.tunnel.listen_on(0)
        self._gateway = gateway
        self._clients: list[socket.socket] = []

    def client(self) -> socket.socket:
        found = socket.create_connection(("127.0.0.1", self.port), LIMIT_S)
        self._clients.append(found)
        return found

    def pair(self) -> tuple[socket.socket, ssl.SSLSocket]:
        client = self.client()
        return client, self._gateway.next()

    def stop(self) -> None:
        self.tunnel.close()
        for client in self._clients:
            client.close()


@pytest.fixture
def world(gateway: PlainGateway) -> Iterator[World]:
    found = World(gateway)
    yield found
    found.stop()


def exactly(sock: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count and (more := sock.recv(min(1 << 20, count - len(data)))):
        data += more
    return bytes(data)


def rest(sock: socket.socket) -> bytes:
    return exactly(sock, 1 << 40)


def wait_for(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.01)


class Flood:
    """Sends BULK again and again in a thread, until all is sent or the socket breaks."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.sent = 0
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(FLOOD):
                self._sock.sendall(BULK)
                self.sent += 1

    def settle(self) -> None:
        """Until nothing more goes out."""
        seen = [-1]

        def still() -> bool:
            seen.append(self.sent)
            return len(seen) > 30 and len(set(seen[-30:])) == 1

        wait_for(still)

    def join(self) -> int:
        self._thread.join(LIMIT_S)
        assert not self._thread.is_alive()
        return self.sent


def test_early_words_wait_for_the_gateway(world: World, gateway: PlainGateway) -> None:
    client = world.client()
    client.sendall(b"said before the 200")
    far = gateway.next()
    assert exactly(far, 19) == b"said before the 200"
    far.sendall(b"answer")
    assert exactly(client, 6) == b"answer"


@pytest.mark.parametrize("sender", ["client", "gateway"])
def test_a_slow_reader_stops_its_sender(world: World, sender: str) -> None:
    client, far = world.pair()
    source, sink = (client, far) if sender == "client" else (far, client)
    flood = Flood(source)
    flood.settle()
    held = [len(end.unsent) for end in world.tunnel._splicer._ends.values()]
    assert flood.sent < FLOOD, "everything was taken though nobody read"
    assert 0 < max(held) <= READ_BYTES
    for _ in range(FLOOD):
        assert exactly(sink, len(BULK)) == BULK
    assert flood.join() == FLOOD
    assert [end.unsent for end in world.tunnel._splicer._ends.values()] == [b"", b""]
    source.sendall(b"and on")
    assert exactly(sink, 6) == b"and on"


def echo(far: ssl.SSLSocket) -> None:
    while data := far.recv(1 << 20):
        far.sendall(data)


def test_both_ways_at_once_do_not_wait_for_each_other(world: World) -> None:
    client, far = world.pair()
    server = threading.Thread(target=echo, args=(far,))
    server.start()
    flood = Flood(client)
    for _ in range(FLOOD):
        assert exactly(client, len(BULK)) == BULK
    assert flood.join() == FLOOD
    client.close()
    server.join(LIMIT_S)
    assert not server.is_alive()


def test_one_that_stands_still_does_not_hold_another(world: World) -> None:
    client, far = world.pair()
    flood = Flood(far)
    flood.settle()
    other, other_far = world.pair()
    other.sendall(b"quick")
    assert exactly(other_far, 5) == b"quick"
    client.close()
    assert flood.join() < FLOOD


def test_hundreds_of_connections_at_once(world: World, gateway: PlainGateway) -> None:
    clients = [world.client() for _ in range(300)]
    for number, client in enumerate(clients):
        client.sendall(b"%03d" % number)
    for _ in clients:
        far = gateway.next()
        far.sendall(exactly(far, 3) + b"!")
    for number, client in enumerate(clients):
        assert exactly(client, 4) == b"%03d!" % number
    assert world.tunnel.connections == 300
    for client in clients:
        client.close()
    wait_for(lambda: world.tunnel.connections == 0)
    assert not world.tunnel._splicer._ends


def test_last_words_of_the_gateway_arrive_and_raise_suspicion(world: World) -> None:
    client, far = world.pair()
    far.sendall(BULK)
    far.close()
    assert rest(client) == BULK
    assert world.suspected.wait(LIMIT_S)
    wait_for(lambda: world.tunnel.connections == 0)


def test_last_words_of_the_gateway_arrive_though_the_client_goes_on_talking(world: World) -> None:
    client, far = world.pair()
    far.sendall(b"terminating connection")
    far.close()
    for _ in range(50):
        try:
            client.sendall(BULK)
        except OSError:
            break
    assert exactly(client, 22) == b"terminating connection"


def test_last_words_of_a_client_arrive_and_are_no_suspicion(world: World) -> None:
    client, far = world.pair()
    client.sendall(BULK)
    client.close()
    assert rest(far) == BULK
    wait_for(lambda: world.tunnel.connections == 0)
    assert not world.suspected.is_set()


def test_a_client_that_resets_ends_its_gateway_s_side(world: World) -> None:
    client, far = world.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    assert rest(far) == b""
    wait_for(lambda: world.tunnel.connections == 0)


def request(code: int) -> bytes:
    return struct.pack("!II", 8, code)


def refusal(client: socket.socket, *requests: int) -> bytes:
    """What a client hears that asks for encryption first, and takes a no."""
    for code in requests:
        client.sendall(request(code))
        assert exactly(client, 1) == b"N"
    client.sendall(startup(user="u", database="d"))
    return rest(client)


@pytest.mark.parametrize("requests", [(), (SSL_REQUEST,), (GSSENC_REQUEST, SSL_REQUEST)])
def test_a_client_is_told_that_the_gateway_is_gone(
    world: World, gateway: PlainGateway, requests: tuple[int, ...]
) -> None:
    gateway.stop()
    answer = refusal(world.client(), *requests)
    assert answer[:1] == b"E"
    assert b"does not answer: Connection refused" in answer
    assert b"C08006" in answer
    assert world.suspected.wait(LIMIT_S)
    wait_for(lambda: world.tunnel.connections == 0)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"\x00\x00\x00\x03junk", b"GET / HTTP/1.1"])
def test_a_refused_client_that_says_something_else_is_let_go(
    world: World, gateway: PlainGateway, said: bytes
) -> None:
    gateway.stop()
    client = world.client()
    client.sendall(said)
    with contextlib.suppress(OSError):  # it was let go already
        client.shutdown(socket.SHUT_WR)
    assert rest(client)[:1] == b"E"


def test_what_the_gateway_refuses_with_is_told(world: World, gateway: PlainGateway) -> None:
    body = json.dumps({"code": "limit", "message": "no more here", "exit_code": 1}).encode()
    gateway.reply = b"HTTP/1.1 503 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    assert b"no more here" in refusal(world.client())
    body = json.dumps({"code": "denied", "message": "over", "exit_code": 4}).encode()
    gateway.reply = b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with pytest.raises(Denied, match="over"):
        world.tunnel.knock()


def test_one_too_many_is_told_and_the_next_is_let_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "MAX_CONNECTIONS", 2)
    first, _ = world.pair()
    world.pair()
    answer = refusal(world.client())
    assert b"has 2 connections already" in answer
    assert b"C53300" in answer
    first.close()
    wait_for(lambda: world.tunnel.connections == 1)
    client, far = world.pair()
    client.sendall(b"in")
    assert exactly(far, 2) == b"in"


def spoken_to(world: World) -> ssl.SSLSocket:
    """The gateway's side of a new connection, once something came through."""
    client, far = world.pair()
    client.sendall(b"x")
    assert exactly(far, 1) == b"x"
    return far


def test_later_connections_resume_the_first_one_s_tls(world: World) -> None:
    assert [spoken_to(world).session_reused for _ in range(3)] == [False, True, True]


def test_a_gateway_that_cannot_resume_is_verified_again(
    world: World, gateway: PlainGateway, certificates: tuple[Path, Path], tmp_path: Path
) -> None:
    spoken_to(world)
    gateway.change_certificate(certificates[1])
    assert not spoken_to(world).session_reused
    gateway.change_certificate(authority.make(tmp_path)[1])
    assert b"is not trusted" in refusal(world.client())


class Mute:
    """Takes connections and never says a word; a tunnel's dials go there."""

    def __init__(self, world: World) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        world.tunnel._dialer._addresses = [(socket.AF_INET, self.listener.getsockname())]
        world.tunnel._dialer.knows_where = True


@pytest.fixture
def mute(world: World) -> Iterator[Mute]:
    found = Mute(world)
    yield found
    found.listener.close()


def test_a_gateway_that_says_nothing_is_given_up(
    world: World, mute: Mute, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialer = world.tunnel._dialer
    monkeypatch.setattr(dialer, "resolve", lambda: setattr(dialer, "knows_where", True))
    monkeypatch.setattr(calls, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(calls, "MAX_DIALS", 2)
    clients = [world.client() for _ in range(5)]
    for client in clients:
        assert b"no answer in time" in refusal(client)
    wait_for(lambda: world.tunnel.connections == 0)


def test_others_go_on_while_a_gateway_says_nothing(world: World) -> None:
    client, far = world.pair()
    mute = Mute(world)
    world.client()
    with mute.listener, mute.listener.accept()[0]:
        client.sendall(b"in")
        assert exactly(far, 2) == b"in"


def test_a_gateway_that_moved_is_asked_for_by_its_name_again(world: World, mute: Mute) -> None:
    mute.listener.close()
    client, far = world.pair()
    client.sendall(b"in")
    assert exactly(far, 2) == b"in"


def test_a_dial_under_way_ends_with_the_tunnel(world: World, mute: Mute) -> None:
    client = world.client()
    dialed, _ = mute.listener.accept()
    world.tunnel.close()
    assert rest(client) == b""
    assert rest(dialed)[:1] == b"\x16"  # a ClientHello, then the end
    dialed.close()
    wait_for(lambda: not [one for one in threading.enumerate() if type(one) is threading.Timer])


def test_at_its_end_nothing_is_left(world: World) -> None:
    client, far = world.pair()
    world.tunnel.close()
    assert rest(client) == rest(far) == b""
    with pytest.raises(ConnectionRefusedError):
        world.client()
    assert not [one for one in threading.enumerate() if one.name == "splices"]


def test_its_threads_leave_signals_to_the_main_one(world: World) -> None:
    world.pair()
    (thread,) = [one for one in threading.enumerate() if one.name == "splices"]
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    blocked = int(status.split("SigBlk:")[1].split()[0], 16)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        assert blocked >> (number - 1) & 1
