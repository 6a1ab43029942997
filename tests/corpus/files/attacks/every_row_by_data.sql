-- about: conditions that choose every row because of what the rows hold
-- rule: production-every-row
-- effect: orders
-- open: whether it is every row hangs on the rows, and those the judge does not see

-- case: not the empty text, where none is
delete from orders where status <> ''
-- case: not a number that none is
delete from orders where id <> -1
-- case: at least the least there is
delete from orders where id >= (select min(id) from orders)
-- case: up to the most there is
delete from orders where id <= (select max(id) from orders)
-- case: all of the others
delete from orders where id <= all (select max(id) from orders)
-- case: between the least and the most
delete from orders where id between (select min(id) from orders) and (select max(id) from orders)
-- case: a window that gives every row a number
delete from orders where id in (select id from (select id, row_number() over () n from orders) x where n > 0)
-- case: the table lists itself, with a limit above its size
delete from orders where id in (select id from orders limit 1000000)
-- case: the table lists itself, by another table that it points to
delete from orders where customer_id in (select id from customers)
