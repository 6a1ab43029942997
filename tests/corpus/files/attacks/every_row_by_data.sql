-- about: conditions that choose every row because of what the rows hold
-- rule: production-every-row
-- effect: orders
-- open: whether it is every row hangs on the rows, and those the judge does not see

-- case: not the empty text, where none is
delete from orders where status <> ''
-- case: not a number that none is
delete from orders where id <> -1
-- case: a window that gives every row a number
delete from orders where id in (select id from (select id, row_number() over () n from orders) x where n > 0)
-- case: the table lists itself, with a limit above its size
delete from orders where id in (select id from orders limit 1000000)
-- case: a date before infinity, which tables of periods have for an open end
delete from orders where placed < 'infinity'
-- case: a date after minus infinity
delete from orders where placed > '-infinity'::date
