-- about: TRUNCATE in all its forms, and DROP
-- rule: production-destructive
-- effect: pg_class

create type mood as enum ('low', 'high');
create domain positive as int check (value > 0);
create function one() returns int language sql as 'select 1';
create table stamps (id int, at timestamptz);
create function stamp() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
create trigger stamped before insert on stamps for each row execute function stamp();
create rule noted as on delete to stamps do also nothing;
create table secrets (id int, owner text);
insert into secrets values (1, 'plain'), (2, 'nobody');
alter table secrets enable row level security;
create policy mine on secrets using (owner = current_user);
create function same_int(int, int) returns bool language sql immutable as 'select $1 = $2';
create operator ### (leftarg = int, rightarg = int, function = same_int);
create function mood_int(mood) returns int language sql immutable as 'select 1';
create cast (mood as int) with function mood_int(mood);
create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');
create collation plainly from "C";
create statistics orders_stats on status, customer_id from orders;
create text search configuration words (copy = simple);
create publication told for table orders;
create foreign data wrapper nowhere;
create server elsewhere foreign data wrapper nowhere;
create access method heap_too type table handler heap_tableam_handler;
create function watching() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger watchful on ddl_command_end when tag in ('CREATE COLLATION') execute function watching();

-- case: truncate
truncate orders
-- case: truncate table only
truncate table only orders
-- case: several at once, the last one matters
truncate settings, only orders
-- case: restart identity
truncate table orders restart identity
-- case: cascade to what points to it
truncate customers cascade
-- case: a schema before it
truncate public.orders continue identity restrict
-- case: a star behind it
truncate orders *
-- case: quoted
truncate "public"."orders"
-- case: a partitioned table
truncate events
-- case: drop table
drop table orders cascade
-- case: drop table if exists
drop table if exists nothing_like_that, orders cascade
-- case: drop several
drop table settings, events
-- case: drop a view
drop view open_orders
-- case: drop a materialized view
drop materialized view sums
-- case: drop an index
drop index orders_status
-- case: drop a schema with all in it
drop schema public cascade
-- case: drop a sequence with its default
drop sequence products_id_seq cascade
-- case: drop a type
-- effect: pg_type
drop type mood cascade
-- case: drop a domain
-- effect: pg_type
drop domain positive cascade
-- case: drop a function
-- effect: pg_proc
drop function one()
-- case: drop a function without its arguments
-- effect: pg_proc
drop routine one
-- case: drop a trigger
-- effect: pg_trigger
drop trigger stamped on stamps
-- case: drop a rule
-- effect: pg_rewrite
drop rule noted on stamps
-- case: drop a policy
-- effect: pg_policy
drop policy mine on secrets
-- case: drop an operator
-- effect: pg_operator
drop operator ### (int, int)
-- case: drop a cast
-- effect: pg_cast
drop cast (mood as int)
-- case: drop an aggregate
-- effect: pg_proc
drop aggregate total(int)
-- case: drop a collation
-- effect: pg_collation
drop collation plainly
-- case: drop statistics
-- effect: pg_statistic_ext
drop statistics orders_stats
-- case: drop a text search configuration
-- effect: pg_ts_config
drop text search configuration words
-- case: drop a publication
-- effect: pg_publication
drop publication told
-- case: drop a role
-- rule: production-privileges
-- effect: pg_authid
drop role other_role
-- case: drop a database
-- alone: yes
-- effect: pg_database
-- undo: create database spare
drop database spare
-- case: drop owned
-- rule: production-privileges
-- user: plain
drop owned by plain cascade
-- case: drop a foreign server
-- effect: pg_foreign_server
drop server elsewhere
-- case: drop access method
-- effect: pg_am
drop access method heap_too
-- case: drop an event trigger
-- effect: pg_event_trigger
drop event trigger watchful
