"""A PostgreSQL of one's own, stopped while sessions are open, and started again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.demo.stage import Stage
from tests.e2e.commands import LIMIT_S, dbgate, wait_for
from tests.e2e.tunnel import tunnel
from tests.integration.credentials.servers import Postgres, postgres

pytestmark = pytest.mark.e2e
PASSWORD = "the-password-of-the-owner"
DOWN = ("-XAtq", "-v", "VERBOSITY=verbose")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        running.query(f"create role owner login createrole password '{PASSWORD}'")
        running.query("grant pg_signal_backend to owner with admin option")
        running.query("create database mill owner owner")
        yield running


@pytest.fixture(scope="module")
def mill(server: Postgres) -> Iterator[Stage]:
    dsn = make_conninfo(
        host="127.0.0.1", port=server.port, user="owner", password=PASSWORD, dbname="mill"
    )
    with Stage("--database", f"mill={dsn}") as running:
        yield running


def test_sessions_outlive_a_restart_of_postgresql_and_new_ones_are_refused_meanwhile(
    server: Postgres, mill: Stage
) -> None:
    with tunnel(mill, "alice", "mill") as opened:
        assert len(server.ephemeral()) == 1
        with psycopg.connect(opened.dsn, autocommit=True) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
            server.stop()
            begun = time.monotonic()
            with pytest.raises(psycopg.OperationalError) as gone:
                connection.execute("select 2")
            assert time.monotonic() - begun < LIMIT_S
            assert gone.value.sqlstate in ("57P01", "57P02", "08006", None)
        try:
            done = opened.psql("select 3", options=DOWN)
            assert done.returncode == 2
            assert "cannot be reached" in done.stderr or "cannot read the catalog" in done.stderr
            for command in (
                ("connect", "mill", "--", "-c", "select 4"),
                ("query", "mill", "select 5"),
                ("exec", "mill", "--", "true"),
            ):
                refused = dbgate(mill, *command)
                assert refused.returncode == 6, refused.stderr
                assert "hint:" in refused.stderr
                assert PASSWORD not in refused.stderr
        finally:
            server.start()
        assert opened.psql("select 6").stdout == "6\n"
    assert dbgate(mill, "query", "mill", "select 7").returncode == 0
    wait_for(lambda: not server.ephemeral())
    assert PASSWORD not in mill.dev_log()


def test_a_session_closed_while_postgresql_is_down_loses_its_user_once_it_is_back(
    server: Postgres, mill: Stage
) -> None:
    with tunnel(mill, "alice", "mill") as opened:
        assert opened.psql("select 1").stdout == "1\n"
        server.stop()
        try:
            begun = time.monotonic()
            opened.process.terminate()
            opened.process.wait(2 * LIMIT_S)
            assert time.monotonic() - begun < LIMIT_S
        finally:
            server.start()
    wait_for(lambda: not server.ephemeral(), 6 * LIMIT_S)
