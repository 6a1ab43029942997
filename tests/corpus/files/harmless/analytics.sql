-- about: analytics
-- session: readonly

-- case: a window
select status, sum(amount) over (partition by status order by id) from orders order by id limit 5
