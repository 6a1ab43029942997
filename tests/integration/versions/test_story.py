"""One short story before every version: connect, query, copy, fail, cancel, end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import errors

from dbgate_broker.catalog.service import read_catalog
from dbgate_broker.gateway.seams import Credentials
from dbgate_core.pgwire.messages import decode_fields, message
from dbgate_core.secret import Secret
from tests.integration.credentials.servers import wait_until
from tests.integration.gateway.raw import Message, Raw, query
from tests.integration.gateway.world import LIMIT_S, ROWS, USER_PASSWORD, World

SLEEP = "select pg_sleep(60)"
SYNC = message(b"S", b"")


@contextmanager
def direct(world: World) -> Iterator[Raw]:
    """The same client at the server itself."""
    client = Raw(world, port=world.server.port)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def through(world: World) -> Iterator[Raw]:
    client = Raw(world)
    client.connect()
    try:
        yield client
    finally:
        client.close()


def greeting(client: Raw, user: str, password: str, **parameters: str) -> list[Message]:
    """Log in; what the server says up to ReadyForQuery."""
    client.startup({"user": user} | parameters)
    assert client.scram(password)[0] == "R"
    return client.until("Z")


def both(world: World, **parameters: str) -> tuple[list[Message], list[Message]]:
    own, password = world.tunnel.username, world.tunnel.password.expose()
    with direct(world) as one, through(world) as other:
        return (
            greeting(one, "ephemeral", USER_PASSWORD, **parameters),
            greeting(other, own, password, **parameters),
        )


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"application_name": "reports", "DateStyle": "German", "TimeZone": "Asia/Kolkata"},
        {"options": "-c search_path=pg_catalog -c IntervalStyle=iso_8601 --work-mem=8MB"},
    ],
)
def test_a_client_is_greeted_as_the_server_greets_it(
    world: World, parameters: dict[str, str]
) -> None:
    """Every ParameterStatus, in its order; only the cancel key is another one."""
    alone, shown = both(world, **parameters)
    assert [m for m in shown if m[0] != "K"] == [m for m in alone if m[0] != "K"]
    keys = [body for kind, body in alone + shown if kind == "K"]
    assert [len(key) for key in keys] == [8, 8]
    assert keys[0] != keys[1]


SPOKEN = [
    query("set application_name = 'x'"),
    query("select 1; select 1/0; select 2"),
    query('select name as "ÿ" from items limit 1'),
    message(b"Q", b"select '\xff'\0"),
    message(b"P", b"\0select '\xc3('\0\0\0") + SYNC,
    message(b"D", b"Sno \xf0\x28\0") + SYNC,
    message(b"E", b"\xed\xa0\x80\0\0\0\0\0") + SYNC,
    query("copy (select id from items order by id limit 3) to stdout"),
    query("do $$ begin raise notice 'so'; end $$"),
    query(""),
]


@pytest.mark.parametrize("said", SPOKEN)
def test_a_client_is_answered_as_the_server_answers_it(world: World, said: bytes) -> None:
    own, password = world.tunnel.username, world.tunnel.password.expose()
    with direct(world) as one, through(world) as other:
        greeting(one, "ephemeral", USER_PASSWORD)
        greeting(other, own, password)
        answers = []
        for client in (one, other):
            client.send(said)
            answers.append([_told(found) for found in client.until("Z")])
            client.send(query("select 'still here'"))
            answers[-1] += client.until("Z")
    assert answers[1] == answers[0]


def _told(found: Message) -> Message | tuple[str, dict[str, str]]:
    """An error without the place in the server's source and the hint, which may be ours."""
    kind, body = found
    if kind != "E":
        return found
    fields = decode_fields(body)
    return kind, {key: fields[key] for key in "SVCM"}


def test_statements_of_every_kind(world: World) -> None:
    with world.connect() as connection:
        row = connection.execute("show server_version").fetchone()
        assert row is not None
        assert connection.info.parameter_status("server_version") == row[0]
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            cursor.execute("select %b::int + 1, %s::text", (41, "ä"))
            assert cursor.fetchall() == [(42, "ä")]
        with connection.pipeline():
            cursors = [connection.execute("select %s::int", (n,)) for n in range(20)]
            assert [cursor.fetchone() for cursor in cursors] == [(n,) for n in range(20)]
        cursor.execute("truncate sink")
        with cursor.copy("copy sink from stdin") as copy:
            for n in range(ROWS):
                copy.write_row((n, "x" * 100))
        with cursor.copy("copy sink to stdout (format binary)") as out:
            assert sum(len(data) for data in out) > ROWS * 100
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("select 'forbidden'")
        connection.execute("select set_config('application_name', 'new', false)")
        assert connection.info.parameter_status("application_name") == "new"


@pytest.mark.parametrize("asked", ["3.0", "3.2", "latest"])
def test_a_cancel_by_a_key_of_each_protocol(world: World, asked: str) -> None:
    with world.connect(max_protocol_version=asked) as connection:
        spoken = connection.pgconn.full_protocol_version
        assert spoken == (30000 if asked == "3.0" else 30002)
        watcher = threading.Thread(target=_cancel_when_running, args=(world, connection))
        watcher.start()
        with pytest.raises(errors.QueryCanceled):
            connection.execute("select pg_sleep(30)")
        watcher.join()
        assert connection.execute("select 1").fetchone() == (1,)


def _cancel_when_running(world: World, connection: psycopg.Connection[tuple[object, ...]]) -> None:
    wait_until(lambda: "select pg_sleep(30)" in world.server.running(), LIMIT_S, "the statement")
    connection.cancel_safe()


def test_a_terminated_backend_says_57p01(world: World) -> None:
    with world.connect() as connection:
        connection.execute("select 1")
        world.server.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'ephemeral'"
        )
        with pytest.raises(errors.AdminShutdown):
            connection.execute("select 1")


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_why_a_server_went_is_told_in_its_own_words(world: World, mode: str, running: bool) -> None:
    """All that the server said before it hung up, and nothing of dbgate's where that was FATAL."""
    own, password = world.tunnel.username, world.tunnel.password.expose()
    with direct(world) as one, through(world) as other:
        greeting(one, "ephemeral", USER_PASSWORD)
        greeting(other, own, password)
        if running:
            one.send(query(SLEEP))
            other.send(query(SLEEP))
            wait_until(lambda: world.server.running() == [SLEEP] * 2, LIMIT_S, "the statements")
        world.server.stop(mode)
        try:
            alone, shown = (_fields(client.rest()) for client in (one, other))
        finally:
            world.server.start()
    assert {found["C"] for found in alone} <= {"57P01", "57P02"}
    if alone and alone[0]["S"] == "FATAL":
        assert shown == alone
    else:  # a WARNING, which the server sends where it can, and then the end
        assert mode == "immediate"
        assert [(found["S"], found["C"]) for found in shown[:-1]] in (
            [],
            [("WARNING", "57P01")],
            [("WARNING", "57P02")],
        )
        assert (shown[-1]["S"], shown[-1]["C"]) == ("FATAL", "08006")


def _fields(data: bytes) -> list[dict[str, str]]:
    """Errors and notices, without the place in the server's source."""
    found = []
    while data:
        end = 1 + int.from_bytes(data[1:5], "big")
        if data[:1] in (b"E", b"N"):
            fields = decode_fields(data[5:end])
            found.append({key: fields[key] for key in "SVCM"})
        data = data[end:]
    return found


def test_a_server_that_is_starting_or_gone_is_told(world: World) -> None:
    world.server.stop("fast")
    try:
        with pytest.raises(psycopg.OperationalError, match="cannot be reached"):
            world.connect()
    finally:
        world.server.start()


def test_the_catalog_is_read(world: World) -> None:
    credentials = Credentials("ephemeral", Secret(USER_PASSWORD))
    catalog = asyncio.run(read_catalog(world.tunnel.database, credentials))
    (found,) = catalog.named("items")
    assert [column.name for column in found.columns] == ["id", "name"]
