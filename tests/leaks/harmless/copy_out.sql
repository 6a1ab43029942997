copy products to stdout;

copy products to stdout (format csv, header);

copy products to stdout (format binary);

copy products (title, price) to stdout (delimiter '|', null 'none');

copy people (id, city) to stdout;

copy people (id, city, tags, score) to stdout (format csv, force_quote *);

copy people (id, city) to stdout (format binary);

copy (select city, count(*) from people group by city order by 1) to stdout csv;

copy (select id from people order by id) to stdout;

copy (select title from products union select city from people order by 1) to stdout;

copy (select count(email) from people) to stdout;

copy (values (1, 'a')) to stdout;

copy notes to stdout;

copy (select * from counts order by 1) to stdout;

copy (select id, city, login_count from people) to stdout (format binary);
