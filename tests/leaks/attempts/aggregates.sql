select array_agg(email) from people;

select string_agg(email, ',') from people;

select string_agg(city, email) from people;

select string_agg(city, ',' order by email) || max(email) from people;

select max(email), min(phone) from people;

select min(mobile), max(birth_date), min(card_number), max(last_ip) from people;

select json_agg(email), jsonb_agg(phone), json_object_agg(id, ssn), xmlagg(xmlelement(name a, iban)) from people;

-- quiet
select sum(mobile), avg(mobile), stddev(mobile), bit_and(mobile), bit_or(mobile), bit_xor(mobile) from people;

select sum(mobile) from people where id = 3;

select avg(card_number) from people where id = 2;

select mode() within group (order by email) from people;

select percentile_disc(0.5) within group (order by mobile) from people;

select percentile_disc(array[0, 0.5, 1]) within group (order by email) from people;

-- quiet
select percentile_cont(0.5) within group (order by mobile), regr_slope(mobile, id), corr(mobile, id) from people;

-- quiet
select bool_or(email > 'm'), every(email > 'b'), bool_and(email like '%k%'), count(email) filter (where email > 'm') + 0 * max(mobile) from people;

select glued(email) from people;

select range_agg(int8range(mobile, mobile + 1)) from people;

select email, count(*) from people group by email;

select upper(email), count(*) from people group by 1;

select email || '' from people group by email;

select email, city, count(*) from people group by grouping sets ((email), (city));

select email, phone from people group by rollup (email, phone);

select max(x) from (select email as x from people) s;

select array_agg(distinct email order by email) from people;

select string_agg(distinct left(email, 8), ',') from people;

select city, array_agg(email) from people group by city having max(email) > 'a';

select (array_agg(email))[1:2] from people;

select unnest(array_agg(email)) from people;

select min(least(email, phone)) from people;

select max(array[email]) from people;

select rank('zz') within group (order by email), max(email) from people;
