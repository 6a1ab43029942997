select email::int from people;

select email::bigint from people;

select email::date from people;

select email::timestamptz from people;

select email::uuid from people;

select email::inet from people;

select email::json from people;

select email::jsonb from people;

select email::mood from people;

select email::regclass from people;

select email::regproc from people;

select email::regtype from people;

select email::numeric from people;

select email::float8 from people;

select email::bool from people;

select email::interval from people;

select email::point from people;

select email::text[] from people;

select email::int4range from people;

select email::oid from people;

select email::macaddr from people;

select email::tsquery from people;

select email::pg_lsn from people;

select ('<a>' || email)::xml from people;

select date_trunc(email, now()) from people;

select extract(epoch from now()) + date_part(email, now()) from people;

select now() at time zone email from people;

select timezone(email, now()) from people;

select decode('aa', email) from people;

select encode('aa', email) from people;

select convert('a', email, 'UTF8') from people;

select convert_from('a', email) from people;

select to_tsquery(email || ' & & x') from people;

select to_tsvector(email::regconfig, 'x') from people;

select nextval(email) from people;

select currval(email) from people;

select setval(email, 1) from people;

select pg_get_viewdef(email) from people;

select has_table_privilege(email, 'select') from people;

select has_table_privilege('people', email) from people;

select has_schema_privilege(email, 'usage') from people;

select pg_has_role(email, 'usage') from people;

select current_setting(email) from people;

select set_config(email, 'x', false) from people;

select set_config('datestyle', email, false) from people;

select pg_relation_size(email) from people;

select pg_size_bytes(email) from people;

select pg_column_size(email::int) from people;

select repeat('x', (select email from people where id = 1)::int);

select jsonb_set('{}', array[email], email::jsonb) from people;

select xmlparse(document email) from people;

select xmlelement(name a, xmlattributes(email as b))::text::int from people;

select query_to_xml(email, true, false, '') from people;

select ('{' || email)::text[] from people;

select (email || '()')::regprocedure from people;

select (email || E'\\u12')::json from people;

insert into people (id, email) select 500, email from people;

insert into people (id, email) select 501, email from people where id = 1;

update people set email = (select email from people where id = 2) where id = 3;

update people set phone = 'x';

update people set last_name = null, id = null;

insert into logins select 1, phone from people;

create temp table t (x int);
insert into t select email::int from people;

select say_mail();

select cry_mail();

do $$ begin raise notice '%', (select email from people where id = 1); end $$;

do $$ begin raise exception '%', (select email from people where id = 1); end $$;

do $$ begin raise exception using message = (select email from people where id = 1), errcode = '23505', detail = (select phone from people where id = 1); end $$;

do $$ declare n int; begin select email into n from people where id = 1; end $$;

do $$ begin execute (select email from people where id = 1); end $$;

do $$ begin execute 'select ' || quote_ident((select email from people where id = 1)); end $$;

do $$ begin assert false, (select email from people where id = 1); end $$;

do $$ begin perform set_config('application_name', (select email from people where id = 1), false); end $$;

select * from people where email::int = 1;

select 1 from people order by email::int;

select 1 from people group by email::int;

select count(*) from people where email::date > now();

select 1 from people having max(email)::int = 1;

select generate_series(1, email::int) from people;

select 1 limit (select email from people where id = 1)::int;

select 1 from people a join people b on a.email::int = b.id;

explain analyze select email::int from people;

copy (select email::int from people) to stdout;

begin;
declare c cursor for select email::int from people;
fetch all from c;

prepare p as select email::int from people;
execute p;

create temp table t as select email::int as x from people;

update people set login_count = email::int;

merge into people t using people s on t.email = s.email when matched then update set login_count = s.email::int;

begin;
insert into deferred values ('a');
insert into deferred select email from people where id = 1;
insert into deferred select email from people where id = 1;
commit;

begin;
insert into deferred select email from people where id = 1;
insert into deferred select email from people where id = 1;
set constraints all immediate;
rollback;
