"""The SQL of the comparison: every kind of text that the wire treats in its own way, and the ways to fail."""

from __future__ import annotations

READS = (
    "select 1",
    "select",
    "values (1), (2)",
    "select id, name from items order by id limit 3",
    "select n from generate_series(1, 5) n",
    "select null, '', true, 1.5::float8, array[1, 2], 'grüße'",
    "select where false",
    "select repeat('x', 3000) from generate_series(1, 40)",
    "select repeat('y', 200000)",
    "select says('a')",
    "select says('b') from generate_series(1, 3)",
    "explain (costs off) select 1",
    "show datestyle",
    "table play.kept",
    "select * from play.kept",
    "select w from w",
    "select * from w",
)
PARAMETERS = (
    "select $1::int",
    "select $1::text, $1::text || 'x'",
    "select id from items where id = $1",
    "select $1",
    "insert into w values ($1, 'p')",
    "select 1 / $1::int",
)
FAILURES = (
    "select 1/0",
    "select 1 / (3 - n) from generate_series(1, 5) n",
    "select * from nosuch",
    "select 1 from items where nosuch",
    "selec 1",
    "select 'open",
    "select 'grüße' frm from",
    "select 'x'::int",
    "prepare transaction 'two'",
    "do $$ begin raise exception 'own' using errcode = 'ZZ001', hint = 'h', detail = 'd'; end $$",
)
EMPTY = ("", ";", " -- nothing", "/* no */ ;; ")
TRANSACTIONS = (
    "begin",
    "commit",
    "rollback",
    "savepoint a",
    "rollback to a",
    "release a",
    "start transaction isolation level serializable read only",
    "commit and chain",
    "end",
)
CHANGES = (
    "create temp table w (id int, name text)",
    "create temp table if not exists w (id int, name text)",
    "insert into w values (1, 'a'), (2, 'b')",
    "insert into w select n, 'n' from generate_series(3, 5) n returning id",
    "update w set name = name || '!' returning *",
    "delete from w where id = 1",
    "truncate w",
    "alter table w add column more int",
    "drop table w",
    "create table play.kept (id int)",
    "insert into play.kept values (7)",
    "alter table play.kept add column more text",
    "drop table play.kept",
    "drop table if exists play.kept",
    "do $$ begin raise warning 'careful'; end $$",
)
SETTINGS = (
    "set application_name to 'other'",
    "set datestyle to 'German'",
    "set local timezone to 'Asia/Tokyo'",
    "set nosuch.thing to 'x'",
    "set nosuch to 'x'",
    "set search_path to play, public",
    "reset all",
    "set client_min_messages to debug1",
    "discard all",
    "discard plans",
    "discard temp",
)
NAMED = (
    "prepare s as select 1",
    "prepare s(int) as select $1 + 1",
    "prepare t as insert into w values (9, 'z') returning id",
    "prepare t as select * from nosuch",
    "execute s",
    "execute s(3)",
    "execute t",
    "deallocate s",
    "deallocate t",
    "deallocate all",
    "declare p cursor for select id from items order by id",
    "declare p scroll cursor with hold for select id, name from items order by id",
    "declare q cursor for select * from w",
    "fetch 2 from p",
    "fetch all from q",
    "fetch backward 1 from p",
    "move 2 in p",
    "close p",
    "close q",
    "close all",
    "select opens('q')",
)
NOTIFYING = (
    "listen news",
    "unlisten *",
    "notify news, 'hello'",
    "select pg_notify('news', 'again')",
)
COPY_IN = (
    "copy w from stdin",
    "copy w from stdin (format csv)",
    "copy w from stdin (format binary)",
    "copy closed from stdin",
    "copy nosuch from stdin",
)
COPY_OUT = (
    "copy items to stdout",
    "copy (select id, name from items order by id limit 3) to stdout (format csv, header)",
    "copy items to stdout (format binary)",
    "copy (select 1 / (3 - n) from generate_series(1, 5) n) to stdout",
    "copy w to stdout",
)
PLAIN = READS + FAILURES + EMPTY + TRANSACTIONS + CHANGES + SETTINGS + NAMED + NOTIFYING + COPY_OUT
EVERY = PLAIN + PARAMETERS + COPY_IN
FORBIDDEN = (
    "select * from forbidden",
    "insert into forbidden values (1)",
    "copy forbidden to stdout",
    "copy forbidden from stdin",
    "begin; select * from forbidden",
    "select 1; select * from forbidden; select 2",
    "prepare s as select * from forbidden",
    "declare p cursor for select * from forbidden",
    "drop table forbidden",
)
"""What the policy of the second comparison refuses."""
