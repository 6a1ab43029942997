explain (verbose, costs off) select one_mail() || 'x';

explain (analyze, verbose) select echo(one_mail());

select most_common_vals::text, histogram_bounds::text from pg_stats where tablename = 'people';

select * from pg_stats where tablename = 'people';

select histogram_bounds from pg_stats where attname = 'email';

select s.histogram_bounds::text::text[] from pg_catalog.pg_stats s where tablename = 'people';

select unnest(histogram_bounds::text::text[]) from pg_stats where tablename = 'people' and attname = 'email';

select to_jsonb(s) from pg_stats s where tablename = 'people';

select s from pg_stats s where tablename = 'people';

select most_common_elems from pg_stats where tablename = 'people';

select most_common_vals from pg_stats_ext;

select * from pg_stats_ext;

copy (select histogram_bounds from pg_stats where tablename = 'people') to stdout;

create temp view v as select histogram_bounds::text as x from pg_stats where tablename = 'people';
select x from v;

-- undo: select 1
listen news;
insert into bells values (1);

-- undo: select 1
listen news;
select pg_notify('news', (select email from people where id = 1));

-- undo: select 1
listen news;
select 1 from people where pg_notify('news', email) is null;

-- undo: select 1
listen news;
do $$ begin perform pg_notify('news', (select email from people where id = 1)); end $$;

select set_config('x.y', email, false) from people;
select current_setting('x.y');

select set_config('x.y', (select email from people where id = 1), false);
show x.y;

select set_config('application_name', email, false) from people;
show application_name;

do $$ begin perform set_config('x.y', (select email from public.people where id = 1), false); end $$;
select current_setting('x.y') as city;

begin;
select set_config('x.y', upper(email), true) from people;
select current_setting('x.y', true);
commit;

select ts_stat.word from ts_stat('select to_tsvector(''simple'', email) from public.people');

select ts_rewrite('a'::tsquery, 'select ''a''::tsquery, plainto_tsquery(''simple'', email) from public.people where id = 1');

select * from information_schema.tables t, lateral (select email from people) l limit 3;

-- quiet
select 1 from people, generate_series(1, length(email));

-- quiet
select 1 limit (select mobile % 7 from people where id = 1);

-- quiet
select 1 from generate_series(1, (select (mobile % 50)::int from people where id = 2));

-- undo: drop table if exists play_kept
create table play_kept (id int, plain text);
alter table play_kept rename plain to email;
insert into play_kept select id, email from people;
alter table play_kept rename email to plain;
select plain from play_kept;

-- undo: drop table if exists play_kept
create table play_kept (id int, email text);
insert into play_kept select id, email from people;
alter table play_kept alter email type text using email, add column other text;
update play_kept set other = email;
select other from play_kept;

-- undo: drop rule if exists spy on products; delete from notes
create rule spy as on update to products do also insert into notes (body) select email from people;
update products set price = price;
select body from notes;

-- undo: drop table if exists play_kept
create table play_kept (email text references people (email) on update cascade, plain text);
insert into play_kept select email, email from people;
select plain from play_kept;

comment on column people.email is 'no longer';
select email from people;

alter table people rename email to title;
select title from people;

alter table people rename to things;
select email, first_name from things;

alter table clients rename to things;
select name from things;

set search_path = pg_temp, public;
select email from people;
select upper(email) from people;

begin;
alter table people add column more int;
select case when true then most_common_vals::text end, case when true then histogram_bounds::text end from pg_catalog.pg_stats;
select case when true then email end from public.people;
rollback;
