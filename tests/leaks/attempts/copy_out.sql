copy people to stdout;

copy people to stdout (format csv);

copy people to stdout csv header;

copy people to stdout (format binary);

copy people (id, email) to stdout (format binary);

copy people (id, email, emails, mobile) to stdout;

copy people (email) to stdout (delimiter '|', null 'none');

copy people (email, phone) to stdout (format csv, delimiter ';', quote '''', escape '\', force_quote *);

copy public.people (ssn, card_number) to stdout with csv;

copy people to stdout (encoding 'latin1');

copy (select * from people) to stdout;

copy (select email from people) to stdout (format csv, header);

copy (select upper(email) from people) to stdout;

copy (select p from people p) to stdout;

copy (select (p).* from people p) to stdout;

copy (select row_to_json(p) from people p) to stdout;

copy (select array_agg(email) from people) to stdout;

copy (table people) to stdout;

copy (values ((select email from people limit 1))) to stdout;

copy (with s as (select email as x from people) select x from s) to stdout;

copy (select x from everyone) to stdout;

copy (select handle, loud from contacts) to stdout csv;

copy (select all_mail()) to stdout;

copy (select one_mail()) to stdout (format binary);

copy (update people set city = email returning city) to stdout;

copy (delete from email returning email) to stdout;

copy (insert into notes (body) select email from people returning body) to stdout;

copy email to stdout;

copy (select code from snapshot) to stdout (format binary);

copy (select code from snapshot) to stdout;

copy part_one to stdout;

copy formats to stdout;

copy formats to stdout csv;

copy (select * from formats) to stdout (format binary);

copy (select home_address, addresses from people) to stdout;

copy (select email, E'a\tb' from people) to stdout (null '\n');

copy (select string_agg(email, E'\n') from people) to stdout csv;

-- simple
copy people to stdout; copy orders to stdout;

-- simple
select 1; copy (select email from people) to stdout;

create temp table t as select email as x from people;
copy t to stdout;
copy (select x from t) to stdout;

copy (select mobile, birth_date from people) to stdout (format binary);

copy (select 'a', ssn from people union all select email, city from people) to stdout;

copy (select encode(email::bytea, 'base64') from people) to stdout;

copy (select repeat(email, 3000) from people) to stdout;

copy formats to stdout (format binary);

copy (select email, upper(email), mobile, emails, birth_date from people) to stdout (format binary);

copy (update people set city = 'x' returning email, mobile, city) to stdout (format binary);
