-- about: UPDATE FROM, DELETE USING and MERGE whose sources choose every row
-- rule: production-every-row
-- effect: orders

-- case: using a constant
delete from orders using (values (1)) v
-- case: using another table without a condition
delete from orders using products
-- case: using another table with a condition on that alone
delete from orders using products where products.id = 1
-- case: using itself by the key
delete from orders using orders o where o.id = orders.id
-- case: using itself by the key, on both aliases
delete from orders a using orders b where a.id = b.id and b.id is not null
-- case: using itself by every column
delete from orders a using orders b where a = b
-- case: from itself by the place
update orders set note = 'x' from orders o where o.ctid = orders.ctid
-- case: from a function's rows
update orders set note = 'x' from generate_series(1, 1) n
-- case: from a function's rows with a condition on those
update orders set note = 'x' from generate_series(1, 3) n where n = 1
-- case: from a subquery of itself
update orders set note = s.status from (select id, status from orders) s where s.id = orders.id
-- case: from a WITH of itself
with every as (select id from orders) update orders set note = 'x' from every where every.id = orders.id
-- case: a left join that loses nothing
update orders set note = 'x' from orders o left join products p on p.id = o.id where o.id = orders.id
-- case: a cross join
update orders set note = 'x' from customers cross join products where customers.id = 1 and products.id = 1
-- case: set from a subquery, without a condition
update orders set amount = (select max(price) from products)
-- case: set by a row
update orders set (status, note) = row('x', 'y')
-- case: ONLY
update only orders set note = 'x'
-- case: a star
delete from orders * returning 1
-- case: merge on true
merge into orders using (values (1)) v on true when matched then delete
-- case: merge of itself
merge into orders o using orders s on o.id = s.id when matched then update set note = 'x'
-- case: merge with DO NOTHING first
merge into orders o using (values (1)) v on 1 = 1 when not matched then do nothing when matched then delete
-- case: merge with a condition in the arm that is none
merge into orders o using (values (1)) v on true when matched and true then delete
-- case: merge with an arm that is always taken
merge into orders o using products p on o.id is not null and p.id = 1 when matched then update set note = p.title
-- case: merge in ONLY
merge into only orders o using (values (1)) v on 1 = 1 when matched then update set note = 'z'
-- case: merge using a query of itself
merge into orders o using (select id from orders) s on s.id = o.id when matched then delete
-- case: merge on a key compared with itself
merge into orders o using (values (1)) v on o.id = o.id when matched then delete
-- case: merge in an EXPLAIN ANALYZE
explain analyze merge into orders o using (values (1)) v on true when matched then delete
-- case: merge in a PREPARE
prepare m as merge into orders o using (values (1)) v on true when matched then delete
-- then
execute m
-- case: a view that shows some rows, all of them changed
-- effect: orders
update open_orders set amount = 0
-- case: a view that shows some rows, all of them deleted
delete from open_orders
-- case: a partitioned table as a whole
-- effect: events_2026
delete from events
-- case: a partition
-- effect: events_2026
delete from events_2026
-- case: a partitioned table, by the key that all rows have
-- effect: events_2026
delete from events where at is not null
-- case: rows routed to another partition
-- effect: events_rest
update events set at = at + interval '10 years'
-- case: customers whose orders go with them
-- effect: orders
delete from customers
-- case: customers whose orders go with them, chosen by nothing
-- effect: orders
delete from customers where id > id - 1
