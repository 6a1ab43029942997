"""DDL, rules, functions and counts that would uncover protected values; and those that do not."""

from __future__ import annotations

import pytest

from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.flows import hidden_flow

TEXT, DATE = 25, 1082
CUSTOMERS = CatalogRelation(
    20_000, "public", "customers", RelationKind.TABLE,
    (
        Column(1, "id", 23),
        Column(2, "email", TEXT, frozenset({DataClass.EMAIL})),
        Column(3, "name", TEXT, frozenset({DataClass.PERSON_NAME})),
        Column(4, "born", DATE, frozenset({DataClass.BIRTH_DATE})),
        Column(5, "reach", TEXT, frozenset({DataClass.PHONE}), comment="phone"),
        Column(6, "created_at", 1184),
    ),
)  # fmt: skip
LOG = CatalogRelation(20_001, "public", "log", RelationKind.TABLE, (Column(1, "line", TEXT),))
CATALOG = Catalog([CUSTOMERS, LOG], "1", functions=["my_function"])

HIDDEN = [
    "alter table customers rename column email to x",
    "alter table fresh rename email to x",
    "alter table customers rename to things",
    "alter table public.customers rename to things",
    "alter table customers alter column email type timestamp using now()",
    "alter table fresh alter column phone type oid using phone::oid",
    "comment on column customers.reach is 'anything'",
    "comment on column public.customers.reach is null",
    "create table t (email text, x text generated always as (lower(email)) stored)",
    "alter table customers add column x text generated always as (lower(email)) stored",
    "create table t (a text default my_function())",
    "alter table log alter column line set default my_function()",
    "alter table log add column x text default public.other()",
    "create table t (x text references customers (email) on update cascade)",
    "create table t (x text references customers on update cascade)",
    "create table t (x text, foreign key (x) references customers (email) on update cascade)",
    "alter table log add foreign key (line) references customers (email) on update cascade",
    "create operator ### (leftarg = int, rightarg = int, function = f)",
    "create cast (a as b) with function f(a)",
    "create rule r as on insert to log do also insert into log select email from customers",
    "create rule r as on update to customers do also insert into log values (new.email)",
    "create rule r as on update to log do instead update log set line = (select email from customers)",
    "create function f() returns void language sql as 'insert into log select email from customers'",
    "create function f() returns void begin atomic insert into log select email from customers; end",
    "create function f() returns int language sql as 'select 1; select set_config(''a'', email, true) from customers'",
    "select count(*) from generate_series(1, (select length(email) from customers limit 1))",
    "select g from customers c, generate_series(1, length(c.email)) g",
    "select generate_series(1, length(email)) from customers",
    "select g from (select length(email) as n from customers) s, lateral generate_series(1, s.n) g",
    "select id from customers limit (select length(email) from customers where id = 1)",
    "select count(*) from (select 1 from log limit (select length(email) from customers where id = 1)) x",
    "select 1 from log offset (select length(email) from customers where id = 1)",
    "select 1 from log union all select 2 from log limit (select max(length(email)) from customers)",
    "select 1 from log tablesample bernoulli ((select length(email) from customers where id = 1))",
]
HIDDEN += [
    f"do $$ declare v text; r record; begin {body} end $$"
    for body in (
        "update log set line = (select email from customers limit 1);",
        "select email into v from customers; insert into log values (v);",
        "for r in select * from customers loop insert into log values (r.email); end loop;",
        "v := (select email from customers); perform set_config('a.b', v, false);",
        "v := my_function(); insert into log values (v);",
        "execute 'insert into log select email from customers';",
        "execute 'insert into log select ' || v;",
        "for r in execute v loop null; end loop;",
        "create temp table log as select email as line from customers;",
        "execute 'create temp view log as select email as line from customers';",
        "if exists (select 1 from customers) then insert into log values (v); end if;",
        "perform pg_advisory_lock(length(email)) from customers;",
        "select email into v from customers; perform pg_notify('c', v);",
    )
]
HIDDEN += [
    f"create function f() returns trigger language plpgsql as $$ begin {body} return new; end $$"
    for body in (
        "new.line := (select email from customers limit 1);",
        "new.line = (select email from customers limit 1);",
        "select email into new.line from customers;",
        "insert into log values (new.email);",
        "raise warning '%', (select email from customers limit 1);",
    )
]
HIDDEN += [
    "create function f(int) returns boolean language plpgsql as"
    " $$ begin raise notice '%', (select email from customers limit 1); return true; end $$",
    "create function f() returns int language plperl as 'return 1'",
    "do language plperl 'x'",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_it_is_seen(text: str) -> None:
    assert hidden_flow(text, CATALOG) != ""


HARMLESS = [
    "alter table customers rename column email to work_email",
    "alter table customers rename column id to number",
    "alter table customers rename to clients",
    "alter table log rename to logs",
    "alter index customers_pkey rename to customers_key",
    "alter table customers alter column email type varchar(80)",
    "alter table customers alter column created_at type timestamp",
    "alter table customers add column x int default 0, add check (id > 0)",
    "comment on column customers.email is 'where we write to'",
    "comment on table customers is 'who buys'",
    "create table t (id uuid default gen_random_uuid(), at timestamptz default now(), email text)",
    "create table t (a int, b int generated always as (a * 2) stored)",
    "create table t (id int generated always as identity)",
    "create table t (x int references customers (id) on update cascade)",
    "create table t (email text references customers (email) on update cascade)",
    "create table t (x text references customers (email))",
    "create rule r as on insert to log do also insert into log values (new.line)",
    "create rule r as on delete to log do instead nothing",
    "create function f() returns text language sql as 'select email from customers'",
    "create function f(a int) returns int language sql as 'select a + 1'",
    "create function f(a int) returns int return a + 1",
    "select id from customers limit 10 offset 20",
    "select id from customers fetch first row only",
    "select id from customers limit $1 offset $2",
    "select d, count(*) from generate_series('2024-01-01'::date, now(), '1 day') d"
    " left join customers c on c.created_at::date = d group by d limit 5",
    "with b as (select min(created_at) lo, max(created_at) hi from customers)"
    " select g from b, generate_series(lo, hi, '1 day') g",
]
HARMLESS += [
    f"do $$ declare v text; n int; r record; begin {body} end $$"
    for body in (
        "null;",
        "update log set line = 'x' where line = v;",
        "select count(*) into n from log; insert into log values (n);",
        "update customers set email = lower(email) where id = n;",
        "delete from customers where email = v;",
        "perform my_function(); update log set line = 'y';",
        "execute 'update log set line = ''x'''; raise notice '%', n;",
        "create temp table t (a int); insert into t values (n); insert into log select a from t;",
        "for r in select id from customers loop raise notice '%', r.id; end loop;",
        "if not exists (select 1 from pg_type where typname = 'm') then create type m as (a int); end if;",
    )
]
HARMLESS += [
    "create function f() returns trigger language plpgsql as"
    " $$ begin new.updated_at := now(); new.line = upper(new.line); return new; end $$",
    "create function f() returns trigger language plpgsql as"
    " $$ begin if new.id < 0 then raise exception 'id % is negative', new.id; end if; return new; end $$",
    "create function f() returns trigger language plpgsql as"
    " $$ begin insert into log values (tg_op || new.id); return null; end $$",
    "create function f(a int, variadic b text[]) returns table (x int, y text) language plpgsql as"
    " $$ begin return query select id, email from customers; end $$",
    "create procedure p(inout a int) language plpgsql as $$ begin a := a + 1; commit; end $$",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_daily_work_goes_on(text: str) -> None:
    assert hidden_flow(text, CATALOG) == ""


CARD = frozenset({DataClass.CARD_NUMBER})
SEEN = Catalog(
    [
        CatalogRelation(
            20_100,
            "public",
            "imports",
            RelationKind.TABLE,
            (
                Column(1, "v1", TEXT, CARD, found=CARD),
                Column(2, "email", TEXT, CARD | {DataClass.EMAIL}, found=CARD),
            ),
        )
    ]
)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("alter table imports rename column v1 to w1", False),
        ("comment on column imports.v1 is 'x'", False),
        ("alter table imports alter column v1 type money using 1", False),
        ("alter table imports rename column email to x", True),
        (
            "alter table imports add x text default 'a', add y text generated always as (v1) stored",
            True,
        ),
        ("create table c as select v1 from imports", True),
    ],
)
def test_what_values_showed_follows_its_column(text: str, seen: bool) -> None:
    assert bool(hidden_flow(text, SEEN)) is seen
