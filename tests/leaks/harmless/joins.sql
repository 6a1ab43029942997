select o.id, p.title, o.total from orders o join products p on p.id = o.product_id order by o.id;

select o.id, o.total + u.login_count from orders o join people u on u.id = o.person_id order by o.id;

select u.city, sum(o.total) from people u join orders o on o.person_id = u.id group by u.city order by 1;

select max(o.total) over (partition by u.city) from orders o, people u where u.id = o.person_id order by 1;

select u.id, o.total from people u left join orders o on o.person_id = u.id and u.email is not null order by 1;

select u.id from people u join people v on u.email = v.email order by 1;

select city, title from people natural join (select id, title from products) p order by 1, 2;

select id, city, title from people join products using (id) order by id;

select p.title from products p cross join generate_series(1, 2) order by 1;

select o.id, l.title from orders o, lateral (select title from products p where p.id = o.product_id) l order by 1;

select l.n from people p, lateral (select count(*) as n from orders o where o.person_id = p.id) l order by 1;

select coalesce(o.id, p.id) from orders o full join products p on p.id = o.product_id order by 1;

select j.a, j.b from (products p join orders o on o.product_id = p.id) as j(a, b) order by 1, 2;

select id from people where id in (select person_id from orders) order by id;

select id from people p where exists (select from orders o where o.person_id = p.id) order by id;

select id from products where id not in (select product_id from orders) order by id;

select (select title from products where id = o.product_id) from orders o order by 1;

select s.city || '!' from (select city, email from people) s order by 1;

select s.n from (select count(email) as n from people) s;

select t.a from (select id as a, email as b from people) t order by 1;

select g, u.city from people u, generate_series(1, 2) g order by 1, 2;

select x.id from people x where x.email > 'm' or x.email <= 'm' order by 1;

select city from people union select title from products order by 1;

select city from people intersect select city from people order by 1;

select id from people except select 1 order by 1;

select title from products union all select city from people union all select 'x' order by 1;

select id from people union select id from email order by 1;

select a.id, b.id from people a join email b on a.id = b.id order by 1;
