select city from people union select email from people;

select title from products union all select email from people;

select email from people except select title from products;

select email from people intersect select email from people;

(select title from products) union (select city from people intersect select email from people) union select ssn from people;

select x from (select title x from products union all select phone from people) s;

values ((select email from people limit 1));

values (1, 'a'), (2, (select ssn from people limit 1));

select * from (values (1, (select email from people limit 1))) v(a, b);

select v.b || '' from (values (1, (select email from people limit 1))) v(a, b);

select null::text union all select email from people;

select id, city from people union select id, phone from people order by 1;

select * from (select 1 as id, 'a' as x union all select id, email from people) s where id > 0;

(select email from people limit 1) union all (select title from products limit 1);

select city from people union all (select title from products union all (select iban from people));

select 'x' from products union all select distinct first_name from people;

table email union all select 1, 'x';

select 1, 2 union all select id, mobile from people;

select null, null union all select id, birth_date::text from people;

select id, x from everyone;

select x || '' from everyone;

select max(x) from everyone;
