with s as (select email as x from people) select x from s;

with s as (select email || '' as x from people) select * from s;

with s(a, b) as (select id, lower(email) from people) select b from s;

with s as materialized (select * from people) select upper(phone) from s;

with s as not materialized (select * from people) select ssn from s;

with a as (select email from people), b as (select * from a), c as (select email as z from b) select z from c;

with a as (select email from people) select (select string_agg(email, ',') from a);

with recursive r(n, x) as (select 1, null::text union all select n + 1, (select email from people where id = n) from r where n < 4) select * from r;

with recursive r(n, x) as (select 1, ''::text union all select n + 1, x || (select email from people where id = n) from r where n < 4) select x from r;

with recursive r as (select id, email::text as x from people where id = 1 union all select p.id, p.phone from people p join r on p.id = r.id + 1) select x from r;

with recursive r(n, rest, done) as (select 1, email::text, ''::text from people where id = 1 union all select n + 1, substr(rest, 2), substr(rest, 1, 1) from r where rest <> '') select done from r;

with recursive a(x) as (select 'q'::text union select y from b2), b2(y) as (select email from people) select * from a;

with recursive t(n, p) as (select id, email::text from people union select n + 10, p from t where n < 10) search depth first by n set o select p, o from t;

with recursive t(n, p) as (select id, email::text from people union select n, p from t) cycle p set c using path select path, c from t;

with people as (select id, email as city from people) select city from people;

with products as (select id, email as title from people) select title from products;

with x as (select 1) select email from people, x;

with s as (values ((select email from people limit 1))) select column1 from s;

with s as (table people) select first_name from s;

with s as (select p as whole_row from people p) select (whole_row).email from s;

with s as (select array_agg(email) as a from people) select unnest(a) from s;

with s as (select jsonb_agg(p) as j from people p) select j -> 0 ->> 'email' from s;

with s as (select email as a, city as b from people) select b || a from s;

select * from (with s as (select email from people) select * from s) t;

with s as (select email x from people) select x from s union all select city from people;

with recursive r(a, b, c, n) as (select 'x'::text, 'y'::text, (select email from people limit 1), 1 union all select b, c, a, n + 1 from r where n < 5) select a from r;
