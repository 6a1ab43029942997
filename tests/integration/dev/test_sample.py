"""The sample shop is put into a database once."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from dbgate_broker.dev.sample.load import TABLES, load
from tests.integration.credentials.servers import Postgres, postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


def test_what_was_dropped_does_not_come_back(server: Postgres) -> None:
    server.query("create database once")
    with psycopg.connect(server.dsn("once"), autocommit=True) as connection:
        assert load(connection, "postgres", "seed")
        connection.execute("drop table support_tickets")
        assert not load(connection, "postgres", "seed")
        found = connection.execute("select to_regclass('support_tickets') is null").fetchone()
        assert found == (True,)


def test_a_load_that_was_cut_off_leaves_nothing_and_is_done_again(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.query("create database twice")
    with psycopg.connect(server.dsn("twice"), autocommit=True) as connection:
        with monkeypatch.context() as patched:
            patched.setattr("dbgate_broker.dev.sample.load.TABLES", (*TABLES, "no_such_table"))
            with pytest.raises((AttributeError, psycopg.Error)):
                load(connection, "postgres", "seed")
        assert load(connection, "postgres", "seed")
