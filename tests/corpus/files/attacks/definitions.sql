-- about: ALTER in its destructive and weakening forms, and writes to the catalog itself
-- rule: production-destructive
-- effect: pg_attribute

create table computed (a int, twice int generated always as (a * 2) stored);
create table stamped (id int);
create function stamping() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger stamp_it before insert on stamped for each row execute function stamping();
create rule note_it as on delete to stamped do also nothing;
create table secured (id int); alter table secured enable row level security;
create table parent_table (id int); create table heir () inherits (parent_table);
create schema hidden;
create domain checked_int as int constraint checked_int_check check (value > 0);
create type pair as (a int, b int);
create type colour as enum ('red', 'blue');
create table analyzed (id int); insert into analyzed values (1), (2); analyze analyzed;
create function guard_it() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger guardian on ddl_command_end when tag in ('CREATE COLLATION') execute function guard_it();

-- case: drop a column
alter table orders drop column note
-- case: drop a column without the word
alter table orders drop note
-- case: drop a column if there is one
alter table if exists orders drop column if exists note cascade
-- case: drop a column among harmless ones
alter table orders add column fine int, drop column note
-- case: drop a column of all
alter table only orders drop column amount cascade
-- case: a type that loses digits
alter table customers alter column tier type smallint using 0
-- case: a type with USING that loses all
alter table orders alter note type text using ''
-- case: a type set by SET DATA TYPE
alter table orders alter column note set data type varchar(3) using left(note, 3)
-- case: an expression that is dropped
alter table computed alter column twice drop expression
-- case: an identity that is dropped
alter table events alter column id drop identity
-- case: a default that is dropped
-- allowed: it loses no row, and migrations need it
-- effect: pg_attrdef
alter table orders alter column status drop default
-- case: a null that is allowed
-- allowed: it loses no row, and migrations need it
alter table orders alter column status drop not null
-- case: a constraint that is dropped
-- effect: pg_constraint
alter table orders drop constraint orders_pkey
-- case: a foreign key that is dropped
-- effect: pg_constraint
alter table orders drop constraint if exists orders_customer_id_fkey
-- case: triggers that are switched off
-- effect: pg_trigger
alter table stamped disable trigger all
-- case: one trigger that is switched off
-- effect: pg_trigger
alter table stamped disable trigger stamp_it
-- case: triggers of users that are switched off
-- effect: pg_trigger
alter table stamped disable trigger user
-- case: a trigger for replicas only
-- effect: pg_trigger
alter table stamped enable replica trigger stamp_it
-- case: a rule that is switched off
-- effect: pg_rewrite
alter table stamped disable rule note_it
-- case: row security that is switched off
-- effect: pg_class
alter table secured disable row level security
-- case: a partition that is detached
-- effect: pg_inherits
alter table events detach partition events_2026
-- case: a parent that is left
-- effect: pg_inherits
alter table heir no inherit parent_table
-- case: another schema
-- effect: pg_class
alter table orders set schema hidden
-- case: another name
-- effect: pg_class
alter table orders rename to orders_old
-- case: another name of a column
alter table orders rename column note to remark
-- case: another name of a column without the word
alter table orders rename note to remark
-- case: another name of a view
-- effect: pg_class
alter view open_orders rename to open_orders_old
-- case: another name of a schema
-- effect: pg_namespace
alter schema hidden rename to seen
-- case: another name of a constraint
-- rule: production-code
-- effect: pg_constraint
alter table orders rename constraint orders_pkey to orders_key
-- case: another name of an index
-- effect: pg_class
alter index orders_status rename to orders_status_old
-- case: not logged any more
-- effect: pg_class
alter table settings set unlogged
-- case: storage parameters
-- effect: pg_class
alter table orders set (autovacuum_enabled = false)
-- case: replica identity
-- effect: pg_class
alter table orders replica identity nothing
-- case: a domain without its check
-- effect: pg_constraint
alter domain checked_int drop constraint checked_int_check
-- case: a type without an attribute
alter type pair drop attribute b
-- case: a sequence set back
-- effect: pg_sequence
alter sequence ticks restart with 1 increment by 2
-- case: setval by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: ticks
select setval('ticks', 1000000)
-- case: nextval by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: ticks
select nextval('ticks')
-- case: a view replaced by another
-- allowed: a view holds no rows, and migrations replace views
-- effect: pg_rewrite
create or replace view open_orders as select id, status, amount from orders
-- case: a function replaced
-- rule: production-code
-- effect: pg_proc
create or replace function stamping() returns trigger language plpgsql as $$ begin return null; end $$
-- case: a trigger replaced
-- rule: production-code
-- effect: pg_trigger
create or replace trigger stamp_it before insert on stamped for each row when (false) execute function stamping()
-- case: a rule replaced
-- rule: production-code
-- effect: pg_rewrite
create or replace rule note_it as on delete to stamped do instead nothing
-- case: a view with rules that swallow
-- rule: production-code
-- effect: pg_rewrite
create rule swallow as on insert to orders do instead nothing
-- case: a function's cost
-- rule: production-code
-- effect: pg_proc
alter function stamping() cost 1000
-- case: a function's name
-- rule: production-code
-- effect: pg_proc
alter function stamping() rename to stamped_too
-- case: a function's schema
-- rule: production-code
-- effect: pg_proc
alter function stamping() set schema hidden
-- case: an event trigger switched off
-- rule: production-code
-- effect: pg_event_trigger
alter event trigger guardian disable
-- case: a database's connections
-- effect: pg_database
-- rule: production-code
alter database spare with allow_connections false
-- case: a database's name
-- effect: pg_database
-- rule: production-code
alter database spare rename to spare_too
-- case: a new database
-- effect: pg_database
-- rule: production-code
-- alone: yes
-- undo: drop database if exists fresh
create database fresh template spare
-- case: the catalog: become a superuser
-- rule: production-do
-- effect: pg_authid
update pg_authid set rolsuper = true where rolname = 'other_role'
-- case: the catalog: a function's text
-- rule: production-do
-- effect: pg_proc
update pg_proc set prosrc = 'begin return null; end' where proname = 'stamping'
-- case: the catalog: a function's owner
-- rule: production-do
-- effect: pg_proc
update pg_catalog.pg_proc set prosecdef = true where proname = 'stamping'
-- case: the catalog: a table's rights
-- rule: production-do
-- effect: pg_class
update pg_class set relacl = null where relname = 'orders'
-- case: the catalog: a trigger
-- rule: production-do
-- effect: pg_trigger
update pg_trigger set tgenabled = 'D' where tgname = 'stamp_it'
-- case: the catalog: a table is gone
-- rule: production-do
-- effect: pg_class
delete from pg_class where relname = 'settings'
-- case: the catalog: a membership
-- rule: production-do
-- effect: pg_auth_members
insert into pg_auth_members select (select oid from pg_roles where rolname = 'holder'), (select oid from pg_roles where rolname = 'other_role'), 10, true
-- case: the catalog: an enum's value
-- rule: production-do
-- effect: pg_enum
delete from pg_enum where enumlabel = 'blue'
-- case: the catalog: in a WITH
-- rule: production-do
-- effect: pg_authid
with x as (update pg_authid set rolcanlogin = true where rolname = 'other_role' returning 1) select * from x
-- case: the catalog: by MERGE
-- rule: production-do
-- effect: pg_authid
merge into pg_authid a using (values (1)) v on a.rolname = 'other_role' when matched then update set rolcreaterole = true
-- case: the catalog: by COPY
-- rule: production-do
-- effect: pg_description
-- data: 1\t2\t0\ttext\n
copy pg_description from stdin
-- case: the catalog: statistics
-- rule: production-do
-- effect: pg_statistic
delete from pg_statistic where starelid = 'analyzed'::regclass
-- case: the catalog: comments
-- rule: production-do
-- effect: pg_description
insert into pg_description values (1, 2, 0, 'x')
-- case: a row with a lock for all
-- session: readonly
-- rule: readonly-changes-nothing
-- shows: SELECT 200
select id from orders for update
-- case: a share lock by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- shows: SELECT 200
select id from orders for key share
-- case: an insert by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: settings
insert into settings values ('a', 'b')
-- case: an update of one row by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: settings
update settings set value = 'x' where name = 'theme'
-- case: a delete of one row by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: settings
delete from settings where name = 'theme'
-- case: a copy by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: settings
-- data: a\tb\n
copy settings from stdin
-- case: a merge by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: settings
merge into settings s using (values ('a')) v(n) on s.name = v.n when not matched then insert values (v.n, 'x')
-- case: SELECT INTO by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: pg_class
select * into copied from orders
-- case: CREATE TABLE AS by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: pg_class
create table copied as select * from orders
-- case: a temporary table by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: pg_class
create temp table copied (a int)
-- case: an index by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: pg_class
create index on orders (note)
-- case: a view by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: pg_class
create view v as select 1
-- case: a comment by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- effect: pg_description
comment on table orders is 'x'
-- case: analyze by readonly
-- session: readonly
-- rule: default-deny
-- effect: pg_statistic
analyze orders
-- case: refresh by readonly
-- session: readonly
-- rule: default-deny
-- effect: pg_class
refresh materialized view sums
-- case: notify by readonly
-- session: readonly
-- rule: readonly-changes-nothing
-- shows: NOTIFY
notify news, 'x'
-- case: an index by readwrite
-- session: readwrite
-- rule: ddl-needs-admin
-- effect: pg_class
create index on orders (note)
-- case: a table by readwrite
-- session: readwrite
-- rule: ddl-needs-admin
-- effect: pg_class
create table t (a int)
-- case: SELECT INTO by readwrite
-- session: readwrite
-- rule: ddl-needs-admin
-- effect: pg_class
select * into copied from orders
-- case: a column by readwrite
-- session: readwrite
-- rule: ddl-needs-admin
alter table orders add column extra int
-- case: a drop by readonly
-- session: readonly
-- effect: pg_class
drop table orders cascade
-- case: a truncate by readwrite
-- session: readwrite
-- effect: pg_class
truncate orders
