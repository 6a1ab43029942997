with s as (select id, city from people) select * from s order by id;

with s as (select id, city, email from people) select city || id from s order by 1;

with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select sum(n) from r;

with recursive r(n, t) as (select 1, 'a'::text union all select n + 1, t || 'b' from r where n < 4) select * from r;

with s as materialized (select * from products) select title from s order by 1;

with a as (select id from people), b as (select id from a) select count(*) from b;

with s(x, y) as (values (1, 'a')) select y from s;

with s as (select count(email) as n from people) select n from s;

with people as (select id, title as email from products) select email from people order by 1;

with recursive r as (select id, person_id from orders where id = 1 union all select o.id, o.person_id from orders o join r on o.id = r.id + 1) select * from r;

with s as (select city, count(*) as n from people group by city) select city, n from s order by 1;

select * from (with s as (select title from products) select * from s) t order by 1;

select x from generate_series(1, 3) x;

select * from generate_series(1, 3) with ordinality;

select * from unnest(array[1, 2], array['a', 'b']) as t(a, b);

select * from json_to_record('{"a": 1, "b": "x"}') as t(a int, b text);

select * from jsonb_each('{"a": 1}');

select * from regexp_split_to_table('a,b', ',');

select * from string_to_table('a b', ' ');

select * from rows from (generate_series(1, 2), unnest(array['a', 'b'])) as t(a, b);

select x.* from xmltable('/r/v' passing '<r><v>1</v></r>' columns v int path '.') x;
