"""A CancelRequest in each state of a connection, by the keys of both protocols."""

from __future__ import annotations

import struct

import pytest

from dbgate_core.pgwire.messages import decode_fields, message
from tests.integration.credentials.servers import wait_until
from tests.integration.gateway.raw import Raw, query, raw
from tests.integration.gateway.world import LIMIT_S, World

SLEEP = "select pg_sleep(60)"
MANY = "select repeat('x', 1000) from generate_series(1, 10000000)"
SYNC = message(b"S", b"")


def extended(text: str) -> bytes:
    parse = message(b"P", b"\0" + text.encode() + b"\0\0\0")
    bind = message(b"B", b"\0\0" + struct.pack("!HHH", 0, 0, 0))
    return parse + bind + message(b"E", b"\0" + bytes(4))


STATES = {
    "simple": query(SLEEP),
    "extended": extended(SLEEP) + SYNC,
    "flushed": extended(SLEEP) + message(b"H", b""),
    "copy in": query("copy sink from stdin"),
    "copy in, extended": extended("copy sink from stdin"),
    "copy out": query(f"copy ({MANY}) to stdout"),
    "rows": query(MANY),
    "rows, extended": extended(MANY) + SYNC,
}


def cancel(world: World, key: bytes) -> None:
    """Ask on a connection of its own; the answer is its end."""
    with raw(world) as other:
        other.connect()
        other.send(struct.pack("!II", 8 + len(key), 80877102) + key)
        assert other.rest() == b""


def log_in(client: Raw, minor: int) -> bytes:
    client.connect()
    client.startup(version=(3 << 16) + minor)
    assert client.scram()[0] == "R"
    (key,) = (body for kind, body in client.until("Z") if kind == "K")
    return key


@pytest.mark.parametrize("minor", [0, 2])
@pytest.mark.parametrize("state", STATES)
def test_what_runs_is_cancelled_and_the_connection_goes_on(
    world: World, state: str, minor: int
) -> None:
    with raw(world) as client:
        key = log_in(client, minor)
        client.send(query("begin"))
        client.until("Z")
        client.send(STATES[state])
        wait_until(lambda: bool(world.server.running()), LIMIT_S, "the statement")
        if state.startswith("rows"):  # a cancel between Parse and Execute would find nothing to end
            client.until("D")
        cancel(world, key)
        if state.startswith("copy in"):  # PostgreSQL takes note when the next data come
            client.send(message(b"d", b"1\tone\n"))
        fields = decode_fields(client.until("E")[-1][1])
        assert (fields["C"], fields["S"]) == ("57014", "ERROR")
        if state in ("flushed", "copy in, extended"):
            client.send(SYNC)
        assert client.until("Z")[-1] == ("Z", b"E")
        client.send(query("rollback") + query("select 1"))
        client.until("Z")
        assert [kind for kind, _ in client.until("Z")] == ["T", "D", "C", "Z"]


def test_only_the_running_part_of_a_pipeline_is_cancelled(world: World) -> None:
    with raw(world) as client:
        key = log_in(client, 0)
        client.send(extended(SLEEP) + extended("select 2") + SYNC + extended("select 3") + SYNC)
        wait_until(lambda: world.server.running() == [SLEEP], LIMIT_S, "the statement")
        cancel(world, key)
        assert decode_fields(client.until("E")[-1][1])["C"] == "57014"
        assert client.read()[0] == "Z"
        assert [kind for kind, _ in client.until("Z")] == ["1", "2", "D", "C", "Z"]


def test_an_idle_connection_is_not_disturbed(world: World) -> None:
    with raw(world) as client:
        key = log_in(client, 2)
        cancel(world, key)
        client.send(query("select 1"))
        assert [kind for kind, _ in client.until("Z")] == ["T", "D", "C", "Z"]


@pytest.mark.parametrize("change", ["cut", "longer", "other", "no process"])
def test_a_long_key_is_needed_whole(world: World, change: str) -> None:
    with raw(world) as client:
        key = log_in(client, 2)
        client.send(query(SLEEP))
        wait_until(lambda: world.server.running() == [SLEEP], LIMIT_S, "the statement")
        wrong = {
            "cut": key[:8],
            "longer": key + b"\0",
            "other": key[:-1] + bytes([key[-1] ^ 1]),
            "no process": bytes(4) + key[4:],
        }
        cancel(world, wrong[change])
        assert world.server.running() == [SLEEP]
        cancel(world, key)
        assert decode_fields(client.until("E")[-1][1])["C"] == "57014"
