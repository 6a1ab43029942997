select id + 1, upper(city), login_count * 2 from people;

select city || ' ' || id from people;

select length(city), left(city, 2), reverse(city) from people;

select coalesce(city, '-'), nullif(city, 'x'), greatest(id, 3) from people;

select case when id > 3 then 'late' else 'early' end from people;

select case city when 'Paris 1' then 1 else 0 end from people;

select created_at::date, extract(year from created_at), date_trunc('day', created_at) from people;

select to_char(created_at at time zone 'UTC', 'YYYY') from people;

select tags[1], array_length(tags, 1), tags || array['z'] from people;

select unnest(tags) from people;

select t from people, unnest(tags) t;

select score::int, round(score), score * 1.5, score::text from people;

select feeling::text, feeling = 'fine' from people;

select is_email_verified and true, not is_email_verified from people;

select email is null, phone is not null from people;

select pg_typeof(email), pg_column_size(id) from people limit 1;

select num_nulls(email, phone) from people;

select id from people where email = 'a@b.c';

select id, city from people where email = 'a@b.c' or id = 2;

select city from people order by email;

select id from people where email like 'nothing%';

select exists (select 1 from people where email = 'x');

select 1 where exists (select from people where phone = 'x');

select p from products p;

select p::text from products p;

select (p).title from products p;

select row(p.*) from products p;

select row_to_json(p) from products p;

select to_jsonb(p) from products p;

select to_jsonb(p) ->> 'title' from products p;

select json_build_object('t', title, 'p', price) from products;

select json_agg(title), jsonb_agg(price), json_object_agg(id, title) from products;

select array_agg(title order by price), string_agg(title, ',' order by id) from products;

select array(select title from products order by id);

select array[title, 'x'] from products;

select format('%s costs %s', title, price) from products;

select concat_ws('-', title, price, added) from products;

select md5(title), encode(title::bytea, 'hex') from products;

select title like 'lamp%', title ~ '1$', title > 'lamp 2' from products;

select hstore('a', title), hstore('a', title) -> 'a' from products;

select xmlelement(name x, title) from products;

select xmlforest(title, price) from products;

select title::varchar(3), title collate "C" from products;

select regexp_split_to_table(title, ' ') from products;

select split_part(title, ' ', 2)::int from products;

select to_tsvector('simple', title) from products;

select price::int, ceil(price), price % 2, -price from products;

select added + 1, added - date '2024-01-01', age(added, date '2020-01-01') from products;

select int4range(id, id + 5), daterange(added, null) from products;

select row(id, city) from people;

select jsonb_build_object('id', id, 'city', city) from people;

select (select count(*) from orders o where o.person_id = p.id), p.city from people p order by p.id;

select hashtext(city), sha256(city::bytea) from people;

select id = any (array[1, 2]), id in (1, 2), id between 1 and 3 from people;

select lower(city collate "C") from people;

select bool_or(is_email_verified), every(id > 0) from people;
