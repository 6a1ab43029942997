"""A limit of changed rows, on a real server: whatever is tried, the table is as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import pq

from dbgate_broker.catalog import CatalogService
from dbgate_broker.gateway.seams import ConnectionFacts, Credentials, LiveGuard
from dbgate_broker.guards import ConnectionGuards
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.testing.gateway import FixedTunnel, FixedTunnels
from dbgate_broker.testing.sessions import NoHolds
from dbgate_core.budget import Budget
from dbgate_core.decision import SessionLimits
from dbgate_core.masking.key import MaskKey
from dbgate_core.pgwire.messages import message
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.secret import Secret
from tests.differential.place import Everything, Ledger
from tests.integration.gateway.raw import query, raw
from tests.integration.gateway.world import USER_PASSWORD, TlsPostgres, World, database
from tests.unit.guard.doubles import Approvals
from tests.unit.pgwire.test_relay import SYNC, bind, execute, parse

LIMIT = 3
MAKE = """
drop schema if exists limited cascade;
create schema limited;
grant all on schema limited to ephemeral;
create table limited.counted (id int primary key, n int);
create table limited.pointing (id int references limited.counted deferrable initially deferred);
create view limited.seen as select * from limited.counted;
create view limited.ruled as select * from limited.counted;
create rule gone as on delete to limited.ruled do instead delete from limited.counted;
create function limited.wipe() returns void language sql as 'delete from limited.counted';
create function limited.code() returns void language plpgsql
    as 'begin execute ''delete from limited.counted''; end';
create procedure limited.proc() language plpgsql
    as 'begin delete from limited.counted; commit; end';
create function limited.sum(int, int) returns int language sql immutable as 'select $1 + $2';
grant all on all tables in schema limited to ephemeral;
insert into limited.counted select g, g from generate_series(1, 10) g;
"""
TOO_MANY = {
    "update": "update limited.counted set n = 0",
    "delete": "delete from limited.counted",
    "insert": "insert into limited.counted select g, g from generate_series(11, 14) g",
    "upsert": "insert into limited.counted select g, 0 from generate_series(1, 4) g"
    " on conflict (id) do update set n = 0",
    "returning": "delete from limited.counted returning *",
    "view": "update limited.seen set n = 0",
}
NOT_COUNTED = {
    "with": "with d as (delete from limited.counted returning *) select count(*) from d",
    "with behind": "with d as (delete from limited.counted returning *)"
    " insert into limited.counted select 11, 1 where false",
    "analyze": "explain analyze delete from limited.counted",
    "prepare": "prepare p as delete from limited.counted",
    "do": "do $$ begin delete from limited.counted; end $$",
    "do that commits": "do $$ begin delete from limited.counted; commit; end $$",
    "do by text": "do $$ begin execute 'delete from limited.counted'; end $$",
    "function": "select limited.wipe()",
    "code": "select limited.code()",
    "procedure": "call limited.proc()",
    "rule": "delete from limited.ruled",
    "copy": "copy (delete from limited.counted returning id) to stdout",
}
STRINGS = {
    "together": "update limited.counted set n = 0 where id < 3;"
    " update limited.counted set n = 0 where id > 8",
    "a result between": "select 1; delete from limited.counted; select 2",
    "an error behind": "delete from limited.counted; select 1 / 0",
    "committed": "begin; delete from limited.counted; commit",
    "committed between": "delete from limited.counted; commit; select 1",
    "savepoints": "savepoint s; delete from limited.counted; release s",
}
Run = Callable[[psycopg.Connection[Any], str], str]


class Limited(FixedTunnel):
    """A session that may change a few rows at a time, with the product's guards."""

    def __init__(self, server: TlsPostgres, ca: Path, ledger: Ledger) -> None:
        where = database(server, ca)
        super().__init__(where, Credentials("ephemeral", Secret(USER_PASSWORD)))
        alice = Principal(PrincipalKind.USER, "alice", "https://issuer", "1", frozenset())
        self._session = GuardedSession(
            self.session_id,
            alice,
            where,
            "admin",
            Approvals(),
            budget=Budget(SessionLimits(rows_affected=LIMIT)),
        )
        key = MaskKey(b"k" * 32)
        self._made_by = ConnectionGuards(
            CatalogService(), Everything(refuses=False), ledger, key, NoHolds()
        )

    async def guard(self, connection: ConnectionFacts) -> LiveGuard:
        return await self._made_by.guard(self._session, connection, self._credentials)

    async def refresh(self, guard: LiveGuard) -> None:
        await self._made_by.refresh(guard, self._session, self._credentials)


@pytest.fixture(scope="module")
def limited(tls_server: TlsPostgres, authority_files: tuple[Path, Path]) -> Iterator[World]:
    ledger = Ledger()
    with psycopg.connect(tls_server.dsn("postgres"), autocommit=True) as owner:
        owner.execute(MAKE)
    world = World(tls_server, *authority_files)
    world.tunnel = Limited(tls_server, authority_files[0], ledger)
    world.tunnels = FixedTunnels(world.tunnel)
    world.start()
    try:
        yield world
    finally:
        world.stop()
        with psycopg.connect(tls_server.dsn("postgres"), autocommit=True) as owner:
            owner.execute("drop schema limited cascade")
    assert not ledger.open, "statements that began and never ended"


@pytest.fixture
def client(limited: World) -> Iterator[psycopg.Connection[Any]]:
    """A client, after which the table is as it was."""
    before = table(limited)
    with limited.connect() as connection:
        yield connection
    assert table(limited) == before


def table(world: World) -> list[Any]:
    return list(world.server.query("select id, n from limited.counted order by id"))


def simple(connection: psycopg.Connection[Any], sql: str) -> str:
    return state(connection.pgconn.exec_(sql.encode()))


def extended(connection: psycopg.Connection[Any], sql: str) -> str:
    return state(connection.pgconn.exec_params(sql.encode(), None))


def prepared(connection: psycopg.Connection[Any], sql: str) -> str:
    made = connection.pgconn.prepare(b"named", sql.encode())
    if made.status == pq.ExecStatus.FATAL_ERROR:
        return state(made)
    return state(connection.pgconn.exec_prepared(b"named", None))


def state(result: pq.abc.PGresult) -> str:
    return (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()


def goes_on(connection: psycopg.Connection[Any]) -> None:
    assert connection.info.transaction_status == pq.TransactionStatus.IDLE
    assert connection.execute("select limited.sum(1, 1)").fetchone() == (2,)


@pytest.mark.parametrize("run", [simple, extended, prepared])
@pytest.mark.parametrize("name", [*TOO_MANY, *NOT_COUNTED])
def test_too_much_changes_nothing(client: psycopg.Connection[Any], run: Run, name: str) -> None:
    assert run(client, (TOO_MANY | NOT_COUNTED)[name]) == "54000"
    goes_on(client)


@pytest.mark.parametrize("name", STRINGS)
def test_a_string_of_statements_changes_nothing(client: psycopg.Connection[Any], name: str) -> None:
    assert simple(client, STRINGS[name]) == "54000"
    goes_on(client)


@pytest.mark.parametrize("run", [simple, extended, prepared])
def test_in_a_transaction_it_fails_and_only_a_savepoint_before_it_helps(
    client: psycopg.Connection[Any], run: Run
) -> None:
    client.execute("begin")
    client.execute("update limited.counted set n = 0 where id = 1")
    client.execute("savepoint s")
    assert run(client, TOO_MANY["delete"]) == "54000"
    assert client.info.transaction_status == pq.TransactionStatus.INERROR
    assert simple(client, "select 1") == "25P02"
    client.execute("rollback to s")
    assert client.execute("select count(*) from limited.counted").fetchone() == (10,)
    assert run(client, TOO_MANY["update"] + " where true") == (
        "42P05" if run is prepared else "54000"
    )
    assert client.execute("commit").statusmessage == "ROLLBACK"


def test_a_failed_transaction_cannot_be_prepared(client: psycopg.Connection[Any]) -> None:
    client.execute("begin")
    assert simple(client, TOO_MANY["delete"]) == "54000"
    assert client.execute("prepare transaction 'later'").statusmessage == "ROLLBACK"


def test_a_pipeline_ends_where_too_much_was_changed(client: psycopg.Connection[Any]) -> None:
    few = "update limited.counted set n = 0 where id = 1"
    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        in_a_pipeline(client, few, TOO_MANY["delete"], few)
    goes_on(client)


def in_a_pipeline(connection: psycopg.Connection[Any], *texts: str) -> None:
    with connection.pipeline():
        for sql in texts:
            connection.execute(sql.encode())


@pytest.mark.parametrize("run", ["simple", "extended"])
def test_a_copy_is_undone(limited: World, run: str) -> None:
    before = table(limited)
    sql = "copy limited.counted from stdin"
    asked = parse("", sql) + bind("", "") + execute("") + SYNC
    with raw(limited) as client:
        client.log_in()
        client.send(query(sql) if run == "simple" else asked)
        client.until("G")
        rows = b"".join(b"%d\t1\n" % n for n in range(20, 30))
        end = message(b"d", rows) + message(b"c", b"")
        client.send(end if run == "simple" else end + SYNC)
        kinds = [kind for kind, _ in client.until("Z")]
        assert kinds == ["E", "Z"]
        client.send(query("select 1"))
        assert client.until("Z")[-1] == ("Z", b"I")
    assert table(limited) == before


def test_rows_in_parts_are_refused(limited: World) -> None:
    """The server performs all of it before it gives the first row, and never says how much that was."""
    before = table(limited)
    with raw(limited) as client:
        client.log_in()
        one_row = b"E\0\0\0\x09\0\0\0\0\1"
        client.send(parse("", TOO_MANY["returning"]) + bind("", "") + one_row + SYNC)
        kinds = [kind for kind, _ in client.until("Z")]
        assert kinds[-2:] == ["E", "Z"]
        client.send(query("select 1"))
        assert client.until("Z")[-1] == ("Z", b"I")
    assert table(limited) == before


def test_a_client_that_goes_at_once_has_changed_nothing_too_much(limited: World) -> None:
    before = table(limited)
    with raw(limited) as client:
        client.log_in()
        client.send(query(TOO_MANY["delete"]) + query("commit") + b"X\0\0\0\4")
        client.rest()
    assert table(limited) == before


@pytest.mark.parametrize("run", [simple, extended, prepared])
def test_few_rows_are_changed_and_kept(limited: World, run: Run) -> None:
    with limited.connect() as connection:
        for n in (41, 0):
            sql = f"update limited.counted set n = n + {n or -41} where id <= {LIMIT}"
            if run is prepared and not n:
                connection.execute("deallocate named")
            assert run(connection, sql) == ""
            assert table(limited)[0] == (1, 1 + n)
        goes_on(connection)


def test_results_and_strings_come_as_ever(limited: World) -> None:
    with limited.connect() as connection:
        found = connection.execute("update limited.counted set n = n where id < 3 returning id")
        assert sorted(found.fetchall()) == [(1,), (2,)]
        both = connection.execute("update limited.counted set n = n where id = 1; select 7")
        assert both.statusmessage == "UPDATE 1"
        assert both.nextset()
        assert both.fetchall() == [(7,)]


def test_what_is_deferred_to_the_commit_fails_there(client: psycopg.Connection[Any]) -> None:
    assert simple(client, "insert into limited.pointing values (99)") == "23503"
    goes_on(client)


def test_explain_and_definitions_are_no_changes(client: psycopg.Connection[Any]) -> None:
    assert simple(client, "explain delete from limited.counted") == ""
    with contextlib.suppress(psycopg.errors.DuplicateFunction):
        client.execute(
            "create function limited.later() returns void language sql as"
            " 'delete from limited.counted'"
        )
    assert simple(client, "select limited.later()") == "54000"
