select handle from contacts;

select loud from contacts;

select * from contacts;

select * from contacts_again;

select handle || '' from contacts_again;

-- quiet
select size from contacts_again;

select code from snapshot;

select code || '' from snapshot;

select * from snapshot;

select it from whole;

select (it).phone from whole;

select code, total from joined;

select x from tree;

select max(x) from tree;

select c from contacts c;

select c::text from contacts c;

select to_jsonb(c) from contacts c;

select string_agg(handle, ',') from contacts;

select * from everyone e join contacts c on c.id = e.id;

with v as (select * from contacts) select loud from v;

-- undo: drop view if exists play_view
create view play_view as select email as shown from people;
select shown from play_view;
select shown || '' from play_view;

-- undo: drop view if exists play_view2; drop view if exists play_view
create view play_view as select upper(email) as shown, city from people;
create view play_view2 as select shown as s2 from play_view;
select s2 from play_view2;
select * from play_view2;

-- undo: drop materialized view if exists play_kept
create materialized view play_kept as select email as shown from people;
select shown from play_kept;
select shown || '' from play_kept;

-- undo: drop view if exists play_view
create or replace view play_view as select city as shown from people;
create or replace view play_view as select email as shown from people;
select shown from play_view;

create temp view mine as select phone as tele_ from people;
select tele_ from mine;
select tele_ || '' from mine;

-- undo: drop view if exists play_view
create recursive view play_view (n, x) as select 1, 'a'::text union all select n + 1, (select email from people where id = n) from play_view where n < 4;
select x from play_view;
