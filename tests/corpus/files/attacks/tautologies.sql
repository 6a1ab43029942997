-- about: conditions that choose every row
-- rule: production-every-row
-- effect: orders

-- case: true
delete from orders where true
-- case: one is one
delete from orders where 1 = 1
-- case: strings that are equal
delete from orders where 'a' = 'a'
-- case: not false
delete from orders where not false
-- case: not not true
delete from orders where not (not true)
-- case: a text read as a boolean
delete from orders where 'on'::bool
-- case: a number read as a boolean
delete from orders where 1::bool
-- case: the key is itself
delete from orders where id = id
-- case: the key is itself by another name
delete from orders o where o.id = id
-- case: not less than itself
delete from orders where not (id < id)
-- case: not distinct from itself
delete from orders where id is not distinct from id
-- case: itself in a list
delete from orders where id in (0, id)
-- case: itself between itself
delete from orders where id between id and id
-- case: one thing or its opposite
delete from orders where amount > 10 or not (amount > 10)
-- case: null or not null
delete from orders where note is null or note is not null
-- case: less, or not less
delete from orders where amount < 5 or amount >= 5
-- case: a condition that is null is null
delete from orders where (id = null) is null
-- case: neither of two
delete from orders where (id = 1) is not null
-- case: null compared with null
delete from orders where null is null
-- case: every text is like %
update orders set note = 'x' where status like '%'
-- case: every text matches .*
update orders set note = 'x' where status ~ '.*'
-- case: every text begins with nothing
update orders set note = 'x' where starts_with(status, '')
-- case: the length is at least nothing
delete from orders where length(status) >= 0
-- case: octets too
delete from orders where octet_length(status) > -1
-- case: the absolute value is at least nothing
delete from orders where abs(id) >= 0
-- case: a number plus nothing
delete from orders where id + 0 = id
-- case: a number times nothing
delete from orders where id * 0 = 0
-- case: a number less itself
delete from orders where id - id = 0
-- case: a row equals itself
delete from orders where (id, status) = (id, status)
-- case: exists a constant
delete from orders where exists (select 1)
-- case: exists something elsewhere
delete from orders where exists (select 1 from products)
-- case: not exists of nothing
delete from orders where not exists (select 1 where false)
-- case: the table lists itself
delete from orders where id in (select id from orders)
-- case: the table lists itself in another alias
delete from orders where id in (select o.id from orders o where true)
-- case: any of itself
delete from orders where id = any (select id from orders)
-- case: any of an array of itself
delete from orders where id = any (array[id])
-- case: any of an array made of the table
delete from orders where id = any (array(select id from orders))
-- case: not in nothing
delete from orders where id not in (select id from orders where false)
-- case: all of nothing
delete from orders where id <> all ('{}'::int[])
-- case: a scalar subquery that is true
delete from orders where (select true)
-- case: a count that is more than nothing
delete from orders where (select count(*) from orders) > 0
-- case: a case of true
delete from orders where case when id > 0 then true else true end
-- case: case without an else that matters
delete from orders where case when true then true end
-- case: nullif of different things
delete from orders where nullif(1, 2) = 1
-- case: the clock
delete from orders where now() > '2000-01-01'
-- case: chance that is certain
delete from orders where random() < 2
-- case: the user who is the user
delete from orders where current_user = current_user
-- case: a setting that is set
delete from orders where current_setting('server_version') is not null
-- case: a version that is a version
delete from orders where version() like 'Postgre%'
-- case: the least of itself
delete from orders where least(id, id) = id
-- case: the greatest of itself
delete from orders where greatest(id, id) = id
-- case: concatenated with nothing
delete from orders where status || '' = status
-- case: the array holds what it is made of
delete from orders where array[id] @> array[id]
-- case: overlaps itself
delete from orders where array[id, 1] && array[id]
-- case: in upper case both
delete from orders where upper(status) = upper(status)
-- case: cast both
delete from orders where id::text = id::text
-- case: the row's place is its place
delete from orders where ctid = ctid
-- case: the row has a place
delete from orders where ctid is not null
-- case: it lies in some table
delete from orders where tableoid = 'orders'::regclass
-- case: it was written by somebody
delete from orders where xmin is not null
-- case: the place is in the list of places
delete from orders where ctid in (select ctid from orders)
-- case: an OR among real ones
delete from orders where id = 3 or status = 'paid' or 1 = 1
-- case: an OR below an AND
delete from orders where (id = 3 or true) and (amount > 100 or true)
-- case: XOR of the same
delete from orders where (id = 1) = (id = 1)
-- case: a not of an and of opposites
delete from orders where not (id = 1 and id <> 1)
-- case: is true, or is not
delete from orders where (amount > 10) is true or (amount > 10) is not true
-- case: a not null column that is not null
delete from orders where id is not null
-- case: a not null column of another alias
delete from orders as o where o.status is not null
-- case: not is null
delete from orders where not (id is null)
-- case: coalesce of what is never null
delete from orders where coalesce(id, 1) = id
-- case: a parameter alone
-- values: true
delete from orders where $1
-- case: a parameter compared with itself
-- values: 1
delete from orders where $1::int = $1::int
-- case: a parameter compared with a constant
-- values: 1
delete from orders where 1 = $1::int
-- case: a parameter in an or
-- values: true
delete from orders where id = 5 or $1::bool
-- case: an update by everything
update orders set amount = 0 where id = id or status = 'new'
-- case: between the extremes of its type
delete from orders where id between -2147483648 and 2147483647
-- case: above the least of its type
delete from orders where id >= -2147483648
-- case: at most the largest of its type
delete from orders where id <= 2147483647
-- case: the table lists itself, sorted
delete from orders where id in (select id from orders order by id)
-- case: the table lists itself, distinct
delete from orders where id in (select distinct id from orders)
-- case: the table lists itself, grouped
delete from orders where id in (select id from orders group by id)
-- case: the table lists itself, in a union
delete from orders where id in (select id from orders union select 1)
-- case: the table lists itself, by a WITH
with every as (select id from orders) delete from orders where id in (select id from every)
-- case: the table lists itself, by a lateral join
delete from orders where id in (select x.id from orders o, lateral (select o.id) x)
-- case: the table lists itself, by a cross join
delete from orders where id in (select x.id from orders o cross join lateral (select o.id) x)
-- case: exists another of the same key
delete from orders where exists (select 1 from orders o where o.id = orders.id)
-- case: a date up to infinity
delete from orders where placed <= 'infinity'
-- case: a date from minus infinity
delete from orders where placed >= '-infinity'::date
-- case: two ranges that meet
delete from orders where id <= 5 or id > 5
-- case: two ranges that lie over each other
delete from orders where amount < 100 or amount > 50
-- case: two ranges, a whole number apart
delete from orders where id <= 5 or id >= 6
-- case: two ranges of dates
delete from orders where placed < '2026-06-01' or placed > date '2026-01-01'
-- case: a range and what is outside of a smaller one
delete from orders where id between 10 and 20 or id not between 12 and 18
-- case: not one or not another
delete from orders where status <> 'new' or status <> 'paid'
-- case: not in one list or not in another
delete from orders where id not in (1, 2) or id not in (3, 4)
-- case: never both
delete from orders where not (id > 10 and id < 5)
-- case: never between the wrong way round
delete from orders where not (id between 10 and 5)
-- case: every text comes after the empty one
update orders set note = 'x' where status >= ''
-- case: the first place of all
delete from orders where ctid >= '(0,0)'
-- case: the sign is small
delete from orders where sign(amount) <= 1
-- case: nothing of the text
delete from orders where left(status, 0) = ''
-- case: where nothing is found
delete from orders where position('' in status) = 1
-- case: the rest of a division by one
delete from orders where id % 1 = 0
-- case: to the power of nothing
delete from orders where id ^ 0 = 1
-- case: cast to a wider type
delete from orders where id::bigint = id
-- case: nullif of null
delete from orders where nullif(id, null) = id
-- case: by another collation
delete from orders where status collate "C" = status
-- case: JSON of the row
delete from orders where to_jsonb(status) is not null
-- case: the array holds part of itself
delete from orders where array[id, 1] @> array[id]
-- case: at least the least there is
delete from orders where id >= (select min(id) from orders)
-- case: the most there is, turned round
delete from orders where (select max(id) from orders) >= id
-- case: at most all of the most
delete from orders where id <= all (select max(id) from orders)
-- case: between the least and the most
delete from orders where id between (select min(id) from orders) and (select max(id) from orders)
-- case: a foreign key that points somewhere
delete from orders where customer_id in (select id from customers)
