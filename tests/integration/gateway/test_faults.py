"""Peers that break off, break the rules, or do not keep up, in the midst of a session."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbgate_broker.gateway.keys import Keys
from dbgate_broker.gateway.limits import MAX_READINGS
from dbgate_broker.gateway.seams import Terminable
from dbgate_broker.testing.gateway import DiaryGuard, FixedTunnel, Rewriter
from dbgate_core.errors import AuditUnavailable, Unreachable
from dbgate_core.pgwire.guard import Hold, Outcome, Permit, Refusal, Running, Status
from dbgate_core.pgwire.messages import decode_fields, message
from tests.integration.credentials.servers import wait_until
from tests.integration.gateway.raw import Raw, query, raw
from tests.integration.gateway.world import World, database

SLEEP = "select pg_sleep(60)"


def wait_running(world: World, text: str = SLEEP) -> None:
    wait_until(lambda: world.server.running() == [text], 10, "the statement's start")


@pytest.mark.parametrize("leave", [Raw.vanish, Raw.close])
def test_a_client_gone_in_mid_query_leaves_nothing_running(
    world: World, leave: Callable[[Raw], None]
) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query(SLEEP))
        wait_running(world)
        leave(client)
        started = time.monotonic()
        wait_until(lambda: world.server.backends() == 0, 10, "the backend's end")
        assert time.monotonic() - started < 3
    world.settled()
    assert world.guard.notes[0].outcome == Outcome(Status.LOST, sqlstate="08006")


def test_a_client_gone_before_its_statement_started_leaves_nothing_running(world: World) -> None:
    """The first CancelRequest may overtake the statement; the repeated one does not."""
    for _ in range(5):
        with raw(world) as client:
            client.log_in()
            client.send(query(SLEEP) + query(SLEEP))
            client.vanish()
    wait_until(lambda: world.server.backends() == 0, 15, "the backends' end")


def test_a_client_gone_in_the_midst_of_a_copy_leaves_no_rows(world: World) -> None:
    world.server.query("truncate sink")
    for cut in (message(b"d", b"1\tone\n"), b"d" + struct.pack("!I", 5000) + b"2\ttwo\n"):
        with raw(world) as client:
            client.log_in()
            client.send(query("copy sink from stdin"))
            client.until("G")
            client.send(cut)
            client.vanish()
        world.settled()
    assert world.server.query("select count(*) from sink") == [(0,)]


def test_terminate_behind_a_statement_lets_it_finish(world: World) -> None:
    world.server.query("truncate sink")
    with raw(world) as client:
        client.log_in()
        client.send(query("insert into sink select 1, pg_sleep(0.3)::text") + message(b"X", b""))
        client.close()
    world.settled()
    assert world.server.query("select count(*) from sink") == [(1,)]


def test_a_backend_killed_in_mid_query_is_told(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query(SLEEP))
        wait_running(world)
        world.server.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'ephemeral'"
        )
        fields = client.error()
    assert (fields["S"], fields["C"]) == ("FATAL", "57P01")
    world.settled()
    assert world.guard.notes[0].outcome == Outcome(Status.ERROR, sqlstate="57P01")


def test_a_session_that_is_killed_tells_the_client(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query(SLEEP))
        wait_running(world)
        connection = next(iter(world.tunnel.attached.values()))
        world.soon(lambda: connection.terminate("57P01", "killed by bob"))
        fields = client.error()
    assert (fields["S"], fields["C"], fields["M"]) == ("FATAL", "57P01", "killed by bob")
    wait_until(lambda: world.server.backends() == 0, 10, "the backend's end")


def attached(world: World) -> Terminable:
    return next(iter(world.tunnel.attached.values()))


def test_a_warning_reaches_an_idle_client_at_once(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        world.soon(lambda: attached(world).warn("this session ends soon", "hurry"))
        kind, body = client.read()
        assert kind == "N"
        fields = decode_fields(body)
        assert (fields["S"], fields["C"], fields["H"]) == ("WARNING", "01000", "hurry")
        client.send(query("select 1"))
        assert [kind for kind, _ in client.until("Z")] == ["T", "D", "C", "Z"]


def test_a_warning_in_the_midst_of_rows_stands_between_two_of_them(world: World) -> None:
    notices: list[str] = []
    with world.connect() as connection:
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        with connection.cursor() as cursor:
            rows = cursor.stream("select repeat('x', 100000) from generate_series(1, 300)")
            next(rows)
            world.soon(lambda: attached(world).warn("this session ends soon", ""))
            assert all(len(value) == 100_000 for (value,) in rows)
    assert notices == ["this session ends soon"]


def test_a_gateway_that_stops_tells_every_client_within_3_s(world: World) -> None:
    clients = [Raw(world) for _ in range(5)]
    for client in clients:
        client.log_in()
    clients[0].send(query(SLEEP))
    wait_running(world)
    started = time.monotonic()
    world.call(world.gateway.stop())
    assert time.monotonic() - started < 3
    for client in clients:
        assert client.error()["C"] == "57P01"
        client.close()
    with pytest.raises(OSError, match="refused"):
        Raw(world)


@pytest.mark.parametrize(
    ("send", "sqlstate"),
    [
        (b"Z\0\0\0\x04", "08P01"),
        (b"\0" * 64, "08P01"),
        (b"Q\0\0\0\x03", "08P01"),
        (b"Q\xff\xff\xff\xff", "54000"),
        (b"Q\x7f\xff\xff\xff", "54000"),
        (b"B\x7f\xff\xff\xff", "54000"),
        (b"d\x7f\xff\xff\xff", "54000"),
        (b"S\0\0\x40\0", "54000"),
        (message(b"Q", b"select 1"), "08P01"),
        (message(b"Q", b"select 1\0select 2\0"), "08P01"),
        (message(b"P", b"\0select 1\0\0\x05"), "08P01"),
        (message(b"B", b"\0\0\0\0\0\x01\x7f\xff\xff\xff\0\0"), "08P01"),
        (message(b"p", b"password\0"), "08P01"),
        (message(b"S", b"x"), "08P01"),
        (struct.pack("!II", 8, 80877103), "08P01"),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(
    world: World, send: bytes, sqlstate: str
) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query("select 1"))
        client.until("Z")
        client.send(send)
        fields = client.error()
    assert (fields["S"], fields["C"]) == ("FATAL", sqlstate)
    world.settled()
    assert len(world.guard.notes) == 1


def test_half_a_message_is_never_forwarded(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        whole = query("select 'half'")
        client.send(whole[:-3])
        client.vanish()
    world.settled()
    assert world.guard.judged == []


def test_a_function_call_is_refused_in_step(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(message(b"F", struct.pack("!IHHH", 1344, 0, 0, 0)) + query("select 1"))
        first = client.until("Z")
        assert decode_fields(first[0][1])["C"] == "0A000"
        assert [kind for kind, _ in client.until("Z")] == ["T", "D", "C", "Z"]


class Broken(DiaryGuard):
    """A guard whose chosen step raises."""

    step = ""
    error: Exception = RuntimeError("marker-of-a-secret")

    def _maybe(self, step: str) -> None:
        if step == self.step:
            raise self.error

    def judge(self, text: str) -> Permit | Refusal | Hold:
        self._maybe("judge")
        return super().judge(text)

    def rows(self, permit: Permit, fields: Any) -> Any:
        self._maybe("rows")
        return super().rows(permit, fields)

    def end(self, running: Running, outcome: Outcome) -> None:
        super().end(running, outcome)
        self._maybe("end")

    def redact(self, permit: Permit | None, fields: dict[str, str]) -> dict[str, str]:
        self._maybe("redact")
        return super().redact(permit, fields)

    def closed(self) -> None:
        super().closed()
        self._maybe("closed")


@pytest.mark.parametrize("step", ["judge", "rows", "end", "redact"])
def test_an_unexpected_error_of_the_guard_ends_the_connection(world: World, step: str) -> None:
    world.tunnel.make_guard = type("Odd", (Broken,), {"step": step})
    with raw(world) as client:
        client.log_in()
        client.send(query("select 'protected'; select 1/0"))
        data = client.rest()
    assert b"CXX000\0" in data
    assert b"marker" not in data
    if step == "rows":
        assert b"protected" not in data


@pytest.mark.parametrize("step", ["end", "closed"])
def test_a_log_that_fails_at_the_end_still_lets_go(world: World, step: str) -> None:
    kind = type("Full", (Broken,), {"step": step, "error": AuditUnavailable("the disk is full")})
    world.tunnel.make_guard = kind
    with raw(world) as client:
        client.log_in()
        client.send(query(SLEEP))
        wait_running(world)
        client.vanish()


def test_a_catalog_that_cannot_be_read_again_ends_the_connection(world: World) -> None:
    world.tunnel.fails["refresh"] = Unreachable("the catalog cannot be read")
    with raw(world) as client:
        client.log_in()
        client.send(query("create table if not exists later (id int)") + query("select 1"))
        assert client.error()["M"] == "the catalog cannot be read"
    assert world.guard.judged == ["create table if not exists later (id int)"]


def test_a_schema_that_changes_while_it_is_read_is_read_again(world: World) -> None:
    world.tunnel.changing = MAX_READINGS - 1
    with world.connect() as connection:
        connection.execute("create table if not exists later (id int)")
        assert connection.execute("select 1").fetchone() == (1,)
    assert world.tunnel.refreshed >= MAX_READINGS


def test_a_schema_that_never_rests_ends_the_connection(world: World) -> None:
    world.tunnel.changing = 1_000_000
    with raw(world) as client:
        client.log_in()
        client.send(query("create table if not exists later (id int)") + query("select 1"))
        assert client.error()["C"] == "08006"
    assert world.tunnel.refreshed == MAX_READINGS
    assert "select 1" not in world.guard.judged


@pytest.mark.parametrize("masked", [False, True])
def test_a_reader_that_does_not_read_costs_no_memory(world: World, masked: bool) -> None:
    if masked:
        world.tunnel.make_guard = lambda: DiaryGuard(mask=Rewriter(lambda data: data))
    with raw(world) as client:
        client.log_in()
        before = resident_bytes()
        client.send(query("select repeat('x', 10000) from generate_series(1, 30000)"))
        wait_until(lambda: blocked(world), 15, "the server's wait for us")
        assert resident_bytes() - before < 24 << 20
        kind, rows = "", 0
        while kind != "Z":
            kind, _ = client.read()
            rows += kind == "D"
        assert rows == 30_000


def blocked(world: World) -> bool:
    """Whether the backend waits until its client reads."""
    rows = world.server.query(
        "select wait_event from pg_stat_activity where usename = 'ephemeral' and state = 'active'"
    )
    return rows == [("ClientWrite",)]


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_a_kill_while_the_client_does_not_read_frees_both_sides(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query("select repeat('x', 10000) from generate_series(1, 30000)"))
        wait_until(lambda: blocked(world), 15, "the server's wait for us")
        connection = next(iter(world.tunnel.attached.values()))
        world.soon(lambda: connection.terminate("57P01", "killed"))
        world.settled()


def test_a_mask_that_fails_lets_no_row_pass(world: World) -> None:
    def fails(data: bytes) -> bytes:
        raise Unreachable("the mask cannot be made")

    world.tunnel.make_guard = lambda: DiaryGuard(mask=Rewriter(fails))
    with world.connect() as connection:
        with pytest.raises(psycopg.OperationalError, match="the mask cannot be made"):
            connection.execute("select name from items")
        with pytest.raises(psycopg.OperationalError, match="the mask cannot be made"):
            connection.execute("select name from items where id < %s", (5,))
    assert [note.outcome.status for note in world.guard.notes if note.outcome] == [
        Status.ERROR,
        Status.ERROR,
    ]


def cancel(client: Raw, key: bytes) -> None:
    client.connect()
    client.send(struct.pack("!II", 8 + len(key), 80877102) + key)
    assert client.rest() == b""


def test_the_key_of_another_session_cancels_nothing(world: World) -> None:
    with raw(world) as client, raw(world) as own:
        client.log_in()
        client.send(query(SLEEP))
        wait_running(world)
        other = FixedTunnel(
            database(world.server, world.ca_file), world.tunnel._credentials, session_id="s-2"
        )
        world.tunnels.tunnels.append(other)
        mine, world.tunnel = world.tunnel, other
        with raw(world) as stranger:
            cancel(stranger, client.key)
        world.tunnel = mine
        with raw(world) as guess:
            cancel(guess, client.key[:4] + bytes(4))
        assert world.server.running() == [SLEEP]
        cancel(own, client.key)
        assert decode_fields(client.until("E")[-1][1])["C"] == "57014"


def test_the_process_id_is_the_backends_own(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        backend = world.server.query("select pid from pg_stat_activity where usename = 'ephemeral'")
        assert int.from_bytes(client.key[:4], "big") == backend[0][0]
        assert len(client.key) == 8


def test_backends_of_two_servers_may_have_the_same_process_id() -> None:
    async def cancel() -> None: ...

    async def other() -> None: ...

    keys = Keys()
    secrets = keys.issue("one", cancel, 77, 4), keys.issue("two", other, 77, 32)
    assert keys.find("one", 77, secrets[0]) is cancel
    assert keys.find("two", 77, secrets[1]) is other
    assert keys.find("one", 77, secrets[1]) is None
    assert keys.find("two", 78, secrets[1]) is None
    keys.withdraw(77, secrets[0])
    assert keys.find("one", 77, secrets[0]) is None
    assert keys.find("two", 77, secrets[1]) is other
    keys.withdraw(77, secrets[1])
    assert len(keys) == 0
