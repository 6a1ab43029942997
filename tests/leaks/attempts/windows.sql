select lag(email) over (order by id) from people;

select lead(email, 1, 'none') over (order by id) from people;

select first_value(email) over (order by id), last_value(phone) over (order by id) from people;

select nth_value(email, 2) over (order by id rows between unbounded preceding and unbounded following) from people;

select max(email) over (partition by city) from people;

select array_agg(email) over w from people window w as (order by id);

select string_agg(email, '') over (order by id) from people;

select lag(city, 1, email) over (order by id) from people;

select min(birth_date) over (), max(mobile) over (order by id) from people;

select sum(mobile) over (order by id) - coalesce(sum(mobile) over (order by id rows between unbounded preceding and 1 preceding), 0) from people;

select json_agg(email) over (order by id) from people;

select x from (select lag(email) over (order by id) as x from people) s;

select first_value(p) over (order by id) from people p;

-- quiet
select count(*) filter (where email > 'm') over (order by id), sum((email > 'm')::int) over (order by id) from people;

select min(email) filter (where id = 2) over () from people;
