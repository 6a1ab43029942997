select 1/0;

select nosuch from people;

select * from nosuch;

select 'x'::int;

select title::int from products;

insert into products (id) values (1);

select city from people where;

select nosuch(1);

selec 1;

select title from products limit -1;

update products set id = null;

select 'a'::date;

select array[1, 'x'];

select email.nosuch from email;
