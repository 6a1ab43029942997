-- One of most things that pg_dump writes.
create schema shop;
set search_path = shop;
create type mood as enum ('sad', 'glad');
create type pair as (a int, b text);
create domain positive as int check (value > 0);
create sequence numbers start 7 increment 3;
create table customers (
  id int generated always as identity primary key,
  name text not null collate "C",
  mood mood default 'glad',
  tags text[] default '{}',
  born date,
  extra jsonb,
  raw bytea,
  amount positive,
  twice int generated always as (amount * 2) stored
);
comment on table customers is 'People; quoted '' and \ and ü';
insert into customers (name, tags, born, extra, raw, amount)
select 'n' || n || E'\t\\é', array['a', 'b "c"', null], date '1970-01-01' + n,
       jsonb_build_object('n', n), decode(md5(n::text), 'hex'), n
from generate_series(1, 500) as n;
create table orders (
  id bigserial primary key,
  customer int references customers on delete cascade deferrable initially deferred,
  total numeric(12, 2) check (total >= 0),
  made timestamptz not null default '2020-01-01 00:00:00+00',
  span int4range
);
insert into orders (customer, total, span)
select 1 + n % 500, n * 1.25, int4range(n, n + 10) from generate_series(1, 2000) as n;
create index orders_total on orders (total desc nulls last) where total > 10;
create unique index customers_name on customers (lower(name));
create view rich as select c.name, sum(o.total) as total
  from customers c join orders o on o.customer = c.id group by c.name;
create materialized view counts as select customer, count(*) from orders group by customer;
create table parts (id int, made date) partition by range (made);
create table parts_old partition of parts for values from (minvalue) to ('2020-01-01');
create table parts_new partition of parts default;
insert into parts select n, date '2019-12-01' + n from generate_series(1, 100) as n;
create function bump() returns trigger language plpgsql as $$
begin
  new.total := coalesce(new.total, 0);
  return new;
end $$;
create trigger bumping before insert on orders for each row execute function bump();
create function add(a int, b int default 1) returns int language sql immutable
  return a + b;
create procedure nothing() language sql as 'select 1';
create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');
create operator === (leftarg = int, rightarg = int, function = int4eq);
create table log (line text);
create rule silent as on delete to log do instead nothing;
alter table customers enable row level security;
create policy own on customers for select using (name = current_user);
create statistics depend (dependencies) on customer, total from orders;
grant select on orders to public;
select setval('numbers', 70);
