update people set login_count = 1 returning email;

update people set login_count = 1 returning *;

update people set login_count = 1 returning upper(email) as city;

update people set city = email returning city;

update people set city = (select max(phone) from people) returning city;

update people set (city, score) = (select email, 1 from people limit 1) returning city;

update people p set login_count = 2 from people q where q.id = p.id + 1 returning q.email, p.phone;

update products set title = p.email from people p where p.id = products.id returning title;

update products set title = title returning (select email from people limit 1);

insert into notes (body) select email from people returning body;

insert into notes (body) select email from people returning body || '';

insert into notes (body) values ((select email from people limit 1)) returning *;

insert into notes (body) select x from (select upper(ssn) as x from people) s returning body;

insert into products select 90 + id, upper(phone) from people returning title;

insert into amounts select id, mobile from people returning amount;

insert into amounts (amount, id) select mobile, id from people returning *;

insert into people (id, city) select 900 + id, email from people returning city;

insert into people (id, city, email) values (1, 'x', 'y') on conflict (id) do update set city = people.email returning city;

insert into people (id, email) values (1, 'y') on conflict (id) do update set login_count = 9 returning email, phone, people;

insert into people (id, email) values (2, 'y') on conflict (id) do update set city = people.phone || excluded.email returning city;

delete from orders o using people p where p.id = o.person_id returning p.email, o.id;

delete from email returning email;

delete from email returning upper(email.email);

delete from clients returning name;

with moved as (insert into notes (body) select email from people returning body) select body from moved;

with u as (update people set login_count = 2 returning phone) select phone || '' from u;

with d as (delete from email returning *) select * from d;

with d as (delete from email returning email as x) insert into notes (body) select x from d returning body;

insert into notes (body) select email from people;
select body from notes;

insert into amounts select id, mobile from people;
select amount from amounts;

update people set city = phone;
select city from people;

update products set title = (select iban from people limit 1);
select title from products;
select distinct title || '' from products;

update products set tags = array(select email from people);
select tags from products;

update products set tags[1] = (select email from people limit 1);
select tags from products;

merge into notes n using people p on false when not matched then insert (body) values (p.email);
select body from notes;

merge into products t using people p on p.id = t.id when matched then update set title = p.email;
select title from products;

insert into filled (id) values (1) returning body;

insert into filled (id) values (1);
select body from filled;

-- quiet
insert into notes (body) select case when email > 'm' then 'high' else 'low' end from people returning body;

select email as x into temp table t2 from people;
select x from t2;

insert into orders (id, person_id, total) select 100 + id, id, mobile from people returning total;

insert into notes (body) select string_agg(email, ',') from people returning body;

insert into logins select 1, email from people limit 1 returning mail;
