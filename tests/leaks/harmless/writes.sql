insert into products values (50, 'new', 1, null, null) returning *;

insert into products (id, title) values (51, 'new') returning id, title || '!';

update products set price = price * 2 returning id, price;

update people set login_count = login_count + 1 where id = 1 returning id, login_count;

update people set city = 'Rome' where id = 1 returning city;

update people set email = lower(email) where id = 1 returning id, city;

delete from orders where id = 1 returning id, total;

insert into orders select 200 + id, person_id, product_id, total from orders returning id;

insert into people (id, email, city) values (1, 'a@b.c', 'Rome') on conflict (id) do update set login_count = 3 returning id, city;

insert into people (id, email, phone, city) values (77, 'new@b.c', '12345', 'Oslo') returning id, city;

with m as (update products set price = 1 returning id) select count(*) from m;

with m as (delete from orders returning total) select sum(total) from m;

insert into notes (body) values ('hello') returning body;

insert into notes (body) select city from people order by id returning body || '';

insert into email select id + 100, email from email returning id;

merge into products t using orders o on t.id = o.id when matched then update set price = o.total;

update products p set price = o.total from orders o where o.id = p.id returning p.id, o.total;

delete from products p using orders o where o.product_id = p.id and p.id = 99 returning p.title;

begin;
update products set title = 'x' where id = 1;
select title from products order by id;
rollback;

create temp table t (a int, b text);
insert into t values (1, 'x'), (2, 'y');
select a, b || '!' from t order by a;
update t set b = 'z' returning b;
delete from t where a = 1 returning *;
drop table t;

create temp table t as select title from products;
select string_agg(title, ',' order by title) from t;

begin;
declare c cursor for select id, city from people order by id;
fetch 2 from c;
fetch all from c;
close c;
commit;

begin;
declare c cursor for select upper(title) from products order by id;
fetch all from c;
commit;

prepare p as select id, title from products order by id;
execute p;
execute p;
deallocate p;

prepare p(int) as select city from people where id = $1;
execute p(1);

prepare p as update products set price = 3 where id = 1 returning title;
execute p;

set application_name = 'x';
show application_name;

begin;
set local timezone = 'UTC';
select created_at from people order by id;
commit;

listen news;
notify news;
unlisten news;

begin;
savepoint a;
select nosuch from people;
rollback to a;
select city from people where id = 1;
commit;

-- simple
select 1; select city from people where id = 1; select 2;

-- simple
begin; select id from products where id = 1; commit;
