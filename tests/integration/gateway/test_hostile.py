"""Servers that do not mean well, or not now: a clear FATAL in time, and no credential in clear."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import pytest

from dbgate_broker.gateway import Limits
from dbgate_broker.testing.gateway import FixedTunnel
from dbgate_core.pgwire.messages import message
from tests.integration.credentials.servers import wait_until
from tests.integration.gateway.hostile import Hostile, Place, hostile
from tests.integration.gateway.raw import raw
from tests.integration.gateway.world import USER_PASSWORD, World, database

PLAIN, BOTH = b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256"
READY = message(b"Z", b"I")
GOOD = message(b"S", b"client_encoding\0UTF8\0") + message(
    b"S", b"standard_conforming_strings\0on\0"
)


def meet(
    world: World, script: Callable[[Hostile], None], *, tls: bool
) -> tuple[dict[str, str], Place]:
    """Connect through the gateway to a server with this script: the FATAL, and what it saw."""
    with hostile(script, world.leaf) as place:
        settings = {} if tls else {"tls": "disable", "ca_file": None}
        tunnel = FixedTunnel(
            database(world.server, world.ca_file, port=place.port, **settings),
            world.tunnel._credentials,
        )
        world.tunnels.tunnels[:] = [tunnel]
        world.tunnel = tunnel
        begun = time.monotonic()
        with raw(world) as client:
            client.connect()
            client.startup()
            assert client.scram()[0] == "R"
            fields = client.error()
        assert time.monotonic() - begun < 10
        world.settled()
    assert fields["S"] == "FATAL"
    assert USER_PASSWORD not in str(fields)
    for peer in place.met:
        assert USER_PASSWORD.encode() not in peer.heard
    return fields, place


def asks(code: int, data: bytes = b"") -> Callable[[Hostile], None]:
    def script(peer: Hostile) -> None:
        peer.startup()
        peer.ask(code, data)

    return script


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (asks(0), "code 0"),
        (asks(3), "code 3"),
        (asks(5, b"salt"), "code 5"),
        (asks(7), "code 7"),
        (asks(9), "code 9"),
        (asks(11, b"r=x,s=eA==,i=4096"), "code 11"),
        (asks(12, b"v=eA=="), "code 12"),
        (asks(10, b"SCRAM-MD5\0\0"), "does not offer SCRAM-SHA-256"),
        (asks(10, b"\xff\xfe\0\0"), "does not offer SCRAM-SHA-256"),
        (asks(10, b""), "does not offer SCRAM-SHA-256"),
    ],
    ids=["ok", "cleartext", "md5", "gss", "sspi", "continue", "final", "other", "junk", "none"],
)  # fmt: skip
def test_a_server_that_asks_for_another_log_in_gets_nothing(
    world: World, script: Callable[[Hostile], None], said: str
) -> None:
    fields, place = meet(world, script, tls=False)
    assert fields["C"] == "08006"
    assert said in fields["M"]
    (peer,) = place.met
    startup = peer.heard[4:]
    assert startup.endswith(b"\0\0"), "the StartupMessage, and no byte more"


def test_a_server_that_does_not_know_the_password_is_found_out(world: World) -> None:
    def script(peer: Hostile) -> None:
        peer.startup()
        peer.scram(USER_PASSWORD, offer=PLAIN, server_key=bytes(32))
        peer.ask(0)
        peer.send(READY)

    fields, _ = meet(world, script, tls=False)
    assert (fields["C"], "does not prove" in fields["M"]) == ("08006", True)


def test_a_log_in_that_skips_the_servers_proof_is_found_out(world: World) -> None:
    def script(peer: Hostile) -> None:
        peer.startup()
        peer.ask(10, PLAIN + b"\0\0")
        _, first = peer.read_message()
        nonce = first.split(b"r=")[1] + b"server"
        peer.ask(11, b"r=" + nonce + b",s=MDEyMw==,i=4096")
        peer.read_message()
        peer.ask(0)

    fields, _ = meet(world, script, tls=False)
    assert fields["C"] == "08006"


@pytest.mark.parametrize(
    "challenge",
    [b"r=other,s=MDEyMw==,i=4096", b"r=%b,s=MDEyMw==,i=2000000000", b"r=%b,s=,i=0", b"\xff", b""],
)
def test_a_challenge_that_is_not_ours_or_keeps_us_busy_is_refused(
    world: World, challenge: bytes
) -> None:
    def script(peer: Hostile) -> None:
        peer.startup()
        peer.ask(10, PLAIN + b"\0\0")
        _, first = peer.read_message()
        nonce = first.split(b"r=")[1] + b"server"
        peer.ask(11, challenge % nonce if b"%b" in challenge else challenge)

    fields, place = meet(world, script, tls=False)
    assert fields["C"] == "08006"
    assert b",p=" not in place.met[0].heard


def test_a_hidden_offer_of_channel_binding_is_told_to_the_server(world: World) -> None:
    """`y`: we could have bound. A server that had offered it refuses then (RFC 5802, section 6)."""

    def script(peer: Hostile) -> None:
        peer.tls()
        peer.startup()
        peer.scram(USER_PASSWORD, offer=PLAIN)
        peer.error("57P03", "the database system is starting up")

    fields, place = meet(world, script, tls=True)
    assert place.met[0].first.split(b"\0")[0] == b"SCRAM-SHA-256"
    assert place.met[0].first.split(b"n=")[0].endswith(b"y,,")
    assert fields["C"] == "57P03"


def test_channel_binding_is_used_where_it_is_offered(world: World) -> None:
    def script(peer: Hostile) -> None:
        peer.tls()
        peer.startup()
        peer.scram(USER_PASSWORD, offer=BOTH)
        peer.error("57P03", "the database system is starting up")

    _, place = meet(world, script, tls=True)
    assert b"p=tls-server-end-point,," in place.met[0].first


def test_bytes_before_the_tls_handshake_are_refused(world: World) -> None:
    fields, place = meet(world, lambda peer: peer.tls(message(b"R", bytes(4))), tls=True)
    assert (fields["C"], "bytes before the TLS handshake" in fields["M"]) == ("08001", True)
    assert len(place.met[0].heard) == 8


@pytest.mark.parametrize("answer", [b"N", b"E", b"\0"])
def test_a_server_without_tls_gets_no_start_up(world: World, answer: bytes) -> None:
    fields, place = meet(world, lambda peer: peer.send(answer), tls=True)
    assert (fields["C"], "offers no TLS" in fields["M"]) == ("08001", True)
    assert len(place.met[0].heard) == 8


@pytest.mark.parametrize(
    "junk",
    [
        b"R\x7f\xff\xff\xff",
        b"R\xff\xff\xff\xff",
        b"R\0\0\0\0",
        message(b"R", b"\0"),
        b"E\x40\0\0\0",
        message(b"T", bytes(2)),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        message(b"v", struct.pack("!II", 3 << 16, 0)) * 2,
        message(b"v", struct.pack("!II", (3 << 16) + 2, 0)),
        message(b"v", struct.pack("!II", 2 << 16, 0)),
        message(b"v", struct.pack("!II", 3 << 16, 1) + b"_pq_.x\0"),
        message(b"v", b""),
    ],
)
def test_a_message_that_cannot_be_in_a_log_in_ends_it(world: World, junk: bytes) -> None:
    def script(peer: Hostile) -> None:
        peer.startup()
        peer.send(junk)

    assert meet(world, script, tls=False)[0]["C"] == "08006"


@pytest.mark.parametrize(
    "greeting",
    [
        READY,
        message(b"S", b"client_encoding\0LATIN1\0")
        + message(b"S", b"standard_conforming_strings\0on\0")
        + READY,
        b"S\x7f\xff\xff\xff",
        message(b"S", b"a\0" + b"x" * 70_000 + b"\0") * 5,
        message(b"S", b"unended"),
        message(b"D", bytes(2)),
        GOOD + message(b"K", bytes(7)) + READY,
        GOOD + message(b"K", bytes(4 + 257)) + READY,
        GOOD + message(b"v", struct.pack("!II", 3 << 16, 0)) + READY,
    ],
    ids=["no parameters", "latin1", "huge", "much", "unended", "row", "short", "long", "late"],
)
def test_a_greeting_that_does_not_hold_what_it_must_is_refused(
    world: World, greeting: bytes
) -> None:
    def script(peer: Hostile) -> None:
        peer.startup()
        peer.scram(USER_PASSWORD, offer=PLAIN)
        peer.ask(0)
        peer.send(greeting)

    assert meet(world, script, tls=False)[0]["C"] == "08006"


@pytest.mark.parametrize(
    ("sqlstate", "text", "shown"),
    [
        ("53300", "sorry, too many clients already", "53300"),
        ("57P03", "the database system is starting up", "57P03"),
        ("3D000", 'database "shop" does not exist', "3D000"),
        ("28P01", "password authentication failed", "08004"),
        ("XX000", "odd", "08004"),
    ],
)
def test_why_a_server_does_not_let_us_in_reaches_the_client(
    world: World, sqlstate: str, text: str, shown: str
) -> None:
    def script(peer: Hostile) -> None:
        peer.startup()
        peer.error(sqlstate, text)

    fields, _ = meet(world, script, tls=False)
    assert fields["C"] == shown
    assert (text in fields["M"]) == (sqlstate == shown)
    assert "database" in fields["M"]


@pytest.mark.parametrize("step", ["connect", "tls", "startup", "sasl", "continue", "ok"])
def test_a_server_that_falls_silent_is_given_up(world: World, step: str) -> None:
    world.call(world.gateway.stop())
    world.start(Limits(dial_s=0.7))

    def script(peer: Hostile) -> None:
        if step == "connect":
            return
        if step == "tls":
            peer.read(8)
            peer.send(b"S")  # and then no handshake
            return
        peer.tls()
        peer.startup()
        if step == "sasl":
            peer.ask(10, PLAIN + b"\0\0")
        elif step in ("continue", "ok"):
            peer.scram(USER_PASSWORD, offer=PLAIN)
            if step == "ok":
                peer.ask(0)

    begun = time.monotonic()
    fields, _ = meet(world, script, tls=True)
    assert time.monotonic() - begun < 5
    assert (fields["C"], "did not answer in time" in fields["M"]) == ("08006", True)


@pytest.mark.parametrize("secret", [b"four", b"x" * 32, b"x" * 256])
def test_a_cancel_shows_the_server_the_key_that_it_gave(world: World, secret: bytes) -> None:
    """However long it is: 3.2 is asked for, and an older server says that it speaks 3.0."""
    pid = struct.pack("!I", 77)

    def script(peer: Hostile) -> None:
        if not peer.startup().startswith(struct.pack("!I", (3 << 16) + 2)):
            return
        if len(secret) == 4:
            peer.send(message(b"v", struct.pack("!II", 3 << 16, 0)))
        peer.scram(USER_PASSWORD, offer=PLAIN)
        peer.ask(0)
        peer.send(GOOD + message(b"K", pid + secret) + READY)

    with hostile(script, world.leaf) as place:
        settings: dict[str, object] = {"tls": "disable", "ca_file": None, "port": place.port}
        tunnel = FixedTunnel(
            database(world.server, world.ca_file, **settings), world.tunnel._credentials
        )
        world.tunnels.tunnels[:] = [tunnel]
        world.tunnel = tunnel
        with raw(world) as client:
            client.log_in()
            assert client.key[:4] == pid
            assert secret not in client.key, "the real secret left the gateway"
            client.send(message(b"Q", b"select 1\0"))
            wait_until(lambda: tunnel.guards[0].judged == ["select 1"], what="the statement")
        wait_until(lambda: len(place.met) > 1 and len(place.met[1].heard) > 11, what="the cancel")
    assert place.met[1].heard[4:] == struct.pack("!I", 80877102) + pid + secret


def test_rows_that_nobody_asked_for_do_not_reach_the_client(world: World) -> None:
    def script(peer: Hostile) -> None:
        peer.startup()
        peer.scram(USER_PASSWORD, offer=PLAIN)
        peer.ask(0)
        peer.send(
            GOOD
            + message(b"K", struct.pack("!II", 1, 2))
            + READY
            + message(b"D", struct.pack("!HI", 1, 6) + b"unseen")
        )

    fields, _ = meet(world, script, tls=False)
    assert fields["C"] == "08P01"
    assert "unseen" not in str(fields)
