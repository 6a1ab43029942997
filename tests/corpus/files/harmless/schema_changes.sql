-- form: simple
-- about: migrations that destroy nothing, in the access role admin
-- session: admin

-- case: create table
create table m_one (id int primary key, name text not null, at timestamptz default now())
-- case: create table with constraints
create table m_two (id bigint generated always as identity primary key, one_id int references m_one (id), amount numeric(10, 2) check (amount > 0), unique (one_id, amount))
-- case: create table if not exists
create table if not exists m_one (id int)
-- case: create table like
create table m_three (like m_one including all)
-- case: create table partitioned
create table m_parts (id int, day date) partition by range (day)
-- then
create table m_parts_a partition of m_parts for values from ('2026-01-01') to ('2027-01-01')
-- case: add a column
alter table m_one add column note text
-- case: add a column with a default
alter table m_one add column if not exists n int not null default 0
-- case: add two columns
alter table m_one add column a1 int, add column a2 text
-- case: set a default
alter table m_one alter column note set default 'x'
-- case: add a check that is not valid
alter table m_one add constraint m_one_n check (n >= 0) not valid
-- case: validate it
alter table m_one validate constraint m_one_n
-- case: create index
create index m_one_name on m_one (name)
-- case: create index if not exists
create index if not exists m_one_name on m_one (name)
-- case: create unique index
create unique index m_one_name_n on m_one (name, n) where n > 0
-- case: create index on an expression
create index m_one_lower on m_one (lower(name))
-- case: create index using gin
create index m_tags on products using gin (tags)
-- case: create index including
create index m_incl on orders (status) include (amount)
-- case: create index concurrently
-- form: simple
create index concurrently m_conc on orders (placed)
-- case: create view
create view m_view as select id, name from m_one
-- case: create or replace view
create or replace view m_view as select id, name from m_one
-- case: create materialized view
create materialized view m_mat as select status, count(*) n from orders group by status
-- case: refresh materialized view
refresh materialized view m_mat
-- case: create sequence
create sequence m_seq start 100 increment 5
-- case: create schema
create schema m_schema
-- case: create schema if not exists
create schema if not exists m_schema
-- case: create table in a schema
create table m_schema.t (id int)
-- case: create enum
create type m_mood as enum ('low', 'high')
-- case: add a value to an enum
alter type m_mood add value 'middle' after 'low'
-- case: create composite type
create type m_pair as (a int, b text)
-- case: create domain
create domain m_positive as int check (value > 0)
-- case: create statistics
create statistics m_stats on status, customer_id from orders
-- case: comment on a table
comment on table m_one is 'what it is'
-- case: comment on a column
comment on column m_one.name is 'who'
-- case: comment taken away
comment on table m_one is null
-- case: analyze
analyze m_one
-- case: analyze columns
analyze orders (status)
-- case: vacuum
-- form: simple
vacuum m_one
-- case: vacuum analyze
-- form: simple
vacuum (analyze) m_one
-- case: insert into what was made
-- open: a table just made is masked whole
insert into m_one (id, name) values (1, 'a') returning id, name
-- case: select from what was made
select id, name from m_one order by id
-- case: a migration in a transaction
-- open: a table just made is masked whole
begin
-- then
create table m_tx (id int)
-- then
insert into m_tx values (1)
-- then
select * from m_tx
-- then
commit
-- then
select count(*) from m_tx
-- case: a migration rolled back
begin
-- then
create table m_lost (id int)
-- then
rollback
-- then
select to_regclass('m_lost') is null
-- case: a version table
-- open: a table just made is masked whole
create table if not exists schema_version (version int primary key, at timestamptz default now())
-- then
insert into schema_version (version) values (1) on conflict do nothing
-- then
select max(version) from schema_version
-- case: a table that is there
-- fails: yes
create table orders (id int)
