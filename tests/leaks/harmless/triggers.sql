insert into enrolled (id) values (1);
select id, slug, size from enrolled;

insert into enrolled (id) values (1);
select n > 0, op, tab from trail order by n;

insert into enrolled (id) values (1) returning slug, size;

insert into enrolled (id) values (1);
select id, made from copied;

insert into filled (id) values (1);
select id from filled;

select id from by_rule;

select slugged(title), slugged('A b'), public.slugged(title) from products order by id;

select p.id, s from products p, slugged(p.title) s order by 1;

select max(slugged(title)) from products group by slugged(title) order by 1;
