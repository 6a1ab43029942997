select 1;

select id from people;

select id, city from people;

select id, city, feeling, is_email_verified, login_count, created_at, score, tags from people order by id;

select city as town, login_count as logins from people;

select p.id, p.city from people p;

select people.city from people;

select distinct city from people;

select distinct on (city) id, city from people order by city, id;

select * from products;

select title, price, added, tags from products;

table products;

select * from orders order by id;

select o.* from orders o;

select * from notes;

select * from amounts;

select id from formats;

select kind from formats order by id;

select id from clients;

select id, kept from older;

select id from email;

select id from logins;

select id, city from contacts;

select * from counts order by city;

select persons + most from counts order by 1;

select id, city from snapshot order by id;

select n from tree;

select total from joined order by 1;

select id from everyone order by id;

select ctid, id from people;

select tableoid::regclass, id from people;

select id from people where id = 1 for share;

select city from people order by id limit 2 offset 1;

select city from people fetch first 1 row only;

select id, city from people tablesample bernoulli (100) order by id;

select null, true, 1.5, 'x', date '2024-01-01';

values (1, 'a'), (2, 'b');

select from people;
