"""A statement that waits for leave, on a real server: released, denied, cancelled, left, ended."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

import pytest

from dbgate_broker.gateway.seams import LiveGuard, Tell
from dbgate_broker.testing.gateway import FixedTunnel
from dbgate_core.holds import BY_USER
from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.pgwire.messages import decode_fields, message
from tests.integration.credentials.servers import wait_until
from tests.integration.gateway.raw import Raw, query, raw
from tests.integration.gateway.test_cancel import cancel, log_in
from tests.integration.gateway.world import LIMIT_S, World

HELD = "insert into sink values (1, 'held for leave')"
NO = Refusal("42501", "denied by bob", hint="ask carol")
SYNC = message(b"S", b"")


def extended(text: str) -> bytes:
    parse = message(b"P", b"\0" + text.encode() + b"\0\0\0")
    bind = message(b"B", b"\0\0" + struct.pack("!HHH", 0, 0, 0))
    return parse + bind + message(b"E", b"\0" + bytes(4)) + SYNC


FORMS: dict[str, Callable[[str], bytes]] = {"simple": query, "extended": extended}


@pytest.fixture(autouse=True)
def empty(world: World) -> None:
    world.server.query("truncate sink")


def rows(world: World) -> int:
    return int(world.server.query("select count(*) from sink")[0][0])


def waits(client: Raw, tunnel: FixedTunnel, number: int = 1) -> None:
    """Until the client was told that its statement waits, as the `number`th."""
    kind, body = client.until("N")[-1]
    assert (kind, decode_fields(body)["S"]) == ("N", "NOTICE")
    wait_until(lambda: len(tunnel.decisions) == number, LIMIT_S, "the wait")


def decide(world: World, answer: Refusal | None, number: int = -1) -> None:
    """Give leave, or refuse."""
    if answer is None:
        world.guard.leave.add(HELD)
    decision = world.tunnel.decisions[number]
    world.soon(lambda: decision.set_result(answer or NO))


@pytest.mark.parametrize("form", FORMS)
def test_it_runs_once_when_leave_comes_and_not_before(world: World, form: str) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(FORMS[form](HELD))
        waits(client, world.tunnel)
        assert rows(world) == 0
        decide(world, None)
        assert client.until("Z")[-2] == ("C", b"INSERT 0 1\0")
        assert rows(world) == 1
        client.send(query("select 1"))
        assert [kind for kind, _ in client.until("Z")] == ["T", "D", "C", "Z"]
    assert world.tunnel.shorts == [False]


@pytest.mark.parametrize("form", FORMS)
def test_a_denial_is_an_error_like_any_other(world: World, form: str) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(FORMS[form](HELD) + query("select 1"))
        waits(client, world.tunnel)
        decide(world, NO)
        kind, body = client.read()
        fields = decode_fields(body)
        assert (kind, fields["C"], fields["M"]) == ("E", "42501", "denied by bob")
        assert client.read() == ("Z", b"I")
        assert [kind for kind, _ in client.until("Z")] == ["T", "D", "C", "Z"]
    assert rows(world) == 0


@pytest.mark.parametrize("minor", [0, 2])
def test_a_cancel_ends_the_wait_and_nothing_else(world: World, minor: int) -> None:
    with raw(world) as client:
        key = log_in(client, minor)
        client.send(query(HELD))
        waits(client, world.tunnel)
        cancel(world, key)
        fields = decode_fields(client.until("E")[-1][1])
        assert (fields["C"], fields["M"]) == (BY_USER.sqlstate, BY_USER.message)
        assert client.read() == ("Z", b"I")
        assert world.tunnel.decisions[0].cancelled()
        client.send(query("select pg_sleep(60)"))
        wait_until(lambda: bool(world.server.running()), LIMIT_S, "the statement")
        cancel(world, key)  # what runs is cancelled as ever
        assert decode_fields(client.until("E")[-1][1])["C"] == "57014"
    assert rows(world) == 0


@pytest.mark.parametrize("leave", [Raw.close, Raw.vanish])
def test_a_client_that_leaves_ends_the_wait(world: World, leave: Callable[[Raw], None]) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query(HELD) + message(b"X", b""))
        waits(client, world.tunnel)
        leave(client)
        wait_until(world.tunnel.decisions[0].cancelled, LIMIT_S, "the end of the wait")
    world.settled()
    assert rows(world) == 0


def test_the_connections_last_entry_comes_behind_the_end_of_its_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    closings: list[int] = []

    async def slow(guard: LiveGuard, hold: Hold, *, in_transaction: bool, tell: Tell) -> Refusal:
        tell("waiting", "")
        try:
            return await asyncio.Future[Refusal]()
        finally:
            for _ in range(100):
                await asyncio.sleep(0)
            closings.append(world.guard.closings)

    monkeypatch.setattr(world.tunnel, "decide", slow)
    with raw(world) as client:
        client.log_in()
        client.send(query(HELD))
        client.until("N")
        client.close()
        wait_until(lambda: bool(closings), LIMIT_S, "the end of the wait")
    world.settled()
    assert closings == [0]
    assert world.guard.closings == 1


def test_the_sessions_end_ends_the_wait(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query(HELD))
        waits(client, world.tunnel)
        connection = next(iter(world.tunnel.attached.values()))
        world.soon(lambda: connection.terminate("57P01", "the session's window has ended"))
        fields = client.error()
        assert (fields["S"], fields["C"]) == ("FATAL", "57P01")
    assert world.tunnel.decisions[0].cancelled()
    world.settled()
    assert rows(world) == 0


def test_the_databases_end_ends_the_wait(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query(HELD))
        waits(client, world.tunnel)
        world.server.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'ephemeral'"
        )
        client.rest()
    assert world.tunnel.decisions[0].cancelled()
    world.settled()


def test_in_a_transaction_it_is_known_that_locks_are_held(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query("begin") + query(HELD) + query("commit"))
        waits(client, world.tunnel)
        assert world.tunnel.shorts == [True]
        decide(world, NO)
        assert [body for kind, body in client.until("Z") if kind == "Z"] == [b"E"]
        assert client.until("Z")[-2:] == [("C", b"ROLLBACK\0"), ("Z", b"I")]
    assert rows(world) == 0


@pytest.mark.parametrize("form", FORMS)
def test_under_other_policies_it_is_judged_anew(world: World, form: str) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(FORMS[form](HELD))
        waits(client, world.tunnel)
        world.soon(lambda: world.tunnel.decisions[0].set_result(None))
        waits(client, world.tunnel, 2)  # still held, if for other people
        assert rows(world) == 0
        world.guard.leave.add(HELD)
        world.soon(lambda: world.tunnel.decisions[1].set_result(None))
        assert client.until("Z")[-2] == ("C", b"INSERT 0 1\0")
    assert rows(world) == 1
    assert world.guard.refusals == []


def test_two_wait_at_once_and_each_is_decided_by_itself(world: World) -> None:
    with raw(world) as one, raw(world) as other:
        one.log_in()
        one.send(query(HELD))
        waits(one, world.tunnel)
        other.log_in()
        other.send(query(HELD))
        waits(other, world.tunnel, 2)
        decide(world, NO, 1)
        assert decode_fields(other.until("E")[-1][1])["M"] == NO.message
        world.tunnel.guards[0].leave.add(HELD)
        decide(world, NO, 0)
        assert one.until("Z")[-2] == ("C", b"INSERT 0 1\0")
    assert rows(world) == 1


def test_what_is_sent_behind_it_waits_within_bounds(world: World) -> None:
    filler = query("select '" + "x" * 100_000 + "'")
    with raw(world) as client:
        client.log_in()
        client.send(query(HELD) + filler * 10)
        waits(client, world.tunnel)
        decide(world, None)
        for _ in range(11):
            assert client.until("Z")[-1] == ("Z", b"I")
    assert rows(world) == 1
