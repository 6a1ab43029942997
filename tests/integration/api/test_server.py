"""The listener: TLS, slow and silent clients, and an end within two seconds whatever is going on."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from dbgate_broker.api import calls, server
from dbgate_broker.api.server import ApiServer
from dbgate_core.errors import Unreachable, UsageError
from tests.integration.api.conftest import LIMIT_S, Api

ASK = {"database": "prod-db", "access_role": "readwrite", "reason": "a fix"}


def wait_until(holds: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_tls_1_2_is_the_least(api: Api) -> None:
    for version, accepted in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                              (ssl.TLSVersion.TLSv1_3, True)):  # fmt: skip
        context = api.client_tls()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", api.port), LIMIT_S) as plain:
            if accepted:
                with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
                    assert tls.version() == version.name.replace("_", ".")
            else:
                with pytest.raises((ssl.SSLError, ConnectionResetError)):
                    context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_an_older_setting_of_the_context_is_raised() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    ApiServer(_app(), context)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_plain_http_is_not_answered(api: Api) -> None:
    with socket.create_connection(("127.0.0.1", api.port), LIMIT_S) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in _read(plain)


def test_a_port_that_is_taken_is_named(api: Api) -> None:
    other = ApiServer(_app(), api.tls)
    with pytest.raises(UsageError, match=f"127.0.0.1:{api.port}"):
        api.run(other.start("127.0.0.1", api.port))


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
def test_a_client_that_does_not_finish_its_request_is_closed(
    api: Api, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.3)
    with api.tls_connection() as tls:
        tls.sendall(sent)
        started = time.monotonic()
        assert _read(tls) == b""
        assert time.monotonic() - started < 5


def test_dripping_bytes_do_not_set_the_clock_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.3)
    with api.tls_connection() as tls:
        tls.settimeout(0.02)
        started = time.monotonic()
        assert _drip(tls, b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 1000) < 500
        assert time.monotonic() - started < 5


def _drip(connection: socket.socket, sent: bytes) -> int:
    """How many bytes, one at a time, until the other side closes."""
    for count, byte in enumerate(sent):
        try:
            connection.sendall(bytes([byte]))
            if not connection.recv(1):
                return count
        except TimeoutError:
            continue
        except OSError:
            return count
    return len(sent)


def test_a_body_that_does_not_come_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = calls.Calls.running
    monkeypatch.setattr(calls.Calls, "running", lambda self, deadline_s: running(self, 0.3))
    connection = api.connection()
    connection.putrequest("POST", "/v1/sessions")
    for name, value in (("Authorization", "Bearer alice"), ("Content-Type", "application/json"),
                        ("Content-Length", "100")):  # fmt: skip
        connection.putheader(name, value)
    connection.endheaders(b'{"data')
    response = connection.getresponse()
    assert (response.status, b"timeout" in response.read()) == (503, True)
    connection.close()


def test_one_connection_serves_many_requests(api: Api) -> None:
    connection = api.connection()
    for _ in range(20):
        connection.request("GET", "/v1/whoami", headers={"Authorization": "Bearer alice"})
        assert connection.getresponse().read().startswith(b'{"kind":"User"')
    connection.close()


def test_an_idle_connection_outlives_the_limit_for_heads(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.2)
    connection = api.connection()
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b'{"status":"ok"}'
        assert api.run(asyncio.sleep(0.3, True))
    connection.close()


def test_stopping_answers_long_polls_at_once_and_closes_idle_connections(api: Api) -> None:
    made = api.ask("POST", "/v1/requests", ASK).json["id"]
    idle = api.connection()
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    statuses: list[tuple[int, str]] = []

    def poll() -> None:
        reply = api.ask("GET", f"/v1/requests/{made}?wait=30")
        statuses.append((reply.status, reply.json["code"]))

    waiters = [threading.Thread(target=poll) for _ in range(5)]
    for waiter in waiters:
        waiter.start()
    wait_until(lambda: api.requests.waiting == 5)
    started = time.monotonic()
    api.run(api.server.stop())
    assert time.monotonic() - started < 1.0
    for waiter in waiters:
        waiter.join(LIMIT_S)
    assert statuses == [(503, "stopping")] * 5
    assert api.requests.waiting == 0
    assert _read(idle.sock) == b""
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", api.port), 1)


def test_stopping_gives_a_call_a_second_and_then_ends_it_with_an_answer(api: Api) -> None:
    api.loop.call_soon_threadsafe(api.sessions.gate.clear)
    replies: list[int] = []

    def open_session() -> None:
        replies.append(api.ask("POST", "/v1/sessions", {"database": "prod-db"}).status)

    opener = threading.Thread(target=open_session)
    opener.start()
    wait_until(api.sessions.reached.is_set)
    started = time.monotonic()
    api.run(api.server.stop())
    assert 0.9 < time.monotonic() - started < 2.0
    opener.join(LIMIT_S)
    assert replies == [503]


def test_a_call_that_ends_in_that_second_is_answered(api: Api) -> None:
    api.loop.call_soon_threadsafe(api.sessions.gate.clear)
    replies: list[int] = []

    def open_session() -> None:
        replies.append(api.ask("POST", "/v1/sessions", {"database": "prod-db"}).status)

    opener = threading.Thread(target=open_session)
    opener.start()
    wait_until(api.sessions.reached.is_set)

    async def stop() -> None:
        stopping = asyncio.create_task(api.server.stop())
        await asyncio.sleep(0.2)
        api.sessions.gate.set()
        await stopping

    started = time.monotonic()
    api.run(stop())
    assert time.monotonic() - started < 1.0
    opener.join(LIMIT_S)
    assert replies == [200]


def test_stopping_with_silent_and_half_connected_clients(api: Api) -> None:
    silent = [socket.create_connection(("127.0.0.1", api.port), LIMIT_S) for _ in range(5)]
    half = api.client_tls().wrap_socket(silent[0], server_hostname="127.0.0.1")
    half.sendall(b"GET /v1/")
    started = time.monotonic()
    api.run(api.server.stop())
    assert time.monotonic() - started < 2.0
    half.close()
    for one in silent[1:]:
        one.close()


def test_one_principal_cannot_hold_all_the_long_polls(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MAX_WAITS_OF_ONE", 2)
    made = api.ask("POST", "/v1/requests", ASK).json["id"]
    target = f"/v1/requests/{made}?wait=30"
    waiters = [threading.Thread(target=api.ask, args=("GET", target)) for _ in range(2)]
    for waiter in waiters:
        waiter.start()
    wait_until(lambda: api.requests.waiting == 2)
    assert api.ask("GET", target).json["code"] == "busy"
    api.ask("POST", f"/v1/requests/{made}/approve", {}, who="bob")
    for waiter in waiters:
        waiter.join(LIMIT_S)
    assert api.ask("GET", target).json["state"] == "approved"


def test_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MAX_CALLS", 1)

    async def two() -> None:
        running = calls.Calls()
        async with running.running(5):
            with pytest.raises(Unreachable, match="too much"):
                async with running.running(5):
                    pass
        async with running.running(5):
            pass
        running.stop()
        with pytest.raises(Unreachable, match="stopping"):
            async with running.running(5):
                pass

    asyncio.run(two())


def _app() -> Starlette:
    app = Starlette()
    app.state.calls = calls.Calls()
    return app


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except (ConnectionResetError, ssl.SSLError):
        return b""
