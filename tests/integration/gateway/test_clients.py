"""Real clients through the gateway to a real server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest
from psycopg import errors

from dbgate_broker.gateway.seams import Credentials
from dbgate_core.pgwire.guard import Outcome, Status
from dbgate_core.secret import Secret
from tests.integration.credentials.servers import wait_until
from tests.integration.gateway.world import ROWS, USER_PASSWORD, World


def texts(world: World) -> list[str]:
    return [noted.text for noted in world.guard.notes]


def test_a_statement_is_recorded_and_its_rows_come(world: World) -> None:
    with world.connect() as connection:
        rows = connection.execute("select id, name from items where id < 3 order by id").fetchall()
        assert rows == [(1, "item 1"), (2, "item 2")]
    note = world.guard.notes[0]
    assert note.outcome == Outcome(Status.OK, "SELECT 2", 2)
    assert world.tunnel.facts[0].peer.startswith("127.0.0.1:")


def test_the_server_sees_the_ephemeral_user_over_tls_with_binding(world: World) -> None:
    with world.connect(application_name="reports") as connection:
        row = connection.execute(
            "select current_user, ssl, version, current_setting('application_name'),"
            " current_setting('standard_conforming_strings')"
            " from pg_stat_ssl where pid = pg_backend_pid()"
        ).fetchone()
    assert row == ("ephemeral", True, "TLSv1.3", "reports", "on")
    assert world.tunnel.facts[0].settings == {"application_name": "reports"}


def test_keys_are_made_once_for_a_salt_and_kept_with_the_credentials(world: World) -> None:
    credentials = world.tunnel._credentials
    for _ in range(2):
        world.connect().close()
        (made,) = credentials.keys.values()
    with world.connect():
        assert list(credentials.keys.values()) == [made]
        assert next(iter(credentials.keys.values())) is made
    world.server.query(f"alter role ephemeral password '{USER_PASSWORD}'")  # another salt
    world.connect().close()
    (other,) = credentials.keys.values()
    assert other != made
    assert "Key" not in repr(credentials)


@pytest.mark.parametrize("password", ["pä\u00a0ß\u2168", "bell\x07", "\u0627x"])
def test_a_password_beyond_ascii_is_prepared_as_the_server_prepares_it(
    world: World, password: str
) -> None:
    quoted = password.replace("'", "''")
    world.server.query(f"alter role ephemeral password '{quoted}'")
    world.tunnel._credentials = Credentials("ephemeral", Secret(password))
    try:
        with world.connect() as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        world.server.query(f"alter role ephemeral password '{USER_PASSWORD}'")


def test_parameters_travel_in_text_and_binary(world: World) -> None:
    with world.connect() as connection:
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            cursor.execute("select %b::int + 1, %s::text", (41, "ä"))
            assert cursor.fetchall() == [(42, "ä")]
    assert all(note.protocol == "extended" for note in world.guard.notes)


def test_a_pipeline_keeps_its_order(world: World) -> None:
    with world.connect() as connection, connection.pipeline():
        cursors = [connection.execute("select %s::int", (n,)) for n in range(50)]
        assert [cursor.fetchone() for cursor in cursors] == [(n,) for n in range(50)]
    assert len(world.guard.notes) == 50


def test_prepared_statements_are_executed_often(world: World) -> None:
    with world.connect() as connection:
        for n in range(20):
            row = connection.execute("select name from items where id = %s", (n + 1,), prepare=True)
            assert row.fetchone() == (f"item {n + 1}",)
    assert len(set(world.guard.judged)) == 1


def test_copy_goes_both_ways(world: World) -> None:
    with world.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("truncate sink")
        with cursor.copy("copy sink from stdin") as copy:
            for n in range(ROWS):
                copy.write_row((n, "x" * 1000))
        with cursor.copy("copy sink to stdout") as out:
            total = sum(len(data) for data in out)
        assert total > ROWS * 1000
        with pytest.raises(errors.BadCopyFileFormat), cursor.copy("copy sink from stdin") as copy:
            copy.write(b"not a row\tof\tthree\n")
        assert cursor.execute("select count(*) from sink").fetchone() == (ROWS,)
    assert [note.outcome.rows for note in world.guard.notes if note.outcome][1:3] == [ROWS, ROWS]


def test_a_copy_that_fails_at_its_start_keeps_the_protocol_in_step(world: World) -> None:
    with world.connect() as connection:
        for _ in range(3):
            with (
                pytest.raises(errors.RaiseException),
                connection.cursor().copy("copy closed from stdin") as copy,
            ):
                copy.write(b"1\n" * 1000)
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_refusal_has_sqlstate_rule_and_hint(world: World) -> None:
    with world.connect() as connection:
        with pytest.raises(errors.InsufficientPrivilege) as caught:
            connection.execute("select 'forbidden'")
        diag = caught.value.diag
        assert (diag.message_primary, diag.message_hint) == ("not allowed: forbidden", "ask for it")
        assert diag.message_detail == "rule: diary"
        assert connection.execute("select 1").fetchone() == (1,)
    assert texts(world) == ["select 1"]


def test_a_refusal_aborts_the_transaction_as_an_error_does(world: World) -> None:
    with world.connect() as connection:
        connection.execute("begin")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("select 'forbidden'")
        with pytest.raises(errors.InFailedSqlTransaction):
            connection.execute("select 1")
        connection.execute("rollback")
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_refusal_in_a_pipeline_skips_what_follows(world: World) -> None:
    with world.connect() as connection:
        connection.execute("truncate sink")
        with pytest.raises(errors.InsufficientPrivilege):
            insert_around_a_refusal(connection)
        assert connection.execute("select count(*) from sink").fetchone() == (0,)
    ends = [(note.text[-8:], note.outcome.status) for note in world.guard.notes if note.outcome]
    assert ends[1:3] == [("(1, 'a')", Status.OK), ("(2, 'b')", Status.SKIPPED)]


def insert_around_a_refusal(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    with connection.pipeline() as pipeline:
        connection.execute("insert into sink values (1, 'a')")
        connection.execute("select 'forbidden'")
        connection.execute("insert into sink values (2, 'b')")
        pipeline.sync()


def test_no_log_no_statement(world: World) -> None:
    with world.connect() as connection:
        world.guard.log_full = True
        with pytest.raises(errors.DiskFull):
            connection.execute("insert into sink values (99, 'unrecorded')")
        world.guard.log_full = False
        assert connection.execute("select * from sink where id = 99").fetchall() == []


def test_no_statement_is_judged_with_a_stale_catalog(world: World) -> None:
    """The double's `judge` fails when it is asked while stale, and the connection would end."""
    with world.connect() as connection:
        connection.execute("create table fresh (id int)")
        with connection.pipeline():
            connection.execute("create table fresh2 (id int)")
            connection.execute("insert into fresh2 values (1)")
            row = connection.execute("select count(*) from fresh2")
            assert row.fetchone() == (1,)
        connection.execute("drop table fresh; drop table fresh2")
        connection.execute("begin; create table fresh (id int); rollback")
    assert world.tunnel.refreshed in (2, 3)


def test_asyncpg_works(world: World) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1",
            port=world.local,
            user=world.tunnel.username,
            password=world.tunnel.password.expose(),
            database="postgres",
            ssl="prefer",
        )
        assert await connection.fetchval("select $1::int + 1", 1) == 2
        async with connection.transaction():
            rows = [r async for r in connection.cursor("select id from items", prefetch=100)]
        assert len(rows) == ROWS
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("select 'forbidden'")
        copied = await connection.copy_records_to_table("sink", records=[(7, "seven")])
        assert copied == "COPY 1"
        await connection.close()

    asyncio.run(run())


def psql(world: World, script: str) -> str:
    """What psql prints of a script that it reads."""
    environment = {
        "PATH": os.environ["PATH"],
        "PGPASSWORD": world.tunnel.password.expose(),
        "PSQLRC": "/dev/null",
    }
    done = subprocess.run(
        ["psql", world.dsn(password="").replace("password= ", ""), "-XAtv", "ON_ERROR_STOP=1"],
        env=environment,
        input=script,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_psql_works(world: World) -> None:
    said = psql(world, "select 1;\n\\d items\n")
    assert said.startswith("1\n")
    assert "name|text||not null|" in said


def test_large_objects_go_both_ways(world: World, tmp_path: Path) -> None:
    """libpq moves them by FunctionCall."""
    content = bytes(range(256)) * 300
    (tmp_path / "in").write_bytes(content)
    script = f"\\lo_import {tmp_path}/in\n\\lo_export :LASTOID {tmp_path}/out\n"
    said = psql(
        world, f"{script}\\lo_unlink :LASTOID\nselect count(*) from pg_largeobject_metadata;"
    )
    assert said.endswith("\n0\n")
    assert (tmp_path / "out").read_bytes() == content
    calls = [note for note in world.guard.notes if note.protocol == "function call"]
    assert {note.text.partition("(")[0] for note in calls} == {
        f"select pg_catalog.{name}"
        for name in ("lo_creat", "lo_open", "lowrite", "loread", "lo_close", "lo_unlink")
    }
    assert {note.outcome and note.outcome.status for note in calls} == {Status.OK}


def test_a_cancel_stops_the_statement_of_its_own_connection(world: World) -> None:
    with world.connect() as connection:
        threading.Timer(0, lambda: cancel_when_running(world, connection)).start()
        with pytest.raises(errors.QueryCanceled):
            connection.execute("select pg_sleep(60)")
        assert connection.execute("select 1").fetchone() == (1,)
    assert world.guard.notes[0].outcome == Outcome(Status.ERROR, sqlstate="57014")


def cancel_when_running(world: World, connection: psycopg.Connection[tuple[object, ...]]) -> None:
    wait_until(lambda: world.server.running() == ["select pg_sleep(60)"], 10, "the statement")
    connection.cancel_safe(timeout=10)


def test_a_large_value_streams(world: World) -> None:
    with world.connect() as connection:
        size = 64 << 20
        row = connection.execute("select repeat('x', %s)", (size,)).fetchone()
        assert row is not None
        assert len(row[0]) == size


@pytest.mark.parametrize("name", ["client_encoding", "standard_conforming_strings"])
def test_a_change_of_lexing_ends_the_connection(world: World, name: str) -> None:
    """Policy refuses such a SET; if one came through, the relay itself would stop."""
    value = "latin1" if name == "client_encoding" else "off"
    with world.connect() as connection:
        with pytest.raises(psycopg.OperationalError, match=name):
            connection.execute(f"set {name} = {value}".encode())
        assert connection.closed
