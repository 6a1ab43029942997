select (select email from people limit 1);

select (select p.email || '' from people p where p.id = o.person_id) from orders o;

select id, (select string_agg(body, ' ') from (select email as body from people) s) from products;

select (select array_agg(email) from people);

select array(select email from people);

select (array(select email from people order by id))[2];

select (select p from people p limit 1);

select ((select p from people p limit 1)).email;

select (select (select (select email from people limit 1)));

select o.id, s.e from orders o, (select id, email as e from people) s where s.id = o.person_id;

select s.* from (select * from (select email, phone from people) t) s;

select t from (select email from people) t;

select t::text from (select email as x, 1 as y from people) t;

select (t).x from (select email as x, 1 as y from people) t;

select row_to_json(t) from (select email as x from people) t;

select x from (select lower(e) as x from (select email as e from people) a) b;

select * from orders o join lateral (select email from people p where p.id = o.person_id) l on true;

select * from people, lateral (select email || 'x' as y) l;

select l.y from people, lateral (select upper(email) as y) l;

select l.y from people p, lateral (select p.phone as y union all select city) l;

select x.y from people, lateral regexp_split_to_table(email, '@') x(y);

select x from people, lateral regexp_split_to_table(email, '') x;

select string_agg(x, '' order by n desc) from people, lateral regexp_split_to_table(email, '') with ordinality t(x, n) group by id;

select unnest(emails) from people;

select m from people, unnest(emails) m;

select a, b from people, unnest(emails, mobile_numbers) as t(a, b);

select t.* from people, unnest(emails) with ordinality t;

select t from people, unnest(addresses) t;

select street from people, unnest(addresses);

select z from people, unnest(addresses) as t(s, z, f);

select x from rows from (unnest((select array_agg(email) from people)), generate_series(1, 3)) as t(x, n);

select coalesce((select email from people where id = 2), 'none') as name;

select case when exists (select 1 from people) then (select email from people limit 1) end;

-- quiet
select email in (select email from people where id < 3), id = any (select id from people where email > 'm') from people;

-- quiet
select (select email from people where id = 1) > 'm', (select count(*) from people q where q.email < p.email) from people p;

select string_agg(p.email, ',') over (order by o.id) from orders o join people p on p.id = o.person_id;

select j.x2 from (people p join orders o on o.person_id = p.id) as j(x1, x2);

select email || '' from people join orders using (id);

select email || '' from people natural join orders;

select p.id, q.email from people p left join people q on q.id = p.id + 1;

select q from people p full join people q on q.id = p.id;

select coalesce(q.email, p.email) from people p right join people q using (id);

select email from people cross join generate_series(1, 2);
