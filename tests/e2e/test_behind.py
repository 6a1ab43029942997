"""Statements that look harmless and set off what is not: refused for what stands behind them.

Everything here may be done by the session's database user as far as PostgreSQL is concerned. It is
made before the broker first looks at the database, past dbgate.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.demo.stage import Stage
from tests.e2e.tunnel import Tunnel, tunnel

pytestmark = pytest.mark.e2e

MADE = """
CREATE TABLE victim (id int, v text); INSERT INTO victim SELECT n, 'x' FROM generate_series(1, 9) n;
CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN DELETE FROM public.victim; RETURN 1; END $$;
CREATE FUNCTION over() RETURNS int LANGUAGE sql AS 'SELECT public.wipe()';
CREATE FUNCTION wiping() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN PERFORM public.over(); RETURN NEW; END $$;
CREATE FUNCTION reading() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN NEW.v := pg_read_file('PG_VERSION'); RETURN NEW; END $$;
CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql AS 'SELECT public.wipe() = 1';
CREATE OPERATOR === (FUNCTION = same, LEFTARG = int, RIGHTARG = int);
CREATE FUNCTION shown(text) RETURNS bool LANGUAGE sql AS 'SELECT public.wipe() = 1';
CREATE DOMAIN shown AS text CHECK (shown(VALUE));
CREATE TABLE guarded (id int, v text); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (shown(v)); INSERT INTO guarded VALUES (1, 'x');
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE VIEW calling AS SELECT wipe();
CREATE TABLE files (id int, v text);
CREATE TRIGGER reading BEFORE INSERT ON files FOR EACH ROW EXECUTE FUNCTION reading();
CREATE VIEW files_view AS SELECT id, v FROM files;
CREATE TABLE stamped (id int, at timestamptz DEFAULT now());
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE FUNCTION counted(below int) RETURNS bigint LANGUAGE sql STABLE AS
  'SELECT count(*) FROM public.victim WHERE id < below';
CREATE TABLE note (v text);
CREATE FUNCTION noting() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO note VALUES (reverse(NEW.email)); RETURN NEW; END $$;
CREATE TRIGGER noting AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION noting();
GRANT ALL ON victim, guarded, calling, files, files_view, stamped, note TO PUBLIC;
"""


@pytest.fixture(scope="module")
def prepared() -> Iterator[Stage]:
    with Stage() as running:
        for database in ("prod-db", "dev-db"):
            with psycopg.connect(running.ready["postgres"][database]) as connection:
                connection.execute(MADE.encode())
        yield running


@pytest.fixture(scope="module")
def prod(prepared: Stage) -> Iterator[Tunnel]:
    with tunnel(prepared, "alice", "prod-db") as opened:
        yield opened


@pytest.fixture(scope="module")
def dev(prepared: Stage) -> Iterator[Tunnel]:
    with tunnel(prepared, "alice", "dev-db", "--role", "readwrite") as opened:
        yield opened


WIPING = [
    "select wipe()",
    "select public.over()",
    "select 1 from calling",
    "select 1 === 2",
    "select 'x'::shown",
    "select id from guarded",
    "select 1 order by over()",
    "explain analyze select wipe()",
]


@pytest.mark.parametrize("statement", WIPING)
def test_a_read_that_wipes_a_table_is_refused(
    prepared: Stage, prod: Tunnel, statement: str
) -> None:
    straight = prepared.ready["postgres"]["prod-db"]
    with psycopg.connect(straight) as connection:
        connection.execute(
            "CREATE ROLE plain; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain"
        )
        connection.execute("SET ROLE plain")  # row security is not for superusers
        connection.execute(statement.encode())
        assert connection.execute("SELECT count(*) FROM victim").fetchall() == [(0,)]
        connection.rollback()
    with (
        psycopg.connect(prod.dsn, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="victim"),
    ):
        connection.execute(statement.encode())
    assert prepared.superuser("prod-db", "select count(*) from victim") == [9]


@pytest.mark.parametrize(
    "statement",
    [
        "insert into files (id) values (1)",
        "insert into files_view (id) values (1)",
        "do $$ begin insert into files (id) values (1); end $$",
        "do $$ declare v text := pg_read_file('PG_VERSION'); begin end $$",
        "create function f() returns text language plpgsql as $$ begin return pg_read_file('x'); end $$",
    ],
)
def test_a_write_that_reads_a_server_file_is_refused(dev: Tunnel, statement: str) -> None:
    with (
        psycopg.connect(dev.dsn, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="pg_read_file"),
    ):
        connection.execute(statement.encode())


def test_a_function_that_only_reads_may_be_called(prod: Tunnel) -> None:
    with psycopg.connect(prod.dsn, autocommit=True) as connection:
        rows = connection.execute("select counted(id) from orders where id < 4").fetchall()
    assert len(rows) == 3


def test_a_trigger_that_only_stamps_stops_nothing(dev: Tunnel) -> None:
    with psycopg.connect(dev.dsn, autocommit=True) as connection:
        returned = connection.execute("insert into stamped (id) values (1) returning id").fetchall()
    assert returned == [(1,)]


def test_a_trigger_does_not_fill_a_temporary_table_to_be_shown(
    prepared: Stage, dev: Tunnel
) -> None:
    (email,) = prepared.superuser("dev-db", "select email from users where id = 1")
    with psycopg.connect(dev.dsn, autocommit=True) as connection:
        connection.execute("create temp table note (v text)")
        connection.execute("update users set id = id where id = 1")
        (row,) = connection.execute("select v from note").fetchall()
    assert row[0]
    assert row[0][::-1] != email
