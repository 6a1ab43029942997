select count(*) from people;

select count(email), count(distinct email) from people;

select city, count(*) from people group by city order by city;

select count(*) filter (where is_email_verified) from people;

select sum(login_count), avg(score), max(created_at), min(id) from people;

select city, count(email) from people group by city having count(*) > 1 order by 1;

select count(*) from people where email is not null;

select count(*) from people p where p.phone is null;

select rank() over (order by score), row_number() over (order by id) from people;

select lag(city) over (order by id), first_value(id) over (order by id) from people;

select city, sum(score) over (partition by city order by id) from people order by id;

select city, login_count, count(*) from people group by rollup (city, login_count) order by 1, 2;

select percentile_disc(0.5) within group (order by score), mode() within group (order by city) from people;

select array_agg(distinct city order by city) from people;

select string_agg(city, ',' order by id) from people;

select max(title), min(title) from products;

select stddev(price), variance(price), sum(price) from products;

select count(distinct city), count(distinct ssn) from people;

select ntile(2) over (order by id) from people;

select max(total), person_id from orders group by person_id order by 2;

select grouping(city), count(*) from people group by grouping sets ((city), ()) order by 1, 2;

select json_agg(city order by id) from people;

select jsonb_object_agg(id, city) from people;

select bit_or(login_count), bit_and(id) from people;

select corr(score, login_count) is not null from people;

select array_agg(s) from (select id, title from products order by id) s;
