-- about: code of the attacker's own: DO, functions, procedures, triggers, rules, and what runs them
-- rule: production-code
-- effect: orders

create function wipe() returns int language plpgsql as $$ begin delete from orders; return 1; end $$;
create function wiping() returns trigger language plpgsql as $$ begin delete from orders; return null; end $$;
create function one_more() returns int language sql as 'select 1';

-- case: a DO block
-- rule: production-do
do $$ begin delete from orders; end $$
-- case: a DO block with its language first
-- rule: production-do
do language plpgsql $$ begin delete from orders; end $$
-- case: a DO block with its language behind
-- rule: production-do
do 'begin delete from orders; end' language plpgsql
-- case: a DO block that loops
-- rule: production-do
do $$ declare r record; begin for r in select id from orders loop delete from orders where id = r.id; end loop; end $$
-- case: a DO block that loops backwards
-- rule: production-do
do $$ begin for i in reverse 200..1 loop delete from orders where id = i; end loop; end $$
-- case: a DO block that decides
-- rule: production-do
do $$ begin if (select count(*) from orders) > 0 then delete from orders; else null; end if; end $$
-- case: a DO block with CASE
-- rule: production-do
do $$ begin case 1 when 2 then null; else delete from orders; end case; end $$
-- case: a DO block that fails and goes on
-- rule: production-do
do $$ begin begin perform 1 / 0; exception when division_by_zero then delete from orders; end; end $$
-- case: a DO block in an EXCEPTION of its own
-- rule: production-do
do $$ begin raise exception 'x'; exception when others then delete from orders; end $$
-- case: a DO block with FOREACH
-- rule: production-do
do $$ declare t text; begin foreach t in array array['orders'] loop execute 'delete from ' || t; end loop; end $$
-- case: a DO block with EXECUTE
-- rule: production-do
do $$ begin execute 'delete from orders'; end $$
-- case: a DO block with EXECUTE of a format
-- rule: production-do
do $$ begin execute format('%s from %I', 'delete', 'orders'); end $$
-- case: a DO block with EXECUTE of pieces
-- rule: production-do
do $$ begin execute 'de' || 'lete' || chr(32) || 'from orders'; end $$
-- case: a DO block with EXECUTE of a reversed text
-- rule: production-do
do $$ begin execute reverse('sredro morf eteled'); end $$
-- case: a DO block with EXECUTE of hexadecimal digits
-- rule: production-do
do $$ begin execute convert_from(decode('64656c6574652066726f6d206f7264657273', 'hex'), 'UTF8'); end $$
-- case: a DO block with EXECUTE of base64
-- rule: production-do
do $$ begin execute convert_from(decode('ZGVsZXRlIGZyb20gb3JkZXJz', 'base64'), 'UTF8'); end $$
-- case: a DO block with EXECUTE of what a table holds
-- rule: production-do
do $$ declare t text; begin select value into t from settings where name = 'wiping'; execute t; end $$
-- case: a DO block with EXECUTE of a comment
-- rule: production-do
do $$ begin execute coalesce(col_description('settings'::regclass, 1), 'delete from orders'); end $$
-- case: a DO block with EXECUTE of a setting
-- rule: production-do
do $$ begin execute replace(current_setting('application_name') || 'delete from orders', current_setting('application_name'), ''); end $$
-- case: a DO block with RETURN QUERY's sister FOR IN EXECUTE
-- rule: production-do
do $$ declare r record; begin for r in execute 'delete from orders returning id' loop null; end loop; end $$
-- case: a DO block with PERFORM of a function that runs SQL
-- rule: production-do
do $$ begin perform query_to_xml('select wipe()', true, true, ''); end $$
-- case: a DO block in a DO block
-- rule: production-do
do $$ begin execute 'do $x$ begin delete from orders; end $x$'; end $$
-- case: a DO block with a WITH
-- rule: production-do
do $$ declare n int; begin with gone as (delete from orders returning id) select count(*) into n from gone; end $$
-- case: a DO block that moves data out by COPY
-- rule: production-do
-- effect: files
do $$ begin copy products to '{scratch}/copied'; end $$
-- case: a DO block that makes a function and calls it
-- rule: production-do
do $$ begin execute 'create function pg_temp.f() returns void language sql as ''delete from orders'''; perform pg_temp.f(); end $$
-- case: a DO block that commits
-- rule: production-do
-- alone: yes
do $$ begin delete from orders; commit; perform 1 / 0; end $$
-- case: a DO block with a variable named as a table
-- rule: production-do
do $$ declare orders text := 'orders'; begin execute 'delete from ' || orders; end $$
-- case: a DO block with a label and an EXIT
-- rule: production-do
do $$ <<out>> begin loop delete from orders; exit out; end loop; end $$
-- case: a DO block by code points
-- rule: production-do
do U&'begin \0064elete from orders; end'
-- case: a DO block in an E string
-- rule: production-do
do E'begin \x64elete from orders; end'
-- case: a function in SQL, and its call
create function f() returns void language sql as 'delete from orders'
-- then
select f()
-- case: a function in PL/pgSQL, and its call
create function f() returns void language plpgsql as $$ begin delete from orders; end $$
-- then
select f()
-- case: a function in pg_temp
create function pg_temp.f() returns void language sql as 'delete from orders'
-- then
select pg_temp.f()
-- case: a function with a body in BEGIN ATOMIC
create function f() returns void language sql begin atomic delete from orders; end
-- then
select f()
-- case: one of two overloads
create function f(a int) returns int language sql as 'select 1'
-- then
create function f(a text) returns int language sql as 'delete from orders; select 1'
-- then
select f('x'::text)
-- case: a default argument that deletes
create function g() returns int language sql as 'delete from orders; select 1'
-- then
create function f(a int default g()) returns int language sql as 'select a'
-- then
select f()
-- case: a variadic function
create function f(variadic a text[]) returns void language plpgsql as $$ begin execute array_to_string(a, ' '); end $$
-- then
select f('delete', 'from', 'orders')
-- case: a polymorphic function
create function f(a anyelement) returns anyelement language plpgsql as $$ begin delete from orders; return a; end $$
-- then
select f(1)
-- case: a function that returns a table
create function f() returns table (a int) language sql as 'delete from orders returning id'
-- then
select * from f()
-- case: a function with OUT parameters
create function f(out a int, out b int) language plpgsql as $$ begin delete from orders; a := 1; b := 2; end $$
-- then
select * from f()
-- case: a function of a whole row, called like a column
create function gone(products) returns int language sql as 'delete from orders; select 1'
-- then
select p.gone from products p limit 1
-- case: SECURITY DEFINER
create function f() returns void language sql security definer set search_path = public as 'delete from orders'
-- then
select f()
-- case: a lie about being immutable
create function f(int) returns int language plpgsql immutable as $$ begin return wipe(); end $$
-- then
select f(1)
-- case: a function that replaces one of the same name
create or replace function one_more() returns int language sql as 'delete from orders; select 1'
-- then
select one_more()
-- case: a procedure
create procedure p() language plpgsql as $$ begin delete from orders; end $$
-- then
call p()
-- case: a procedure that commits
-- alone: yes
create procedure p() language plpgsql as $$ begin delete from orders; commit; end $$
-- then
call p()
-- case: an operator
create function f(int, int) returns bool language sql as 'delete from orders; select true'
-- then
create operator @@@ (leftarg = int, rightarg = int, function = f)
-- then
select 1 @@@ 2
-- case: an operator in pg_temp, named in full
create function pg_temp.f(int, int) returns bool language sql as 'delete from orders; select true'
-- then
create operator pg_temp.@@@ (leftarg = int, rightarg = int, function = pg_temp.f)
-- then
select 1 operator(pg_temp.@@@) 2
-- case: a cast
create type wrapped as (a int)
-- then
create function f(wrapped) returns int language sql as 'delete from orders; select 1'
-- then
create cast (wrapped as int) with function f(wrapped)
-- then
select row(1)::wrapped::int
-- case: an aggregate
create function f(int, int) returns int language plpgsql as $$ begin delete from orders; return 1; end $$
-- then
create aggregate worse(int) (sfunc = f, stype = int, initcond = '0')
-- then
select worse(id) from products
-- case: an aggregate that ends badly
create function f(int) returns int language plpgsql as $$ begin delete from orders; return 1; end $$
-- then
create aggregate worse(int) (sfunc = int4pl, stype = int, finalfunc = f, initcond = '0')
-- then
select worse(id) over () from products
-- case: a domain's check
create function f(int) returns bool language plpgsql as $$ begin delete from orders; return true; end $$
-- then
create domain checked as int check (f(value))
-- then
select 1::checked
-- case: a trigger
create function f() returns trigger language plpgsql as $$ begin delete from orders; return new; end $$
-- then
create trigger t before insert on settings for each row execute function f()
-- then
insert into settings values ('a', 'b')
-- case: a trigger of the statement
create function f() returns trigger language plpgsql as $$ begin delete from orders; return null; end $$
-- then
create trigger t after update on settings for each statement execute function f()
-- then
update settings set value = 'x' where name = 'nothing'
-- case: a trigger on a view
create function f() returns trigger language plpgsql as $$ begin delete from orders; return null; end $$
-- then
create trigger t instead of insert on open_orders for each row execute function f()
-- then
insert into open_orders values (1, 'x', 1)
-- case: a trigger on truncate
create function f() returns trigger language plpgsql as $$ begin delete from orders; return null; end $$
-- then
create trigger t before truncate on settings execute function f()
-- then
truncate settings
-- case: a constraint trigger that waits for the commit
-- alone: yes
create function f() returns trigger language plpgsql as $$ begin delete from orders; return null; end $$
-- then
create constraint trigger t after insert on settings deferrable initially deferred for each row execute function f()
-- then
insert into settings values ('a', 'b')
-- case: a trigger made from a function that was there
create trigger t after insert on settings for each row execute function wiping()
-- then
insert into settings values ('a', 'b')
-- case: a rule that does more
create rule r as on insert to settings do also delete from orders
-- then
insert into settings values ('a', 'b')
-- case: a rule that does something else
create rule r as on update to settings do instead delete from orders
-- then
update settings set value = 'x' where name = 'theme'
-- case: a rule in a temporary table
create temp table t (a int)
-- then
create rule r as on insert to t do also delete from orders
-- then
insert into t values (1)
-- case: a policy that calls
-- effect: pg_policy
create policy p on settings using (wipe() = 1)
-- case: an event trigger
create function f() returns event_trigger language plpgsql as $$ begin delete from orders; end $$
-- then
create event trigger e on ddl_command_end execute function f()
-- then
create temp table t (a int)
-- case: a generated column
-- rule: production-code
create function f(int) returns int language plpgsql immutable as $$ begin return wipe(); end $$
-- then
create table generated (a int, b int generated always as (f(a)) stored)
-- then
insert into generated values (1)
-- case: a column's default
create function f() returns int language plpgsql as $$ begin delete from orders; return 1; end $$
-- then
create table defaulted (a int, b int default f())
-- then
insert into defaulted (a) values (1)
-- case: an index on an expression
create function f(int) returns int language plpgsql immutable as $$ begin return wipe(); end $$
-- then
create index i on settings (f(length(name)))
-- case: an index with a condition
create function f(text) returns bool language plpgsql immutable as $$ begin return wipe() = 1; end $$
-- then
create index i on settings (name) where f(value)
-- case: a check of a table
create function f(int) returns bool language plpgsql as $$ begin delete from orders; return true; end $$
-- then
create table checked_table (a int check (f(a)))
-- then
insert into checked_table values (1)
-- case: a partition's bound computed
-- effect: pg_proc
create function f() returns int language sql as 'select 1'
-- case: a view over a function
create function f() returns int language sql as 'delete from orders; select 1'
-- then
create view seen as select f()
-- then
select * from seen
-- case: a materialized view over a function
create function f() returns int language plpgsql as $$ begin delete from orders; return 1; end $$
-- then
create materialized view seen as select f()
-- case: a language of its own
-- effect: pg_language
create language mine handler plpgsql_call_handler
-- case: a trusted language
-- effect: pg_language
create trusted language mine handler plpgsql_call_handler inline plpgsql_inline_handler validator plpgsql_validator
-- case: a function in C
-- effect: pg_proc
create function f(int) returns int language internal as 'int4abs'
-- case: a function in C, from libc
-- effect: pg_proc
create function f() returns void language c as '$libdir/plpgsql', 'plpgsql_call_handler'
-- case: a support function
-- effect: pg_proc
create function f(internal) returns internal language internal as 'array_unnest_support'
-- case: a transform's like: a conversion
-- effect: pg_conversion
create conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8
-- case: an operator class
-- effect: pg_opclass
create operator class ours for type int4 using btree as operator 1 <, operator 3 =, function 1 btint4cmp(int4, int4)
-- case: an access method
-- effect: pg_am
create access method sneaky type table handler heap_tableam_handler
-- case: a text search parser
-- effect: pg_ts_parser
create text search parser ours (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)
-- case: an extension
-- rule: production-code
-- effect: pg_extension
create extension if not exists hstore
