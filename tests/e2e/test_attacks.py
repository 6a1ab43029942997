"""Attacks on the shipped policy with real clients: no protected value in clear, nothing unapproved.

Each case is a list of statements run on one connection. Nothing that comes back (rows, COPY data,
errors, notices, notifications) may hold a value of a protected column, nor its digits, nor its
reversal or hexadecimal form. The values are fetched as superuser, past dbgate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import pq

from tests.demo.stage import Stage
from tests.e2e.tunnel import Tunnel, tunnel

pytestmark = pytest.mark.e2e

PROTECTED = {
    "customers": ("full_name", "email", "phone", "street_address", "national_id"),
    "users": ("email", "password_hash", "api_token"),
    "payments": ("card_number", "iban"),
    "employees": ("work_email", "iban", "national_id"),
}
SHORTEST = 8
CARD = r"regexp_replace(card_number, '\D', '', 'g')::bigint"


@pytest.fixture(scope="module")
def prod(stage: Stage) -> Iterator[Tunnel]:
    with tunnel(stage, "alice", "prod-db") as opened:
        yield opened


@pytest.fixture(scope="module")
def dev(stage: Stage) -> Iterator[Tunnel]:
    with tunnel(stage, "alice", "dev-db", "--role", "readwrite") as opened:
        yield opened


@pytest.fixture(scope="module")
def clear(stage: Stage) -> frozenset[bytes]:
    """What may not come out, in lower case."""
    found: set[str] = set()
    for database in ("prod-db", "dev-db"):
        for table, columns in PROTECTED.items():
            for column in columns:
                found |= set(stage.superuser(database, f"select {column}::text from {table}"))
    numbers = {re.sub(r"\D", "", value or "") for value in found}
    values = {value for value in (*found, *numbers) if value and len(value) >= SHORTEST}
    assert len(values) > 1_000
    traces = {trace for v in values for trace in (v, v[::-1], v.encode().hex())}
    return frozenset(trace.lower().encode() for trace in traces)


def answers(dsn: str, statements: Sequence[str], form: str) -> bytes:
    """Everything that the client is told while it runs the statements, errors included."""
    out: list[bytes] = []

    def noticed(diagnostic: psycopg.errors.Diagnostic) -> None:
        parts = (diagnostic.message_primary, diagnostic.message_detail, diagnostic.message_hint,
                 diagnostic.context)  # fmt: skip
        out.append(" ".join(part or "" for part in parts).encode())

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.add_notice_handler(noticed)
        raw = connection.pgconn
        for statement in statements:
            if form == "simple":
                raw.send_query(statement.encode())
            else:
                raw.send_query_params(statement.encode(), [], result_format=int(form == "binary"))
            while (result := raw.get_result()) is not None:
                out.append(result.error_message)
                if result.status == pq.ExecStatus.COPY_OUT:
                    while True:
                        size, data = raw.get_copy_data(0)
                        if size <= 0:
                            break
                        out.append(bytes(data))
                for row in range(result.ntuples):
                    out += [
                        result.get_value(row, column) or b"" for column in range(result.nfields)
                    ]
            out += [notify.extra for notify in iter(raw.notifies, None)]
    return b"\n".join(out).lower()


def leaked(output: bytes, clear: frozenset[bytes]) -> list[bytes]:
    return [value for value in clear if value in output]


def test_what_is_looked_for_is_found_past_dbgate(stage: Stage, clear: frozenset[bytes]) -> None:
    straight = stage.ready["postgres"]["prod-db"]
    for statement in ("table customers", "copy payments to stdout", "select email::int from users"):
        assert leaked(answers(straight, [statement], "simple"), clear), statement


READING = [
    "table customers limit 3",
    "select customers from customers limit 3",
    "select c.*::text from customers c limit 3",
    "select row_to_json(c), to_jsonb(c) ->> 'email', to_jsonb(c)['phone'] from customers c limit 3",
    "select (c).email, row(c.*)::text, array[email], email || '' from customers c limit 3",
    'select "email", U&"\\0065mail" from public.customers limit 3',
    "select d, upper(d) from customers c(a, b, d) limit 3",
    "select a.b from (customers join payments using (id)) as a(a, b, c) limit 3",
    "select min(email), max(c.*::text), array_agg(phone), string_agg(email, ',') from customers c where id < 4",
    "select count from (select email as count from customers) c limit 3",
    "select (select email from customers limit 1), array(select phone from customers limit 3)",
    "values ((select email from customers limit 1))",
    "select 'a' union select email from customers limit 3",
    "with recursive r(e, n) as (select email, 1 from customers where id = 1"
    " union all select e, n + 1 from r where n < 3) select * from r",
    "select x.*, f from customers c, lateral (select c.email) x, lateral upper(c.email) f limit 3",
    "select lag(email) over (), first_value(phone) over () from customers limit 3",
    "select mode() within group (order by email) from customers",
    "select key, value from customers c, json_each_text(to_json(c)) limit 20",
    "select * from json_populate_record(null::users, (select json_build_object('username', email) from customers limit 1))",
    "select (row(1, email, email, email, 1, 1)::products).title from customers limit 3",
    "select * from xmltable('//e' passing (select xmlagg(xmlelement(name e, email)) from customers)"
    " columns v text path '.')",
    "select xmlforest(email), format('%s', phone), encode(email::bytea, 'hex'), reverse(email) from customers limit 3",
    "select regexp_split_to_table(email, '@'), to_tsvector(email) from customers limit 3",
    "select most_common_vals::text, histogram_bounds::text from pg_stats",
    "select s, (s).histogram_bounds from pg_stats s",
    "select * from customer_orders limit 3",
    "select customer_orders, upper(email) from customer_orders limit 3",
    "explain (analyze, verbose) select * from customers where email = (select email from customers where id = 1)",
]  # fmt: skip


@pytest.mark.parametrize("form", ["simple", "extended", "binary"])
def test_no_read_shows_a_protected_value(prod: Tunnel, clear: frozenset[bytes], form: str) -> None:
    for statement in READING:
        assert leaked(answers(prod.dsn, [statement], form), clear) == [], statement


WAYS_OUT = [
    ["begin", "declare c cursor for select email, upper(phone) from customers", "fetch 5 from c"],
    ["begin", "declare c binary cursor for select upper(email) from customers", "fetch 5 from c"],
    ["prepare p as select upper(email), email from customers", "execute p"],
    ["prepare p as select 1", "deallocate p", "prepare p as select upper(email) from customers", "execute p"],
    ["copy customers to stdout"],
    ["copy (table users) to stdout (format csv, header, force_quote *)"],
    ["copy (select row(email, 1), customers from customers) to stdout"],
    ["copy customers to stdout (format binary)"],
    ["copy (with x as (select email e from customers) select e from x) to stdout csv delimiter '@'"],
    ["select email::int from customers"],
    ["select ('{' || email)::json from customers"],
    ["select email ~ ('[' || email) from customers"],
    ["select to_date(email, 'YYYY') from customers"],
    ["select email from customers order by email::inet"],
    ["explain analyze select email::int from customers"],
    [rf"select get_bit('\x00'::bytea, {CARD}) from payments where card_number is not null"],
    [rf"select setseed({CARD}) from payments where card_number is not null"],
    [rf"select pg_try_advisory_lock({CARD}) from payments where card_number is not null limit 5",
     "select (classid::bigint << 32) | objid::bigint from pg_locks where locktype = 'advisory'"],
    ["select set_config('application_name', email, false) from customers", "show application_name"],
    ["set search_path = pg_temp, public", "select upper(email) from customers limit 3"],
]  # fmt: skip


@pytest.mark.parametrize("statements", WAYS_OUT, ids=lambda s: s[-1][:40])
def test_no_other_way_out_shows_one(
    prod: Tunnel, clear: frozenset[bytes], statements: list[str]
) -> None:
    assert leaked(answers(prod.dsn, statements, "simple"), clear) == []


MOVED = [
    ["create temp table t (a text)", "insert into t select email from customers", "select a, upper(a) from t", "copy t to stdout"],
    ["create temp table t (a text)", "create temp table u () inherits (t)", "insert into u select email from customers", "select a from t"],
    ["create temp table t (a text)", "prepare p as insert into t select email from customers", "execute p", "select a from t"],
    ["create temp table t as select email as a from customers", "alter table t rename to u", "select a from u"],
    ["create temp table t (a text primary key)", "insert into t select email from customers", "insert into t select email from customers"],
    ["create temp table t (a text) partition by list (a)", "insert into t select email from customers"],
    ["create temp table orders as select email as status from customers", "select upper(status) from orders limit 3", "copy orders to stdout"],
    ["create temp table orders as select email as status from customers", "update products p set title = status from orders where p.id = 1", "select title from products where id = 1"],
    ["create temp view orders as select email as status from customers", "select upper(status) from orders limit 3"],
    ["create temp sequence s", f"select setval('s', (select {CARD} from payments where card_number is not null limit 1))", "select last_value from s"],
    ["update customers set city = email where id = 1 returning city", "select city from customers where id = 1"],
    ["update users set username = email where id = 1", "select username from users where id = 1"],
    ["insert into products (id, sku, title, category, price) select 90000 + id, email, 'x', 'x', 1 from customers limit 1 returning sku"],
    ["create table nt as select email as a from customers", "select a from nt limit 3"],
    ["create table nt (email text)", "insert into nt select email from customers", "alter table nt rename column email to a", "select a from nt limit 3"],
    ["create table gt (email text, a text generated always as (lower(email)) stored)", "insert into gt select email from customers", "select a from gt"],
    ["create function f0() returns text language sql as 'select email from customers limit 1'", "create table dt (a text default f0(), b int)", "insert into dt (b) values (1) returning a", "select f0()"],
    ["create table rt (a text)", "create rule r as on insert to rt do also insert into products (id, sku, title, category, price) select 91000, 'rule', email, 'c', 1 from customers limit 1", "insert into rt values ('x')", "select title from products where id = 91000"],
    ["create function f1(int, int) returns text language sql as 'select email from customers limit 1'", "create operator ### (leftarg = int, rightarg = int, function = f1)", "select 1 ### 2"],
    ["create type ty as (a int)", "create function f2(ty) returns text language sql as 'select email from customers limit 1'", "select (row(1)::ty).f2"],
    ["do $$ begin update products set title = (select email from customers limit 1) where id = 1; end $$", "select title, upper(title) from products where id = 1"],
    ["do $$ declare v text; begin select email into v from customers limit 1; execute 'set application_name to ' || quote_literal(v); end $$", "show application_name"],
    ["do $$ begin execute 'create temp table orders as select email as status from customers'; end $$", "select upper(status) from orders limit 3"],
    ["create function f3() returns trigger language plpgsql as $$ begin new.a := (select email from customers limit 1); return new; end $$", "create table tt (a text)", "create trigger t before insert on tt for each row execute function f3()", "insert into tt values ('q') returning a"],
    ["create function f4(int) returns boolean language plpgsql as $$ begin raise warning '%', (select email from customers limit 1); return true; end $$", "create table pt (a int)", "insert into pt values (1)", "create policy p on pt using (f4(a))", "alter table pt force row level security, enable row level security", "select a from pt"],
    ["do $$ begin raise notice '%', (select email from customers limit 1); end $$"],
    ["do $$ begin raise exception using message = (select email from customers limit 1), errcode = '57014'; end $$"],
    ["do $$ begin execute 'deallocate ' || quote_ident((select email from customers limit 1)); end $$"],
    ["do $$ begin execute 'close ' || quote_ident((select email from customers limit 1)); end $$"],
    ["listen x", "do $$ begin perform pg_notify('x', (select email from customers limit 1)); end $$", "select 1"],
    ["insert into customers select * from customers where id = 1"],
    ["insert into customers (id, full_name, email, country) select 99902, full_name, email, 'x' from customers where id = 1"],
    ["update pg_settings set setting = (select email from customers limit 1) where name = 'application_name'", "show application_name"],
]  # fmt: skip


@pytest.mark.parametrize("statements", MOVED, ids=lambda s: s[0][:40])
def test_what_was_moved_is_not_shown_either(
    dev: Tunnel, clear: frozenset[bytes], statements: list[str]
) -> None:
    assert leaked(answers(dev.dsn, statements, "simple"), clear) == []
    assert leaked(answers(dev.dsn, statements[-1:], "extended"), clear) == []


REFUSED = [
    "drop table customers",
    "/**/drop/**/table customers",
    "SELECT 1 AS a$x$; DELETE FROM customers; SELECT 1 AS a$x$",
    "SELECT 1 --\r; DELETE FROM customers",
    "WITH x AS MATERIALIZED (DELETE FROM customers RETURNING 1) SELECT * FROM x",
    "DO $$ BEGIN DELETE FROM customers; END $$",
    "explain analyze delete from customers",
    "prepare p as delete from customers",
    "merge into customers using orders o on true when matched then delete",
    "set role dbgate_prod_db_admin",
    "set session authorization postgres",
    "set local standard_conforming_strings to off",
    "begin; set local backslash_quote = on",
    "select set_config('stan' || 'dard_conforming_strings', 'off', true)",
    "set names 'latin1'",
    "alter role current_user set standard_conforming_strings = off",
    "alter system set log_statement = none",
    "copy customers to program 'cat'",
    "copy products from program 'id'",
    "copy (select 1) to '/tmp/x'",
    "select pg_read_file('/etc/passwd')",
    "select ('1'::int).pg_terminate_backend",
    "select pg_terminate_backend(pid) from pg_stat_activity",
    "grant all on customers to public",
    "drop owned by current_user",
    "create extension dblink",
    "create function f() returns int language sql as 'select 1'",
    "select lo_import('/etc/passwd')",
    "select * from dblink('', '') as t(a int)",
    "select query_to_xml('delete from customers', true, true, '')",
    "create policy p on customers",
    "alter table customers disable trigger all",
    "set session_replication_role = replica",
    "select nextval('customers_id_seq')",
    "select * into x from customers",
    "copy products from stdin",
    "load 'x'",
    "select * from pg_shadow",
    "select rolpassword from pg_authid",
    "select * from pg_file_settings",
    "select count(*) from generate_series(1, (select extract(year from birth_date)::int from customers where id = 1))",
    "select 1 from orders limit (select extract(year from birth_date)::int from customers where id = 1)",
]  # fmt: skip


SEVERAL = re.compile(r";(?!.*\$\$)")
FORMS = [("simple", text) for text in REFUSED] + [
    ("extended", text) for text in REFUSED if not SEVERAL.search(text)
]


@pytest.mark.parametrize(("form", "statement"), FORMS)
def test_it_does_not_run_without_an_approval(prod: Tunnel, statement: str, form: str) -> None:
    with psycopg.connect(prod.dsn, autocommit=True) as connection:
        raw = connection.pgconn
        run = raw.exec_ if form == "simple" else lambda text: raw.exec_params(text, [])
        result = run(statement.encode())
        assert result.status == pq.ExecStatus.FATAL_ERROR
        assert result.error_field(pq.DiagnosticField.SQLSTATE) == b"42501"


def test_everything_is_still_there(stage: Stage) -> None:
    """The attacks above changed nothing on production."""
    assert stage.superuser("prod-db", "select count(*) from customers") == [500]
    assert stage.superuser(
        "prod-db", "select count(*) from pg_locks where locktype = 'advisory'"
    ) == [0]


STARTUPS = [
    {"options": "-c role=dbgate_prod_db_admin"},
    {"options": "-c standard_conforming_strings=off"},
    {"options": "-c session_preload_libraries=x"},
    {"options": "-c log_statement=none"},
    {"options": "-c app.tenant=1"},
    {"options": "-c replication=database"},
    {"client_encoding": "SJIS"},
    {"user": "postgres"},
    {"dbname": "postgres"},
    {"replication": "database"},
]


@pytest.mark.parametrize("parameters", STARTUPS, ids=str)
def test_it_is_not_to_be_had_at_startup(prod: Tunnel, parameters: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(prod.dsn, **parameters).close()  # type: ignore[arg-type]
