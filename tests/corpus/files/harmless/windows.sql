-- about: window functions, as reports use them
-- session: readonly

-- case: a running total
select id, sum(amount) over (order by id) as running from orders order by id limit 10
-- case: a running total a customer
select customer_id, id, sum(amount) over (partition by customer_id order by placed, id) from orders order by 1, 2 limit 20
-- case: row numbers
select row_number() over (partition by status order by amount desc, id) n, id from orders order by status, n limit 9
-- case: the newest of each
select * from (select id, status, row_number() over (partition by status order by placed desc) n from orders) x where n = 1 order by id
-- case: ranks
select id, rank() over (order by status), dense_rank() over (order by status) from orders order by id limit 8
-- case: percentiles of rank
select id, percent_rank() over (order by amount), cume_dist() over (order by amount) from orders order by id limit 5
-- case: quartiles
select ntile(4) over (order by amount) q, count(*) over () from orders order by q limit 4
-- case: the one before
select id, amount - lag(amount) over (order by id) as delta from orders order by id limit 6
-- case: the one before with a default
select id, lag(amount, 2, 0) over (order by id) from orders order by id limit 4
-- case: the one after
select id, lead(placed) over (partition by customer_id order by placed) from orders order by id limit 6
-- case: first and last
select distinct status, first_value(id) over w, last_value(id) over w from orders window w as (partition by status order by id rows between unbounded preceding and unbounded following) order by 1
-- case: the third
select distinct nth_value(id, 3) over (partition by status order by id rows between unbounded preceding and unbounded following) v from orders order by v
-- case: a moving mean
select id, avg(amount) over (order by id rows between 3 preceding and current row) from orders order by id limit 8
-- case: a moving mean both ways
select id, round(avg(amount) over (order by id rows between 2 preceding and 2 following), 2) from orders order by id limit 8
-- case: a range of days
select id, count(*) over (order by placed range between interval '7 days' preceding and current row) from orders order by id limit 8
-- case: groups
select id, sum(amount) over (order by status groups between 1 preceding and current row exclude current row) from orders order by id limit 5
-- case: a share of the whole
select status, sum(amount) / sum(sum(amount)) over () as share from orders group by status order by status
-- case: a filter in a window
select id, count(*) filter (where status = 'paid') over (order by id) from orders order by id limit 6
-- case: two named windows
select id, sum(amount) over a, count(*) over b from orders window a as (partition by status), b as (a order by id) order by id limit 5
-- case: gaps and islands
with g as (select id, status, id - row_number() over (partition by status order by id) as grp from orders) select status, min(id), max(id) from g group by status, grp order by 2 limit 5
-- case: sessions of events
select count(*) from (select at, sum(case when at - lag_at > interval '30 minutes' then 1 else 0 end) over (order by at) s from (select at, lag(at) over (order by at) lag_at from events) x) y
-- case: cumulative distinct
select placed, count(*) over (order by placed) from orders order by placed limit 5
-- case: top n per group by lateral
select s.status, o.id from (select distinct status from orders) s, lateral (select id from orders where orders.status = s.status order by amount desc limit 2) o order by 1, 2
-- case: median
select percentile_cont(0.5) within group (order by amount) from orders
-- case: several percentiles
select percentile_disc(array[0.25, 0.5, 0.75]) within group (order by amount) from orders
-- case: mode
select mode() within group (order by status) from orders
-- case: a hypothetical rank
select rank(50.0) within group (order by amount) from orders
