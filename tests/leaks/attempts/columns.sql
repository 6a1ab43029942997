select * from people;

select email from people;

select email as city from people;

select p.email e, p.phone, p.mobile from people p;

select first_name, last_name, street_address from people;

select birth_date from people;

select ssn, card_number, iban from people;

select password_hash, api_key, last_ip from people;

select billing_address from people;

select emails, mobile_numbers from people;

select work_mail, work_mails from people;

select avatar_token from people;

select home_address from people;

select addresses from people;

select shade from people;

table people;

select distinct email from people;

select all email, 1, 2, 3 from people;

select "email" from "public"."people";

select U&"\0065mail" from people;

select people.email from only people;

select public.people.email from public.people;

select email email, email city, city email from people;

select p.* from people p where id = 1;

select * from people tablesample system (100);

select email from people order by 1 limit 2 offset 1;

select email from people for update;

select email from people order by id fetch first 3 rows with ties;

select * from email;

select email from email;

select name from clients;

select name from part_one;

select name from only part_one;

select * from older union all select *, '' from people;

select id, a.* from people a natural join (select id from people) b;

select distinct on (city) email from people order by city, email;

select 1 as a, (select 2) as b, email as c from people;

select email, email, email from people;

select p."email" from people as p (id2);

select c2 from people as p (c1, c2);
