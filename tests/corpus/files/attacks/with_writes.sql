-- about: writes hidden in WITH queries, at any depth and in every statement that takes a query
-- rule: production-every-row
-- effect: orders

-- case: a delete in a WITH of a select
with gone as (delete from orders returning id) select count(*) from gone
-- case: MATERIALIZED before the delete
with gone as materialized (delete from orders returning id) select * from gone
-- case: NOT MATERIALIZED before the delete
with gone as not materialized (delete from orders) select 1
-- case: an update among harmless queries
with a as (select 1 x), b as (update orders set note = 'x' returning id), c as (select * from a) select * from c
-- case: never read, and run all the same
with unused as (delete from orders returning id) select 'nothing to see'
-- case: in a query that returns no row
with gone as (delete from orders returning id) select * from gone where false
-- case: behind LIMIT 0
with gone as (delete from orders returning id) select * from gone limit 0
-- case: a WITH in a WITH
with outer_one as (with inner_one as (select 1) select * from inner_one), gone as (delete from orders) select * from outer_one
-- case: RECURSIVE beside it
with recursive n(i) as (select 1 union all select i + 1 from n where i < 3), gone as (delete from orders) select * from n
-- case: under a VALUES
with gone as (delete from orders) values (1), (2)
-- case: under a TABLE command
with gone as (delete from orders) table products
-- case: under a union
with gone as (delete from orders returning id) select id from gone union all select 1
-- case: an insert that carries a delete
-- effect: orders
with gone as (delete from orders returning note) insert into settings select 'n' || row_number() over (), note from gone
-- case: an update with a real condition that carries a delete
with gone as (delete from orders) update products set price = 1 where id = 1
-- case: a delete with a real condition that carries another
with gone as (delete from orders) delete from settings where name = 'theme'
-- case: a merge that carries a delete
with gone as (delete from orders) merge into settings s using (select 'theme' as n) x on s.name = x.n when matched then update set value = 'light'
-- case: a real delete and one of every row
with a_few as (delete from events where kind = 'k1'), gone as (delete from orders) select 1
-- case: two names, the second worse
with a as (update products set price = price where id = 1 returning id), b as (update orders set note = '' returning id) select * from a
-- case: quoted and strangely named
with "select 1" as (delete from orders returning id) select * from "select 1"
-- case: its name is that of a table
with products as (delete from orders returning id) select * from products
-- case: its name is that of the target
with orders as (delete from orders returning id) select * from orders
-- case: with a column list
with gone(a) as (delete from orders returning id) select sum(a) from gone
-- case: joined with itself
with gone as (delete from orders returning id) select * from gone a join gone b using (id)
-- case: read by a subquery in a condition
with gone as (delete from orders returning id) select * from products where id in (select id from gone)
-- case: EXPLAIN ANALYZE runs it
explain analyze delete from orders
-- case: EXPLAIN (ANALYZE) of a WITH
explain (analyze, timing off, format json) with gone as (delete from orders) select 1
-- case: EXPLAIN with ANALYZE as 1
explain (costs off, analyze 1) update orders set note = 'x'
-- case: EXPLAIN ANALYZE of an EXECUTE
prepare hidden as delete from orders
-- then
explain analyze execute hidden
-- case: EXPLAIN says ANALYZE twice, the last one counts
explain (analyze off, analyze on) delete from orders
-- case: PREPARE, then EXECUTE
prepare hidden as with gone as (delete from orders returning id) select * from gone
-- then
execute hidden
-- case: PREPARE with a parameter that is always true
prepare hidden(bool) as delete from orders where $1
-- then
execute hidden(true)
-- case: COPY of a delete's rows
copy (delete from orders returning id) to stdout
-- case: COPY of a WITH
copy (with gone as (update orders set note = 'x' returning id) select * from gone) to stdout with (format csv)
-- case: COPY of an update
copy (update orders set status = 'sent' returning *) to stdout with (format binary)
-- case: the body of an ON CONFLICT
insert into orders select * from orders on conflict (id) do update set note = 'taken over'
-- case: ON CONFLICT with a condition that is no condition
insert into orders select * from orders on conflict (id) do update set note = 'taken over' where true
-- case: SELECT INTO of a WITH
-- rule: production-every-row
prepare p as with gone as (delete from orders returning id) select * from gone
-- then
execute p
-- case: a cursor cannot carry it, EXPLAIN of a cursor's text can
explain (analyze, verbose) with gone as (delete from orders returning *) select count(*) from gone
-- case: FOR UPDATE locks beside the delete
with gone as (delete from orders) select id from products for update
-- case: in brackets
(with gone as (delete from orders returning id) select id from gone) order by 1
-- case: brackets in brackets
((with gone as (delete from orders returning id) (select id from gone)))
-- case: a truncating rule of thumb: many CTEs before it
with c1 as (select 1), c2 as (select 1), c3 as (select 1), c4 as (select 1), c5 as (select 1), c6 as (select 1), c7 as (select 1), c8 as (select 1), c9 as (select 1), c10 as (select 1), c11 as (select 1), c12 as (select 1), c13 as (select 1), c14 as (select 1), c15 as (select 1), c16 as (delete from orders) select * from c1
-- case: with SEARCH and CYCLE beside it
with recursive t(i) as (select 1 union all select i + 1 from t where i < 3) search depth first by i set o, gone as (delete from orders) select * from t
