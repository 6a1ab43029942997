"""Real clients through the whole path behave as they do directly."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest
import sqlalchemy

from tests.bench.paths import libpq_environment
from tests.demo.stage import Stage
from tests.e2e.tunnel import Tunnel, tunnel

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def prod(stage: Stage) -> Iterator[Tunnel]:
    with tunnel(stage, "alice", "prod-db") as opened:
        yield opened


@pytest.fixture(scope="module")
def write(stage: Stage) -> Iterator[Tunnel]:
    with tunnel(stage, "alice", "dev-db", "--role", "readwrite") as opened:
        yield opened


def direct(stage: Stage, database: str) -> dict[str, str]:
    return libpq_environment(stage.ready["postgres"][database])


def direct_psql(stage: Stage, database: str, command: str) -> str:
    return subprocess.run(
        ["psql", "-XAtqc", command],
        env=direct(stage, database),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


HARMLESS = [
    "select count(*), min(id), max(id) from orders",
    "select id, sku, price from products order by id limit 20",
    "select status, count(*) from orders group by status order by 1",
    "with o as (select * from orders where id < 50) select id, status, total from o order by id",
    "select 1 as a; select 2 as b",
    "select generate_series(1, 2000)",
    "select repeat('x', 200000)",
    "explain (costs off) select id from orders where id = 7",
    "show server_version",
    "begin; select 1; rollback",
    "select array[1, 2, null], null, 'x'::text, 1.5::numeric, now() is not null",
]


@pytest.mark.parametrize("query", HARMLESS)
def test_psql_gives_what_direct_gives(stage: Stage, prod: Tunnel, query: str) -> None:
    through = prod.psql(query)
    assert through.returncode == 0, through.stderr
    assert through.stdout == direct_psql(stage, "prod-db", query)


def test_clients_that_ask_are_told_what_was_masked(stage: Stage) -> None:
    with tunnel(stage, "alice", "prod-db", "--show-masks") as opened:
        two = opened.psql("select email from customers limit 2")
        assert "NOTICE:  masked: email (email, partial): 2 values" in two.stderr
        copied = opened.psql("copy (select email from customers limit 3) to stdout")
        assert "masked: email (email, partial): 3 values" in copied.stderr
        assert opened.psql("select 1").stderr == ""
        with psycopg.connect(opened.dsn, autocommit=True) as connection:
            told: list[str | None] = []
            connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
            for _ in range(2):
                connection.execute("select email from customers limit 1", prepare=True)
            assert told == ["masked: email (email, partial): 1 values"] * 2


@pytest.mark.parametrize("command", [r"\d", r"\d orders", r"\dt+", r"\du", r"\l", r"\df", r"\dn+"])
def test_psql_describes(stage: Stage, prod: Tunnel, command: str) -> None:
    through = prod.psql(options=["-Xq"], stdin=f"{command}\n")
    straight = subprocess.run(
        ["psql", "-Xq"],
        env=direct(stage, "prod-db"),
        input=f"{command}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert through.returncode == 0, through.stderr
    assert through.stderr == ""
    assert through.stdout == straight.stdout


def test_psql_copies_out_and_in(tmp_path: Path, stage: Stage, write: Tunnel) -> None:
    file = tmp_path / "products.csv"
    done = write.psql(options=["-Xq"], stdin=f"\\copy products to '{file}' csv header\n")
    assert done.stderr == ""
    expected = direct_psql(stage, "dev-db", "copy products to stdout csv header")
    assert file.read_text() == expected
    script = (
        "create temp table back (like products);\n"
        f"\\copy back from '{file}' csv header\nselect count(*) from back;\n"
    )
    done = write.psql(options=["-XAtq"], stdin=script)
    assert done.stderr == ""
    assert int(done.stdout) == len(expected.splitlines()) - 1


ENDLESS = "select count(*) from generate_series(1, 100000000000)"


def test_ctrl_c_in_psql_is_as_it_is_directly(stage: Stage, prod: Tunnel) -> None:
    ends = []
    for env in (direct(stage, "prod-db"), prod.env):
        process = subprocess.Popen(
            ["psql", "-XAtqc", ENDLESS],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_until_busy(stage)
        os.killpg(process.pid, signal.SIGINT)
        ends.append((*process.communicate(timeout=10), process.returncode))
    assert "canceling statement due to user request" in ends[0][1]
    assert ends[1] == ends[0]


def test_a_cancelled_connection_goes_on(stage: Stage, prod: Tunnel) -> None:
    with psycopg.connect(prod.dsn, autocommit=True) as connection, ThreadPoolExecutor(1) as pool:
        running = pool.submit(connection.execute, ENDLESS)
        wait_until_busy(stage)
        connection.cancel_safe(timeout=5)
        assert isinstance(running.exception(timeout=10), psycopg.errors.QueryCanceled)
        assert connection.execute("select 'alive'").fetchone() == ("alive",)


def wait_until_busy(stage: Stage) -> None:
    query = "select count(*) from pg_stat_activity where state = 'active' and query like '%100000000000%' and pid <> pg_backend_pid()"
    deadline = time.monotonic() + 10
    while stage.superuser("prod-db", query) == [0]:
        assert time.monotonic() < deadline, "the statement did not start"


def test_after_ddl_results_are_as_before(write: Tunnel) -> None:
    done = write.psql("create table y (a int)", "drop table y", "select 2", "begin; select 3")
    assert done.stdout == "2\n3\n"


def test_a_table_that_another_holds_locked_ends_nobody(stage: Stage, write: Tunnel) -> None:
    with (
        psycopg.connect(stage.ready["postgres"]["dev-db"]) as holder,
        psycopg.connect(write.dsn, autocommit=True) as connection,
    ):
        holder.execute("create table held (id int); create view over_held as select id from held")
        holder.commit()
        holder.execute("lock table held in access exclusive mode")
        connection.execute("create table beside (id int)")
        assert connection.execute("select count(*) from beside").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="another transaction holds"):
            connection.execute("select id from over_held")
        holder.rollback()
        connection.execute("drop table beside")
        holder.execute("drop table held cascade")


def test_one_may_go_on_after_locking_and_changing_a_table(write: Tunnel) -> None:
    """Alone in it: what it locked is read around, and what it made is known when it commits."""
    with psycopg.connect(write.dsn) as connection, psycopg.connect(write.dsn) as other:
        connection.execute("create table mine (id int, n int default length(lower('a')))")
        connection.execute("create view over_mine as select id from mine")
        connection.commit()
        connection.execute("lock table mine in access exclusive mode")
        other.execute("create table another (id int)")
        other.execute("drop table another")
        other.commit()
        assert connection.execute("select 1").fetchone() == (1,)
        connection.execute("alter table mine add column more text")
        assert connection.execute("select count(*) from mine").fetchone() == (0,)
        connection.execute("drop table mine cascade")
        connection.commit()


def test_psycopg_sync_binary_and_server_cursor(prod: Tunnel) -> None:
    with psycopg.connect(prod.dsn) as connection:
        row = connection.execute("select count(*) from orders where id <= %s", (10,)).fetchone()
        assert row == (10,)
        with connection.cursor(binary=True) as cursor:
            cursor.execute("select id, total, created_at from orders order by id limit 3")
            assert [r[0] for r in cursor.fetchall()] == [1, 2, 3]
        with connection.cursor(name="portal") as cursor:
            cursor.itersize = 7
            assert sum(1 for _ in cursor.execute("select id from orders where id <= 100")) == 100


def test_psycopg_prepared_again_and_again(prod: Tunnel) -> None:
    with psycopg.connect(prod.dsn, prepare_threshold=1) as connection:
        for n in range(1, 20):
            row = connection.execute("select id from orders where id = %s", (n,)).fetchone()
            assert row == (n,)


def test_psycopg_pipeline_with_an_error_in_the_middle(prod: Tunnel) -> None:
    with psycopg.connect(prod.dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero), connection.pipeline():  # noqa: PT012
            connection.execute("select 1")
            connection.execute("select 1/0")
            connection.execute("select 2")
        assert connection.execute("select 3").fetchone() == (3,)


def test_a_refusal_in_a_pipeline_leaves_the_connection_in_step(prod: Tunnel) -> None:
    with psycopg.connect(prod.dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.pipeline():  # noqa: PT012
            connection.execute("select 1")
            connection.execute("drop table orders")
            connection.execute("select 2")
        assert connection.execute("select 3").fetchone() == (3,)


def test_a_refusal_in_a_transaction_aborts_it(prod: Tunnel) -> None:
    with psycopg.connect(prod.dsn) as connection:
        connection.execute("select 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
            connection.execute("truncate orders")
        assert refused.value.diag.message_hint
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("select 1")
        connection.rollback()
        assert connection.execute("select 1").fetchone() == (1,)


def test_psycopg_async(prod: Tunnel) -> None:
    async def work() -> object:
        async with await psycopg.AsyncConnection.connect(prod.dsn) as connection:
            cursor = await connection.execute("select count(*) from products")
            return await cursor.fetchone()

    assert asyncio.run(work())


def test_psycopg_copy_in_and_out(write: Tunnel) -> None:
    with psycopg.connect(write.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("create temp table t (a int, b text)")
        with cursor.copy("copy t (a, b) from stdin (format binary)") as copy:
            copy.set_types(["int4", "text"])
            for n in range(5000):
                copy.write_row((n, f"row {n}"))
        with cursor.copy("copy (select a, b from t order by a) to stdout") as out:
            rows = list(out.rows())
        assert len(rows) == 5000
        assert rows[4999] == ("4999", "row 4999")


def test_psycopg_reads_masked_rows_out_of_a_binary_copy(prod: Tunnel) -> None:
    text = "copy (select city, email from customers limit 3) to stdout (format binary)"
    with psycopg.connect(prod.dsn) as connection, connection.cursor().copy(text) as out:
        out.set_types(["text", "text"])
        rows = list(out.rows())
    assert len(rows) == 3
    assert all("***" in email and city for city, email in rows)


def test_asyncpg(prod: Tunnel) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(prod.dsn)
        try:
            for _ in range(3):
                assert (
                    await connection.fetchval("select count(*) from orders where id < $1", 11) == 10
                )
            statement = await connection.prepare("select id from orders where id = $1")
            assert [await statement.fetchval(n) for n in (1, 2, 3)] == [1, 2, 3]
            async with connection.transaction():
                cursor = await connection.cursor("select id from orders order by id limit 25")
                assert len(await cursor.fetch(10)) == 10
                assert len(await cursor.fetch(20)) == 15
            with pytest.raises(asyncpg.exceptions.InsufficientPrivilegeError):
                await connection.execute("drop table orders")
            assert await connection.fetchval("select 5") == 5
        finally:
            await connection.close()

    asyncio.run(work())


def test_asyncpg_masks_the_second_execution_as_the_first(stage: Stage, prod: Tunnel) -> None:
    clear = set(stage.superuser("prod-db", "select email from customers"))

    async def work() -> list[str]:
        connection = await asyncpg.connect(prod.dsn)
        try:
            statement = await connection.prepare("select email from customers where id = $1")
            return [await statement.fetchval(1) for _ in range(3)]
        finally:
            await connection.close()

    values = asyncio.run(work())
    assert len(set(values)) == 1
    assert not set(values) & clear


def test_sqlalchemy_reflects_and_queries(prod: Tunnel) -> None:
    url = prod.dsn.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sqlalchemy.create_engine(url)
    try:
        table = sqlalchemy.Table("orders", sqlalchemy.MetaData(), autoload_with=engine)
        assert {"id", "status", "customer_id"} <= set(table.c.keys())
        with engine.connect() as connection:
            found = connection.execute(sqlalchemy.select(table.c.id).where(table.c.id < 4))
            assert sorted(row[0] for row in found) == [1, 2, 3]
    finally:
        engine.dispose()


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(write: Tunnel, stage: Stage, mode: str) -> None:
    subprocess.run(
        ["pgbench", "-iq", "-s", "1"], env=direct(stage, "dev-db"), check=True, capture_output=True
    )
    direct_psql(
        stage,
        "dev-db",
        "grant all on pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history to public",
    )
    done = subprocess.run(
        ["pgbench", "-n", "-M", mode, "-c", "4", "-t", "25"],
        env=write.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "number of transactions actually processed: 100/100" in done.stdout


def test_pg_dump_of_a_table_equals_direct(stage: Stage, write: Tunnel) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")
    command = ["pg_dump", "--no-owner", "--no-privileges", "-t", "products"]
    through, straight = (
        subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
        for env in (write.env, direct(stage, "dev-db"))
    )
    assert through.returncode == 0, through.stderr
    assert _without_run_keys(through.stdout) == _without_run_keys(straight.stdout)


def _without_run_keys(dump: str) -> str:
    return re.sub(r"^\\(un)?restrict .*$", "", dump, flags=re.MULTILINE)
