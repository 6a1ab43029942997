"""The planner's estimate on a real server: nothing of the statement runs, whatever its text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dbgate_broker.config import AccessRoleConfig, DatabaseConfig
from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.sessions.estimating import MAX_ROWS, estimated_rows, rows_of
from dbgate_core.secret import Secret
from tests.integration.credentials.servers import Postgres, postgres

PASSWORD = "planner-secret-77"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        for sql in (
            "create table many as select n id from generate_series(1, 1000) n",
            "create function loud() returns int language plpgsql stable as"
            " $$ begin insert into many values (0); return 1; end $$",
            "create sequence numbers",
            "create function counts() returns int language plpgsql stable as"
            " $$ begin return nextval('numbers'); end $$",
            "analyze many",
            f"create role planner login password '{PASSWORD}'",
            "grant all on many, numbers to planner",
        ):
            running.query(sql)
        yield running


def ask(server: Postgres, statement: str, password: str = PASSWORD) -> int | None:
    database = DatabaseConfig(
        name="prod-db",
        host="127.0.0.1",
        port=server.port,
        dbname="postgres",
        environment="production",
        tls="disable",
        access_roles=[AccessRoleConfig(name="readonly", vault_role="r")],
    )
    return asyncio.run(
        estimated_rows(database, Credentials("planner", Secret(password)), statement)
    )


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("delete from many", 1000),
        ("update many set id = 1 where id < 101", 100),
        ("select * from many limit 7", 7),
        ("with u as (delete from many returning 1) select 1", 1000),
        ("with u as (delete from many returning id) select * from u limit 1", 1000),
        (
            "with a as (delete from many where id < 11), b as (update many set id = 1) select 1",
            1000,
        ),
        ("insert into many select * from many", 1000),
        ("delete from many; drop table many", None),
        ("delete from many; select 1", None),
        ("delete from many where id = counts()", None),
        ("analyze delete from many", None),
        ("delete from many where id = loud()", None),
        ("delete from nowhere", None),
        ("delete from many where id = '%s' ", None),
    ],
)
def test_it_is_planned_and_not_run(server: Postgres, statement: str, rows: int | None) -> None:
    found = ask(server, statement)
    assert found == rows if rows is None else found is not None and abs(found - rows) < 20
    assert server.query("select count(*), min(id) from many") == [(1000, 1)]
    assert server.query("select is_called from numbers") == [(False,)]


def test_a_database_that_does_not_let_us_in_gives_none(server: Postgres) -> None:
    assert ask(server, "delete from many", "wrong") is None


@pytest.mark.parametrize("plan", [None, [], {}, [{}], [{"Plan": {"Node Type": "ModifyTable"}}]])
def test_a_plan_of_another_form_gives_none(plan: object) -> None:
    assert rows_of(plan) is None


def test_a_plan_without_measure_is_bounded() -> None:
    assert rows_of([{"Plan": {"Node Type": "Seq Scan", "Plan Rows": 1e300}}]) == MAX_ROWS
