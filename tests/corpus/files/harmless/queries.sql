-- about: joins, subqueries, set operations, WITH
-- session: readonly

-- case: inner join
select o.id, c.country from orders o join customers c on c.id = o.customer_id order by o.id limit 5
-- case: left join
select c.id, o.id from customers c left join orders o on o.customer_id = c.id and o.amount > 240 order by 1, 2 limit 10
-- case: right join
select count(*) from orders o right join customers c on c.id = o.customer_id
-- case: full join
select count(*) from orders o full join products p on p.id = o.id
-- case: cross join
select count(*) from products a cross join products b
-- case: natural join
select count(*) from orders natural join (select id, status from orders) x
-- case: using
select id from orders join products using (id) order by id limit 3
-- case: self join
select a.id, b.id from orders a join orders b on b.id = a.id + 1 and b.status = a.status order by 1 limit 3
-- case: lateral
select p.id, t from products p, lateral unnest(p.tags) t order by 1, 2 limit 6
-- case: left join lateral
select c.id, x.total from customers c left join lateral (select sum(amount) total from orders o where o.customer_id = c.id) x on true order by 1 limit 5
-- case: semi join
select id from customers c where exists (select 1 from orders o where o.customer_id = c.id and o.amount > 245) order by id
-- case: anti join
select id from products p where not exists (select from orders o where o.id = p.id and o.status = 'new') order by id limit 5
-- case: in a query
select id from products where id in (select customer_id from orders where status = 'paid') order by 1 limit 5
-- case: not in a list
select id from products where id not in (1, 2, 3) order by 1 limit 3
-- case: any of an array
select id from orders where status = any (array['paid', 'sent']) order by id limit 4
-- case: all of a query
select id from products where price >= all (select price from products)
-- case: a scalar subquery
select id, (select count(*) from orders o where o.customer_id = c.id) from customers c order by 1 limit 4
-- case: a subquery in FROM
select s, n from (select status, count(*) from orders group by 1) x(s, n) order by 1
-- case: a row comparison
select id from orders where (status, id) > ('paid', 190) order by id limit 4
-- case: union
select id from products where id < 3 union select id from orders where id < 4 order by 1
-- case: union all
select 1 union all select 1
-- case: intersect
select id from products intersect select id from orders order by 1 limit 3
-- case: except
select id from orders except select id from products order by 1 limit 3
-- case: except all
select unnest(array[1, 1, 2]) except all select 1 order by 1
-- case: with
with big as (select * from orders where amount > 200) select status, count(*) from big group by 1 order by 1
-- case: with materialized
with x as materialized (select id from orders where id < 5) select sum(id) from x
-- case: two WITHs
with a as (select 1 as n), b as (select n + 1 as m from a) select * from a, b
-- case: recursive numbers
with recursive n(i) as (select 1 union all select i + 1 from n where i < 10) select sum(i) from n
-- case: recursive tree
with recursive t(id, path) as (select 1, array[1] union all select t.id * 2, path || t.id * 2 from t where t.id < 16) select * from t
-- case: recursive with search
with recursive t(id) as (values (1) union all select id + 1 from t where id < 4) search breadth first by id set o select id from t order by o
-- case: recursive with cycle
-- open: the mark of a cycle is masked, though nothing protected is read
with recursive t(id) as (values (1) union all select (id % 3) + 1 from t) cycle id set c using p select id, c from t
-- case: fibonacci
with recursive f(a, b) as (values (0, 1) union all select b, a + b from f where b < 100) select a from f
-- case: values
values (1, 'a'), (2, 'b')
-- case: values in FROM
select * from (values (1, 'one'), (2, 'two')) v(n, word) order by n
-- case: table command
table products
-- case: limit and offset
select id from orders order by id limit 5 offset 10
-- case: fetch first
select id from orders order by id fetch first 3 rows only
-- case: fetch with ties
select status, id from orders order by status fetch first 1 row with ties
-- case: keyset paging
select id from orders where (placed, id) > (date '2026-02-01', 31) order by placed, id limit 3
-- case: for update
-- session: readwrite
begin
-- then
select id from orders where id = 1 for update
-- then
commit
-- case: for share
-- session: readwrite
begin
-- then
select id from orders where id = 1 for share nowait
-- then
commit
-- case: skip locked
-- session: readwrite
select id from orders where status = 'new' order by id limit 2 for update skip locked
-- case: tablesample
select count(*) >= 0 from orders tablesample system (100)
-- case: case
select id, case status when 'new' then 0 when 'paid' then 1 else 2 end from orders order by id limit 5
-- case: coalesce and nullif
select coalesce(note, '-'), nullif(status, 'new') from orders order by id limit 5
-- case: nulls first
select note from orders order by note nulls first, id limit 3
-- case: collate
select status from orders group by status order by status collate "C" desc
-- case: a whole row
select p from products p where id = 1
-- case: a row's field
select (p).title from products p where id = 1
-- case: every column of an alias
select p.* from products p where p.id < 3 order by p.id
-- case: an alias with columns
select a, b from products as p(a, b) order by a limit 2
-- case: quoted aliases
select id as "Id", status "the status" from orders order by id limit 1
-- case: keywords as aliases
select 1 as select, 2 as from, 3 as "delete", 4 as "drop"
-- case: a word of danger in a string
select 'drop table orders; delete from customers' as advice
-- case: a word of danger in a comment
select 1 -- delete from orders
-- case: a word of danger in another comment
select /* truncate orders */ 1
-- case: a word of danger in a dollar quote
select $q$ do $$ begin delete from orders; end $$ $q$
-- case: a column named as a function
select 1 as pg_sleep
-- case: ctid
select ctid, xmin is not null from products where id = 1
-- case: tableoid
select tableoid::regclass, count(*) from events group by 1 order by 1
-- case: a partitioned table
select kind, count(*) from events where at >= '2026-03-01' and at < '2026-03-02' group by kind order by 1
-- case: one partition
select count(*) from events_2026
-- case: only
select count(*) from only events
-- case: a view
select count(*), sum(amount) from open_orders
-- case: a materialized view
select * from sums order by status
-- case: nothing
select
-- case: an empty message

-- case: only a comment
-- nothing
-- case: only a semicolon
;
-- case: several selects
-- form: simple
select 1; select 2; select 3
-- case: a select with a semicolon
select 1;
-- case: a very long list
select count(*) from generate_series(1, 3) n where n in (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40)
-- case: deep brackets
select ((((((((((1))))))))))
-- case: a join of five
select count(*) from orders o join customers c on c.id = o.customer_id join products p on p.id = o.id left join events e on e.id = p.id left join settings s on s.name = o.status
