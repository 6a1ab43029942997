-- about: aggregates and groups
-- session: readonly

-- case: count
select count(*) from orders
-- case: count of a column
select count(note), count(distinct status) from orders
-- case: count of a protected column
select count(email) from customers
-- case: group by position
select status, count(*) from orders group by 1 order by 1
-- case: group by an expression
select date_trunc('month', placed) m, sum(amount) from orders group by 1 order by 1
-- case: having
select customer_id, sum(amount) s from orders group by customer_id having sum(amount) > 400 order by 1
-- case: filter
select count(*) filter (where status = 'paid') paid, count(*) filter (where status = 'new') fresh from orders
-- case: rollup
select status, customer_id % 2 odd, sum(amount) from orders group by rollup (status, customer_id % 2) order by 1 nulls last, 2 nulls last
-- case: cube
select status, customer_id % 2, count(*) from orders group by cube (status, 2) order by 1 nulls last, 2 nulls last
-- case: grouping sets
select status, grouping(status), count(*) from orders group by grouping sets ((status), ()) order by 2, 1
-- case: group by distinct sets
select status, count(*) from orders group by distinct rollup (status), rollup (status) order by 1 nulls last
-- case: an array
select status, (array_agg(id order by id))[1:3] from orders group by status order by 1
-- case: a text
select string_agg(distinct status, ', ' order by status) from orders
-- case: json
select json_agg(json_build_object('id', id, 's', status) order by id) from orders where id < 4
-- case: jsonb by key
select jsonb_object_agg(status, n) from (select status, count(*) n from orders group by status order by status) x
-- case: booleans
select bool_and(amount > 0), bool_or(note is null), every(id > 0) from orders
-- case: bits
select bit_and(id), bit_or(id) from orders where id in (3, 7)
-- case: statistics
select round(stddev(amount), 4), round(variance(amount), 4) from orders
-- case: correlation
select round(corr(id, amount)::numeric, 4), round(regr_slope(amount, id)::numeric, 4) from orders
-- case: extremes
select min(placed), max(placed), max(placed) - min(placed) from orders
-- case: distinct
select distinct status from orders order by status
-- case: distinct on
select distinct on (status) status, id from orders order by status, id desc
-- case: histogram
select width_bucket(amount, 0, 250, 5) b, count(*) from orders group by b order by b
-- case: a pivot
select customer_id % 3 g, sum(case when status = 'new' then amount end) fresh, sum(case when status = 'paid' then amount end) paid from orders group by 1 order by 1
-- case: a cross join for missing days
select d::date, count(o.id) from generate_series(date '2026-01-01', '2026-01-10', '1 day') d left join orders o on o.placed = d::date group by 1 order by 1
-- case: weeks
select extract(isoyear from placed) y, extract(week from placed) w, count(*) from orders group by 1, 2 order by 1, 2 limit 5
-- case: ratio
select round(100.0 * count(*) filter (where note is not null) / count(*), 1) from orders
-- case: a group of everything
select 1 from orders having count(*) > 10
-- case: ordered set with group
select status, percentile_cont(0.9) within group (order by amount) from orders group by status order by 1
-- case: ranges unioned
select range_agg(int4range(id, id + 2)) from orders where id < 5
-- case: xml aggregated
select xmlagg(xmlelement(name s, status) order by id) from orders where id < 3
