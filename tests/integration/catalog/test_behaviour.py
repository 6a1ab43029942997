"""What a real server does behind a statement is among the statement's effects."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from dbgate_broker.catalog import CatalogService
from dbgate_core.catalog import Catalog
from dbgate_core.sql.analyse import analyse
from tests.integration.catalog.test_leaks import database
from tests.unit.sql.notation import lines

SCHEMA = """
CREATE SCHEMA b; SET search_path = b;
CREATE TABLE secret (id int PRIMARY KEY, v text);
CREATE TABLE audit (id serial, at timestamptz DEFAULT now(), what text);
CREATE TABLE parent (id int PRIMARY KEY, note text, at timestamptz, CHECK (length(note) < 99));
CREATE TABLE child (id int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE, x int);
CREATE TABLE grandchild (id int PRIMARY KEY, p int REFERENCES parent ON DELETE SET NULL);

CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
CREATE FUNCTION purge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM b.secret; RETURN NULL; END $$;
CREATE FUNCTION noisy() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE format('DELETE FROM %I', TG_ARGV[0]); RETURN NULL; END $$;
CREATE FUNCTION total(p int) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS
  'SELECT count(*) FROM b.secret WHERE id < p';
CREATE FUNCTION deep(p int) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN b.wipe(p) + b.total(p); END $$;
CREATE FUNCTION wipe(p int) RETURNS bigint LANGUAGE plpgsql AS
  $$ BEGIN DELETE FROM b.secret WHERE p = p; RETURN b.deep(p); END $$;
CREATE FUNCTION built(p text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE p; END $$;
CREATE FUNCTION atomic(p int) RETURNS int BEGIN ATOMIC UPDATE secret SET v = '' WHERE id = p RETURNING id; END;
CREATE PROCEDURE proc() LANGUAGE plpgsql AS $$ BEGIN TRUNCATE b.audit; END $$;

CREATE TRIGGER a BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER b AFTER INSERT ON parent FOR EACH ROW WHEN (pg_sleep(0) IS NOT NULL) EXECUTE FUNCTION purge();
CREATE TRIGGER off AFTER INSERT ON secret FOR EACH ROW EXECUTE FUNCTION purge();
ALTER TABLE secret DISABLE TRIGGER off;
CREATE TABLE loud (id int); CREATE TRIGGER c AFTER TRUNCATE ON loud EXECUTE FUNCTION noisy('x');
CREATE TRIGGER d AFTER DELETE ON loud FOR EACH ROW EXECUTE FUNCTION noisy('x');

CREATE TABLE ruled (id int);
CREATE RULE r AS ON INSERT TO ruled WHERE NEW.id > 3 DO ALSO DELETE FROM b.secret WHERE new.id = new.id;

CREATE TABLE parts (id int, at date, by int) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TRIGGER e AFTER INSERT ON parts_1 FOR EACH ROW EXECUTE FUNCTION purge();
CREATE TABLE heir () INHERITS (loud);

CREATE TABLE defaulted (id int, n bigint DEFAULT total(3), s text DEFAULT pg_read_file('x'));
CREATE TABLE plain (id serial PRIMARY KEY, at timestamptz DEFAULT now(), u uuid DEFAULT gen_random_uuid());
CREATE FUNCTION checked(t text) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM b.secret WHERE v = t)';
CREATE DOMAIN dom AS text CHECK (b.checked(VALUE));
CREATE TABLE domained (d dom);
CREATE TABLE guarded (id int, owner text); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded FOR SELECT USING (b.checked(owner));
CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql AS 'DELETE FROM b.secret; SELECT true';
CREATE OPERATOR === (FUNCTION = same, LEFTARG = int, RIGHTARG = int);
CREATE FUNCTION idx(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN DELETE FROM b.audit; RETURN 1; END $$;
CREATE TABLE indexed (id int); CREATE INDEX ON indexed (b.idx(id));
CREATE VIEW plain_view AS SELECT id, note AS remark FROM parent WHERE id > 3;
CREATE VIEW calling AS SELECT total(id) FROM parent;
"""


@pytest.fixture(scope="module")
def known(postgres: str) -> Iterator[Catalog]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(SCHEMA)
        yield asyncio.run(CatalogService().get(*database(postgres)))
        connection.execute("DROP SCHEMA b CASCADE")


WIPED = "delete b.secret table ?absent"
TOTAL = "call b.total function : followed: sql stable security definer"
CASES = {
    "update b.parent set note = '' where id = 3": {"update b.parent table ?real (note)"},
    "insert into b.parent values (1, '', now())": {
        "insert b.parent table",
        "call pg_sleep function !resource : sleeps",
        WIPED,
    },
    "copy b.parent from stdin": {
        "copy_in b.parent table : stdin",
        "call pg_sleep function !resource : sleeps",
        WIPED,
    },
    "insert into b.secret values (1)": {"insert b.secret table"},
    "insert into b.plain default values": {"insert b.plain table"},
    "delete from b.loud where id = 1": {
        "delete b.loud table ?real",
        "call b.noisy function : not followed: plpgsql volatile",
    },
    "delete from b.parent where id = 1": {
        "delete b.parent table ?real",
        "delete b.child table ?real : cascade",
        "update b.grandchild table ?real (p) : cascade",
    },
    "update b.parent set id = 4 where id = 3": {
        "update b.parent table ?real (id)",
        "update b.child table ?real (id) : cascade",
    },
    "truncate b.parent cascade": {
        "truncate b.parent table : cascade *",
        "truncate b.child table : cascade *",
        "truncate b.grandchild table : cascade *",
    },
    "select b.total(3)": {TOTAL, "select b.secret table"},
    "select total(3)": {TOTAL, "select b.secret table"},
    "select b.deep(3)": {
        "call b.deep function : followed: plpgsql volatile",
        "delete b.secret table ?trivial",
        "select b.secret table",
    },
    "select b.built('drop table b.secret')": {
        "call b.built function : not followed: plpgsql volatile",
        "select -",
    },
    "select b.atomic(3)": {
        "call b.atomic function : followed: sql volatile",
        "update b.secret table ?real (v)",
        "select b.secret table : returning",
    },
    "call b.proc()": {
        "call b.proc procedure : followed: plpgsql volatile",
        "truncate b.audit table *",
    },
    "insert into b.ruled values (1)": {"insert b.ruled table", "delete b.secret table ?trivial"},
    "insert into b.parts values (1, now())": {"insert b.parts table", WIPED},
    "insert into b.defaulted default values": {
        "insert b.defaulted table",
        "select b.secret table",
        "call pg_read_file function !server_file : server file",
    },
    "insert into b.domained values ('x')": {"insert b.domained table", "select b.secret table"},
    "select 'x'::b.dom": {"select b.secret table"},
    "select id from b.guarded": {"select b.guarded table", "select b.secret table"},
    "select id from b.child where id === x": {"select b.child table", WIPED},
    "select id from b.child where id operator(b.===) x": {"select b.child table", WIPED},
    "insert into b.indexed values (1)": {"insert b.indexed table", "delete b.audit table ?absent"},
    "update b.plain_view set remark = '' where id = 4": {
        "update b.plain_view view ?real (remark)",
        "update b.parent table ?real (note)",
    },
    "delete from b.plain_view": {
        "delete b.plain_view view ?absent",
        "delete b.parent table ?absent",
        "delete b.child table ?absent : cascade",
        "update b.grandchild table ?absent (p) : cascade",
    },
    "select * from b.calling": {"select b.calling view", TOTAL, "select b.secret table"},
    "analyze b.indexed": {"utility b.indexed table : analyze", "delete b.audit table ?absent"},
    "vacuum full": {
        "utility - database : vacuum full",
        "delete b.audit table ?absent",
    },
    "reindex index indexed_idx_idx": {
        "utility indexed_idx_idx index : reindex",
        "delete b.audit table ?absent",
    },
    "cluster b.indexed": {"utility b.indexed table : cluster", "delete b.audit table ?absent"},
    "analyze b.plain": {"utility b.plain table : analyze"},
    "explain delete from b.parent": {"select b.parent table : explain"},
    "prepare x as insert into b.ruled values (1)": {
        "insert b.ruled table",
        "delete b.secret table ?trivial",
    },
}


EFFECTS = ("reads", "writes", "flag", "statements")


@pytest.mark.parametrize("text", CASES)
def test_what_is_set_off_belongs_to_the_statement(text: str, known: Catalog) -> None:
    found = {line for line in lines(analyse(text, known)) if not line.startswith(EFFECTS)}
    assert found == CASES[text]


def test_what_is_done_to_a_table_is_done_to_those_below(known: Catalog) -> None:
    written = {str(name) for name in analyse("delete from b.parts", known).writes}
    assert written == {"b.parts", "b.parts_1"}
    read = {str(name) for name in analyse("select id from b.loud", known).reads}
    assert read == {"b.loud", "b.heir"}
    inserted = {str(name) for name in analyse("insert into b.loud values (1)", known).writes}
    assert inserted == {"b.loud"}


EVENTS = """
CREATE SCHEMA e; CREATE TABLE e.log (what text); CREATE TABLE e.t (id int);
CREATE FUNCTION e.noted() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN INSERT INTO e.log VALUES (tg_tag); END $$;
CREATE FUNCTION e.loud() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE tg_tag; END $$;
CREATE FUNCTION e.making() RETURNS void LANGUAGE sql AS 'CREATE INDEX ON e.t (id)';
CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION e.noted();
CREATE EVENT TRIGGER loud ON sql_drop EXECUTE FUNCTION e.loud();
CREATE FUNCTION e.quiet() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM e.t; END $$;
CREATE EVENT TRIGGER off ON ddl_command_start EXECUTE FUNCTION e.quiet();
ALTER EVENT TRIGGER off DISABLE;
"""
SET_OFF = {"insert e.log table", "call e.loud function : not followed: plpgsql volatile"}


@pytest.fixture
def with_event_triggers(postgres: str) -> Iterator[Catalog]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(EVENTS)
        yield asyncio.run(CatalogService().get(*database(postgres)))
        for name in ("noted", "loud", "off"):
            connection.execute(f"DROP EVENT TRIGGER {name}".encode())
        connection.execute("DROP SCHEMA e CASCADE")


@pytest.mark.parametrize("text", ["create table x ()", "alter table e.t add c int", "drop table e.t",
    "grant select on e.t to public", "create temp table x ()", "select 1 into x",
    "comment on table e.t is 'x'", "select e.making()"])  # fmt: skip
def test_ddl_sets_off_event_triggers(text: str, with_event_triggers: Catalog) -> None:
    found = set(lines(analyse(text, with_event_triggers)))
    assert found >= SET_OFF
    assert "delete e.t table ?absent" not in found


def test_what_is_no_ddl_sets_off_none(with_event_triggers: Catalog) -> None:
    for text in ("select 1", "insert into e.t values (1)", "truncate e.t", "analyze e.t"):
        assert not set(lines(analyse(text, with_event_triggers))) & SET_OFF


def test_expressions_of_statistics_run_when_these_are_made(postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        if connection.info.server_version < 140_000:
            pytest.skip("PostgreSQL 13 has no expressions in statistics")
        connection.execute(
            "CREATE SCHEMA s; CREATE TABLE s.log (id int); CREATE TABLE s.t (id int, n int);"
            "CREATE FUNCTION s.f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
            " $$ BEGIN DELETE FROM s.log; RETURN 1; END $$;"
            "CREATE STATISTICS s.st ON (s.f(id)), n FROM s.t"
        )
        catalog = asyncio.run(CatalogService().get(*database(postgres)))
        connection.execute("DROP SCHEMA s CASCADE")
    assert "delete s.log table ?absent" in lines(analyse("analyze s.t", catalog))
    assert "delete s.log table ?absent" in lines(analyse("vacuum analyze", catalog))
    assert "delete s.log table ?absent" not in lines(analyse("update s.t set id = 1", catalog))
