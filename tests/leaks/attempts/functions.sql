select * from all_mail();

select all_mail();

select all_mail() as city;

select x from all_mail() x;

select mail_of(1);

select mail_of(id) from products;

select upper(mail_of(2)) as title;

select one_mail() as city;

select person(1);

select (person(1)).email;

select * from person(2);

select email from person(2);

select p.city || p.phone from person(3) p;

select both_of(1);

select * from both_of(1);

select (both_of(1)).b;

select echo(email) from people;

select echo((select email from people limit 1));

select public.echo(email) from people;

select s.* from products, lateral mail_of(products.id) s;

call tell('');

select case when mail_of(1) is not null then mail_of(1) end;

select array_agg(mail_of(id)) from products;

select title from products where id = 1 union select mail_of(2);

select coalesce(null, one_mail());

select id, one_mail() || title from products order by one_mail();

-- undo: drop function if exists play_mail()
create function play_mail() returns setof text language sql as 'select email from public.people';
select play_mail();
select * from play_mail() as city;

-- undo: drop function if exists play_fn(text)
create function play_fn(t text) returns text language sql as 'select $1';
select play_fn(email) from people;

-- undo: drop function if exists play_fn()
create function play_fn() returns table (a int, b text) language plpgsql as 'begin return query select id, email from public.people; end';
select * from play_fn();
select b || '' from play_fn();

-- undo: drop function if exists play_fn()
create function play_fn() returns text begin atomic select email from people where id = 1; end;
select play_fn();

-- undo: drop function if exists play_fn()
create function play_fn() returns text return (select email from people where id = 1);
select play_fn() as city;

-- undo: drop procedure if exists play_proc(text)
create procedure play_proc(inout a text) language plpgsql as 'begin a := (select phone from public.people where id = 1); end';
call play_proc('');

-- undo: drop function if exists lower(people)
create function lower(people) returns text language sql as 'select $1.email';
select lower(p) from people p;

-- undo: drop function if exists hidden(people)
create function hidden(people) returns text language sql as 'select $1.email';
select p.hidden from people p;
select hidden(p) as city from people p;

-- undo: drop operator if exists public.### (text, text); drop function if exists play_op(text, text)
create function play_op(text, text) returns text language sql as 'select email from public.people limit 1';
create operator public.### (leftarg = text, rightarg = text, function = play_op);
select 'a' ### 'b';

-- undo: drop aggregate if exists play_agg(int); drop function if exists play_step(text, int)
create function play_step(text, int) returns text language sql as 'select $1 || (select email from public.people where id = $2)';
create aggregate play_agg(int) (sfunc = play_step, stype = text, initcond = '');
select play_agg(id) from products;

-- undo: drop type if exists play_type cascade
create type play_type as (a text, b text);
select row(email, phone)::play_type from people;
select (row(email, phone)::play_type).a from people;

-- undo: drop domain if exists play_domain
create domain play_domain as text;
select email::play_domain from people;
select (email::play_domain)::text as city from people;

do $$ begin perform 1; end $$;
select opens('c');
fetch all from c;

begin;
select opens('c');
fetch 2 from c;
fetch all in c;
commit;
