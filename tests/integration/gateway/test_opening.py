"""What may go wrong from the first byte to ReadyForQuery, and what the client is told."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import time
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from dbgate_broker.gateway import Limits
from dbgate_broker.testing.gateway import FixedTunnel
from dbgate_cli.proxy import Target
from dbgate_core.errors import Denied, LimitExceeded, NotSignedIn, Unreachable
from dbgate_core.pgwire.messages import decode_fields, message
from dbgate_core.secret import Secret
from tests.integration.credentials.servers import free_port
from tests.integration.gateway.raw import Raw, raw
from tests.integration.gateway.world import USER_PASSWORD, World, database

HEAD = b"CONNECT prod-db:5432 HTTP/1.1\r\nHost: prod-db:5432\r\n"
AUTH = b"Proxy-Authorization: Bearer wrong\r\n"
SESSION = b"Dbgate-Session: s-1\r\n"


def answer(client: Raw) -> tuple[int, dict[str, Any]]:
    head, _, body = client.rest().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)
    return int(lines[0].split(" ")[1]), json.loads(body)


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (HEAD + AUTH + SESSION + b"\r\n", 403, "session.not_open"),
        (HEAD + SESSION + b"\r\n", 401, "auth.required"),
        (HEAD + b"Proxy-Authorization: Basic eA==\r\n" + SESSION + b"\r\n", 401, "auth.required"),
        (HEAD + AUTH + b"\r\n", 400, "protocol"),
        (HEAD + AUTH + SESSION + SESSION + b"\r\n", 400, "protocol"),
        (HEAD + AUTH + SESSION + b"Content-Length: 5\r\n\r\n", 400, "protocol"),
        (HEAD + AUTH + SESSION + b"Transfer-Encoding: chunked\r\n\r\n", 400, "protocol"),
        (HEAD.replace(b"CONNECT", b"GET") + b"\r\n", 405, "protocol"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "protocol"),
        (HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + AUTH + SESSION + b"\r\n", 400, "protocol"),
        ((HEAD + AUTH + SESSION).replace(b":5432", b":22") + b"\r\n", 400, "protocol"),
        (HEAD.replace(b"Host: prod", b"Host: dev") + AUTH + SESSION + b"\r\n", 400, "protocol"),
        ((HEAD + AUTH + SESSION).replace(b"prod-db", b"no-db") + b"\r\n", 404, "not_found"),
        (HEAD + b"Padding: " + b"x" * 20_000, 431, "protocol"),
        (struct.pack("!II", 8, 80877103) + b"\r\n\r\n", 400, "protocol"),
        (b"\x00\xff garbage \r\n\r\n", 400, "protocol"),
    ],
)
def test_a_connect_that_is_not_right_is_refused(
    world: World, request_bytes: bytes, status: int, code: str
) -> None:
    with raw(world) as client:
        client.send(request_bytes)
        got, problem = answer(client)
    assert (got, problem["code"]) == (status, code)
    assert problem["message"]
    assert not world.tunnel.guards


def test_the_broker_without_its_store_says_so(world: World) -> None:
    world.tunnels.fails = Unreachable("the state store does not answer")
    with raw(world) as client:
        client.send(HEAD + AUTH + SESSION + b"\r\n")
        assert answer(client)[0] == 503


def test_an_unexpected_error_shows_nothing(world: World) -> None:
    world.tunnels.fails = ValueError("marker-of-a-secret")
    with raw(world) as client:
        client.send(HEAD + AUTH + SESSION + b"\r\n")
        status, problem = answer(client)
    assert status == 500
    assert "marker" not in json.dumps(problem)


def test_tls_1_2_is_spoken_and_plain_text_is_not(world: World) -> None:
    old = world.client_tls()
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    plain = socket.create_connection(("127.0.0.1", world.port), timeout=10)
    with old.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
        assert wrapped.version() == "TLSv1.2"
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as plain:
        plain.sendall(HEAD + AUTH + SESSION + b"\r\n")
        assert not plain.recv(100).startswith(b"HTTP")


def test_silence_is_ended_by_the_deadline(world: World) -> None:
    world.call(world.gateway.stop())
    world.start(Limits(opening_s=1.0))
    for begin in (b"", b"CONNECT prod-db", None):
        with raw(world) as client:
            started = time.monotonic()
            if begin is None:
                client.connect()
            else:
                client.send(begin)
            client.rest()
            assert time.monotonic() - started < 5
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as plain:
        assert plain.recv(1) == b""


@pytest.mark.parametrize(
    ("password", "user"), [("wrong", "alice"), ("wrong", "mallory"), (None, "mallory")]
)
def test_a_wrong_password_and_an_unknown_user_look_alike(
    world: World, password: str | None, user: str
) -> None:
    with raw(world) as client:
        client.connect()
        client.startup({"user": user})
        kind, body = client.scram(password)
        assert kind == "E"
        fields = decode_fields(body)
        assert client.rest() == b""
    assert fields["C"] == "28P01"
    assert fields["M"] == f'password authentication failed for user "{user}"'
    assert not world.tunnel.guards


def refused(world: World, **changes: object) -> str:
    """Connect as a driver does, and expect a refusal; its text."""
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(world.dsn(**changes))
    return str(caught.value)


def test_another_database_is_named(world: World) -> None:
    error = refused(world, dbname="template1")
    assert 'does not lead to database "template1"' in error
    assert "connect to postgres" in error


@pytest.mark.parametrize(
    ("send", "sqlstate"),
    [
        (struct.pack("!II", 8, 80877103) * 2, "08P01"),
        (struct.pack("!II", 8, 80877104) * 2, "08P01"),
        (struct.pack("!II", 4, 196608), "08P01"),
        (struct.pack("!II", 1 << 30, 196608), "08P01"),
        (struct.pack("!II", 8, 2 << 16), "0A000"),
        (struct.pack("!II", 9, 3 << 16) + b"\0", "28000"),
        (b"Q\0\0\0\x0dselect 1\0", "08P01"),
    ],
)
def test_a_first_packet_that_is_not_right_is_refused(
    world: World, send: bytes, sqlstate: str
) -> None:
    with raw(world) as client:
        client.connect()
        client.send(send)
        data = client.rest().lstrip(b"N")
        assert data[:1] == b"E"
        assert b"C" + sqlstate.encode() + b"\0" in data


def test_tls_within_the_tunnel_is_refused_as_tls_refuses(world: World) -> None:
    """A client with sslnegotiation=direct: it understands an alert, and no ErrorResponse."""
    inner = ssl.create_default_context(cafile=str(world.ca_file))
    inner.set_alpn_protocols(["postgresql"])
    sent, received = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = inner.wrap_bio(received, sent, server_hostname="127.0.0.1")
    with raw(world) as client:
        client.connect()
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        client.send(sent.read())
        received.write(client.rest())
        with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
            tls.do_handshake()


def test_libpq_says_that_direct_tls_was_refused(world: World) -> None:
    said = refused(world, sslmode="require", sslnegotiation="direct")
    assert "handshake failure" in said


def test_a_setting_is_judged_as_its_set(world: World) -> None:
    for parameters in ({"application_name": "forbidden"}, {"options": "-c app.x=forbidden"}):
        with raw(world) as client:
            client.connect()
            client.startup(parameters)
            assert client.scram()[0] == "R"
            fields = client.error()
            assert (fields["C"], fields["M"]) == ("42501", "not allowed: forbidden")
    assert world.server.backends() == 0


def test_settings_reach_the_server(world: World) -> None:
    options = r"-c app.who=it's\ me --work-mem=8MB"
    with psycopg.connect(world.dsn(), options=options, application_name="a") as connection:
        row = connection.execute(
            "select current_setting('app.who'), current_setting('work_mem'), version()"
        ).fetchone()
    assert row is not None
    assert row[:2] == ("it's me", "8MB")


@pytest.mark.parametrize(
    "parameters",
    [
        {"replication": "database"},
        {"replication": "true"},
        {"session_preload_libraries": "x"},
        {"role": "postgres"},
        {"options": "-c role=postgres"},
        {"options": "-c options=-crole=postgres"},
        {"options": "-c standard_conforming_strings=off"},
        {"options": "--session-authorization=postgres"},
        {"options": "-W"},
        {"client_encoding": "latin1"},
        {"standard_conforming_strings": "off"},
        {"Options": "-c role=postgres"},
    ],
)
def test_a_start_up_parameter_that_may_not_pass_is_refused(
    world: World, parameters: dict[str, str]
) -> None:
    with raw(world) as client:
        client.connect()
        client.startup(parameters)
        assert client.error()["C"] == "08P01"


def test_both_requests_for_encryption_may_come_once(world: World) -> None:
    with raw(world) as client:
        client.connect()
        for code in (80877104, 80877103):
            client.send(struct.pack("!II", 8, code))
            assert client.exactly(1) == b"N"
        client.startup()
        assert client.scram()[0] == "R"
        client.until("Z")


@pytest.mark.parametrize(
    ("minor", "options", "spoken"),
    [
        (0, {}, None),
        (0, {"_pq_.report": "1", "_pq_.x": ""}, 0),
        (1, {}, None),
        (2, {}, None),
        (2, {"_pq_.report": "1"}, 2),
        (9999, {}, 2),
    ],
)
def test_what_is_not_spoken_here_is_negotiated_away(
    world: World, minor: int, options: dict[str, str], spoken: int | None
) -> None:
    """As PostgreSQL 18 does it (SendNegotiateProtocolVersion); keys are as long as its own."""
    with raw(world) as client:
        client.connect()
        client.startup(options, (3 << 16) + minor)
        if spoken is not None:
            names = b"".join(name.encode() + b"\0" for name in options)
            head = struct.pack("!II", (3 << 16) + spoken, len(options))
            assert client.read() == ("v", head + names)
        assert client.scram()[0] == "R"
        (key,) = (body for kind, body in client.until("Z") if kind == "K")
    assert len(key) == 4 + (32 if minor >= 2 else 4)


@pytest.mark.parametrize(
    "send",
    [
        message(b"Q", b"select 1\0"),
        message(b"p", b"hunter2\0"),
        message(b"p", b"SCRAM-SHA-256-PLUS\0" + struct.pack("!I", 1) + b"p"),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", -1)),
        message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", 9) + b"n,,n=,r=\xff"),
        b"p" + struct.pack("!I", 1 << 20),
        b"p" + struct.pack("!I", 0),
    ],
)
def test_nothing_but_scram_is_a_log_in(world: World, send: bytes) -> None:
    with raw(world) as client:
        client.connect()
        client.startup()
        client.read()
        client.send(send)
        assert client.error()["C"] == "08P01"
    assert not world.tunnel.guards


@pytest.mark.parametrize(
    ("step", "error", "sqlstate"),
    [
        ("attach", LimitExceeded("too many", sqlstate="53300"), "53300"),
        ("attach", Denied("this session is not open"), "57P03"),
        ("guard", Unreachable("the catalog cannot be read"), "08006"),
        ("guard", ValueError("marker-of-a-secret"), "XX000"),
        ("credentials", Unreachable("the lease is gone"), "08006"),
        ("credentials", NotSignedIn("odd"), "28000"),
    ],
)
def test_a_step_that_fails_is_told_and_undone(
    world: World, step: str, error: Exception, sqlstate: str
) -> None:
    """`world` checks at its end that guards were closed and connections detached exactly once."""
    world.tunnel.fails[step] = error
    with raw(world) as client:
        client.connect()
        client.startup()
        assert client.scram()[0] == "R"
        fields = client.error()
    assert (fields["C"], fields["S"]) == (sqlstate, "FATAL")
    assert "marker" not in str(fields)


def lead(world: World, **changes: Any) -> int:
    """A listener whose tunnel leads to a changed database."""
    other = FixedTunnel(
        database(world.server, world.ca_file, **({"name": "other"} | changes)),
        world.tunnel._credentials,
        session_id="s-2",
        password=world.tunnel.password,
    )
    world.tunnels.tunnels.append(other)
    return world.listen(other)


def test_a_server_that_is_not_there_is_08001(world: World) -> None:
    error = refused(world, port=lead(world, port=free_port()))
    assert "cannot be reached" in error


def test_a_server_with_another_name_in_its_certificate_is_refused(world: World) -> None:
    error = refused(world, port=lead(world, host="localhost"))
    assert "TLS" in error


def test_a_server_of_another_authority_is_refused(world: World) -> None:
    error = refused(world, port=lead(world, ca_file=None))
    assert "TLS" in error


def test_a_wrong_password_of_ours_is_not_shown(world: World) -> None:
    world.tunnel._credentials = replace(
        world.tunnel._credentials, password=Secret("marker-of-a-secret")
    )
    error = refused(world)
    assert "refused the session's user (28P01)" in error
    assert "marker" not in error
    assert USER_PASSWORD not in error


def test_plain_text_to_a_loopback_server_when_configured(world: World) -> None:
    port = lead(world, tls="disable", ca_file=None)
    with psycopg.connect(world.dsn(port=port)) as connection:
        row = connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        assert row.fetchone() == (False,)


def test_the_token_of_another_session_opens_nothing(world: World) -> None:
    target = world.target(world.tunnel)
    forged = Target(target.host, target.port, target.database, "s-9", target.token)
    with raw(world) as client:
        client.send(forged.head())
        assert answer(client)[0] == 403
