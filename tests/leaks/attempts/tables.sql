create temp table t as select email as x from people;
select x from t;

create temp table t as select email as x, id from people;
select x || '' from t;
select * from t;

create temp table t as table people;
select email from t;
select city, phone from t;

create temp table t (x text);
insert into t select email from people;
select x from t;

create temp table t (x text) on commit drop;
insert into t select upper(email) from people;
select x from t;

create temp table t (x text);
insert into t values ((select email from people limit 1)) returning x;

create temp table products as select email as title from people;
select title from products;

create temp table products (id int, title text);
insert into products select id, email from people;
select title || '' from products;
select title from pg_temp.products;

create temp table t (like people);
insert into t select * from people where false;
insert into t (id, city) select id, email from people;
select city from t;

create temp table t as select 1 as id, 'x'::text as x;
update t set x = (select email from people where id = 1);
select x from t;

select email as x into temp t from people;
select x from t;

prepare p as select email as y from people;
create temp table t3 as execute p;
select y from t3;

-- undo: drop table if exists play_kept
create table play_kept as select email as x from people;
select x from play_kept;

-- undo: drop table if exists play_kept
create table play_kept (x) as select phone from people;
select x || '' from play_kept;

-- undo: drop table if exists play_kept
select email as x into play_kept from people;
select x from play_kept;

-- undo: drop table if exists play_kept
create table play_kept (x text);
insert into play_kept select email from people;
select x from play_kept;

-- undo: drop table if exists play_kept
create unlogged table play_kept (x text);
update play_kept set x = 'a';
insert into play_kept (x) values ((select ssn from people limit 1)) returning x;

-- undo: drop table if exists play_kept
create table play_kept (like people including all);
select 1;
insert into play_kept (id, city) select id, email from people;
select city from play_kept;

-- undo: drop table if exists play_kept
create table play_kept (id int, email text, plain text generated always as (lower(email)) stored);
insert into play_kept select id, email from people;
select plain from play_kept;

-- undo: drop table if exists play_kept
create table play_kept (id int, email text, plain text default 'x');
insert into play_kept (email, plain) select email, email from people;
select plain from play_kept;

create temp table t (x text);
create temp table u as select * from t;
insert into t select email from people;
insert into u select x from t;
select x from u;

create temp sequence s;
select setval('s', (select mobile from people limit 1));
select currval('s'), last_value from s;

begin;
create temp table t as select email as x from people;
savepoint a;
select x from t;
commit;

create temp table t as select city as x from people;
select x from t;
truncate t;
insert into t select email from people;
select x from t;

create temp table t as select city as x from people;
alter table t rename to products;
insert into products (x) select email from people;
select x from products;

-- simple
create temp table z as select email as x from people; select x from z; drop table z;

create table fresh (id int, x text);
insert into fresh select id, email from people;
select x from fresh;

-- undo: drop table if exists fresh
begin;
create table fresh (id int, x text);
insert into fresh select id, email from people;
commit;
select x from fresh;

-- undo: drop table if exists fresh
begin;
create table if not exists fresh (id int, x text);
update fresh set x = 'y';
insert into fresh (x) select upper(email) from people;
commit;
select x from fresh;
