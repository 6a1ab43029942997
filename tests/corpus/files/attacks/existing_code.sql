-- about: code that is there already, set off by statements that look harmless
-- session: readonly
-- user: plain
-- rule: readonly-changes-nothing
-- effect: prey

create table prey (id int, v text);
insert into prey select n, 'x' from generate_series(1, 9) n;
create function eat() returns int language plpgsql security definer as $$ begin delete from public.prey; return 1; end $$;
create function eat_sql() returns int language sql security definer as 'delete from public.prey; select 1';
create function eat_over() returns int language sql as 'select public.eat()';
create function eat_over_over() returns int language sql as 'select public.eat_over()';
create function eat_argument(a int default eat()) returns int language sql as 'select a';
create function eat_variadic(variadic a int[]) returns int language plpgsql security definer as $$ begin delete from public.prey; return 1; end $$;
create function eat_rows() returns table (a int) language sql security definer as 'delete from public.prey returning id';
create function eat_either(a int) returns int language sql as 'select 1';
create function eat_either(a text) returns int language sql as 'select public.eat()';
create function eat_dynamic(what text) returns int language plpgsql security definer as $$ begin execute what; return 1; end $$;
create function eat_formatted(what text) returns int language plpgsql security definer as $$ begin execute format('delete from public.%I', what); return 1; end $$;
create function eat_stored() returns int language plpgsql security definer as $$ declare t text; begin select value into t from public.stored; execute t; return 1; end $$;
create table stored (value text); insert into stored values ('delete from public.prey');
create function eat_atomic() returns int language sql security definer begin atomic delete from public.prey; select 1; end;
create function eat_truncating() returns int language plpgsql security definer as $$ begin truncate public.prey; return 1; end $$;
create function eat_in_handler() returns int language plpgsql security definer as $$ begin perform 1 / 0; return 0; exception when others then delete from public.prey; return 1; end $$;
create function eat_in_loop() returns int language plpgsql security definer as $$ declare r record; begin for r in select id from public.prey loop delete from public.prey where id = r.id or true; end loop; return 1; end $$;
create function eat_later() returns int language plpgsql security definer as $$ declare c cursor for select id from public.prey; begin for r in c loop delete from public.prey; exit; end loop; return 1; end $$;
create function eat_row(stored) returns int language sql as 'select public.eat()';
create function eat_bool(text) returns bool language sql as 'select public.eat() = 1';
create function eat_two(int, int) returns bool language sql as 'select public.eat() = 1';
create operator <=!=> (leftarg = int, rightarg = int, function = eat_two);
create domain eaten as text check (eat_bool(value));
create type wrapping as (a int);
create type bitter as (b int);
create function eat_cast(wrapping) returns bitter language sql as 'select row(public.eat())::public.bitter';
create cast (wrapping as bitter) with function eat_cast(wrapping);
create type sour as enum ('a', 'b');
create type sweet as enum ('1');
create function eat_enum(sour) returns sweet language plpgsql as $$ begin perform public.eat(); return '1'; end $$;
create cast (sour as sweet) with function eat_enum(sour) as assignment;
create function eat_step(int, int) returns int language sql as 'select public.eat()';
create aggregate eating(int) (sfunc = eat_step, stype = int, initcond = '0');
create function eat_final(int) returns int language sql as 'select public.eat()';
create aggregate eaten_at_last(int) (sfunc = int4pl, stype = int, finalfunc = eat_final, initcond = '0');
create view showing as select eat() as a;
create view showing_showing as select a from showing;
create view showing_in_where as select id from products where eat() = 1;
create table guarded (id int, v text); insert into guarded values (1, 'x');
create policy p on guarded using (eat_bool(v)); alter table guarded enable row level security;
create table written (id int, v text);
create function eat_trigger() returns trigger language plpgsql security definer as $$ begin delete from public.prey; return new; end $$;
create trigger eat before insert or update on written for each row execute function eat_trigger();
insert into stored select 'x' where false;
create table ruled (id int);
create rule eat as on insert to ruled do also delete from prey;
create table ruled_instead (id int);
create rule eat as on update to ruled_instead do instead delete from prey;
create table defaulting (id int, v int default eat());
create table checking (id int, check (eat_bool(id::text)));
create table generating (id int, v text);
create function eat_lying(int) returns int language plpgsql immutable as $$ begin return public.eat(); end $$;
create table indexed (id int); create index on indexed (eat_lying(id));
create table parted (id int) partition by list (id);
create table parted_one partition of parted for values in (1);
create trigger eat before insert on parted_one for each row execute function eat_trigger();
create table parent_of (id int primary key); insert into parent_of values (1), (2);
create table child_of (id int references parent_of on delete cascade); insert into child_of values (1), (2);
create trigger eat after delete on child_of for each statement execute function eat_trigger();
create table above (id int); create table below () inherits (above); insert into below values (1);
create trigger eat before update on below for each row execute function eat_trigger();
create view writable as select id, v from written;
create procedure eat_called() language plpgsql security definer as $$ begin delete from public.prey; end $$;
create table typed (a sour, t sweet);
create table of_domain (a eaten);

-- case: a function
select eat()
-- case: a function in SQL
select eat_sql()
-- case: a function behind a function
select eat_over()
-- case: a function behind a function behind a function
select eat_over_over()
-- case: its schema before it
select public.eat()
-- case: in quotes
select "public"."eat"()
-- case: by code points
select U&"\0065at"()
-- case: in a FROM
select * from eat()
-- case: in ROWS FROM
select * from rows from (generate_series(1, 1), eat())
-- case: with ordinality
select * from eat() with ordinality
-- case: in LATERAL
select 1 from products p, lateral eat() limit 1
-- case: in a WHERE
select 1 from products where eat() = 1
-- case: in ORDER BY
select 1 from products order by eat()
-- case: in GROUP BY
select 1 from products group by eat()
-- case: in HAVING
select count(*) from products having eat() = 1
-- case: in LIMIT
select 1 from products limit eat()
-- case: in OFFSET
select 1 from products offset eat()
-- case: in a window
select row_number() over (order by eat()) from products
-- case: in a window's name
select count(*) over w from products window w as (partition by eat())
-- case: in a frame
select sum(price) over (order by id rows between eat() preceding and current row) from products
-- case: in FILTER
select count(*) filter (where eat() = 1) from products
-- case: in an aggregate's ORDER BY
select array_agg(id order by eat()) from products
-- case: in a CASE
select case when eat() = 1 then 1 else 2 end
-- case: in a COALESCE
select coalesce(null, eat())
-- case: in a NULLIF
select nullif(eat(), 2)
-- case: in an array
select array[eat()]
-- case: in a subscript
select (array[1, 2])[eat()]
-- case: in a row
select row(eat(), 2)
-- case: in a JOIN's condition
select 1 from products a join products b on a.id = b.id and eat() = 1
-- case: in VALUES
values (eat())
-- case: in a subquery
select (select eat())
-- case: in an EXISTS
select exists (select 1 from products where eat() = 1)
-- case: in an IN
select 1 in (select eat())
-- case: in a BETWEEN
select 1 between eat() and 2
-- case: in a WITH
with x as (select eat() a) select a from x
-- case: in a DISTINCT ON
select distinct on (eat()) id from products
-- case: in TABLESAMPLE
select 1 from products tablesample bernoulli (eat() * 100)
-- case: in EXPLAIN ANALYZE
explain analyze select eat()
-- case: in a PREPARE
prepare p as select eat()
-- then
execute p
-- case: as a parameter of an EXECUTE
prepare p(int) as select $1
-- then
execute p(eat())
-- case: in a cursor
declare c cursor with hold for select eat()
-- then
fetch all from c
-- case: in a COPY
copy (select eat()) to stdout
-- case: in a LATERAL of VALUES
select * from (values (1)) v(a), lateral (select eat() + v.a) x
-- case: in JSON's arguments
select jsonb_build_object('a', eat())
-- case: in XML
select xmlelement(name a, eat())
-- case: in a set operation
select 1 union all select eat()
-- case: a default argument
select eat_argument()
-- case: variadic
select eat_variadic(1, 2, 3)
-- case: variadic by an array
select eat_variadic(variadic array[1, 2])
-- case: a function that gives rows
select * from eat_rows()
-- case: one of two overloads
select eat_either('x'::text)
-- case: named notation
select eat_either(a => 'x'::text)
-- case: dynamic SQL
select eat_dynamic('delete from public.prey')
-- case: dynamic SQL by a parameter
-- values: delete from public.prey
select eat_dynamic($1)
-- case: dynamic SQL made by a format
select eat_formatted('prey')
-- case: dynamic SQL from a table
select eat_stored()
-- case: a body in BEGIN ATOMIC
select eat_atomic()
-- case: a truncate
-- rule: production-destructive
select eat_truncating()
-- case: in an exception's handler
select eat_in_handler()
-- case: in a loop, with a condition that is none
select eat_in_loop()
-- case: under a cursor's loop
select eat_later()
-- case: a column that is a function
select s.eat_row from stored s
-- case: an operator
select 1 <=!=> 2
-- case: an operator in full
select 1 operator(public.<=!=>) 2
-- case: an operator with ANY
select 1 <=!=> any (array[2])
-- case: a domain
select 'x'::eaten
-- case: a domain by CAST
select cast('x' as public.eaten)
-- case: a domain as a typed literal
select eaten 'x'
-- case: an array of a domain
select '{x}'::eaten[]
-- case: a domain by a function from JSON
select * from json_to_record('{"a": "x"}') as r(a eaten)
-- case: a domain by JSON into a table's row
select json_populate_record(null::of_domain, '{"a": "x"}')
-- case: a domain by XMLTABLE
select * from xmltable('/r' passing xml '<r><a>x</a></r>' columns a eaten path 'a')
-- case: a cast between types
select row(1)::wrapping::bitter
-- case: an aggregate
select eating(id) from products
-- case: an aggregate as a window function
select eating(id) over () from products
-- case: an aggregate's last step
select eaten_at_last(id) from products
-- case: a view
select * from showing
-- case: a view on a view
table showing_showing
-- case: a view's condition
select count(*) from showing_in_where
-- case: a row security policy
select * from guarded
-- case: a row security policy, in a count
select count(*) from guarded
-- case: a row security policy, in EXISTS
select exists (table guarded)
-- case: a trigger on an insert
-- session: readwrite
-- rule: production-every-row
insert into written values (1, 'x')
-- case: a trigger on a COPY
-- session: readwrite
-- rule: production-every-row
-- data: 1\tx\n
copy written from stdin
-- case: a trigger behind a view
-- session: readwrite
-- rule: production-every-row
insert into writable values (1, 'x')
-- case: a trigger on a partition
-- session: readwrite
-- rule: production-every-row
insert into parted values (1)
-- case: a trigger on what a cascade reaches
-- session: readwrite
-- rule: production-every-row
delete from parent_of where id = 1
-- case: a trigger on what inherits
-- session: readwrite
-- rule: production-every-row
update above set id = 2 where id = 1
-- case: a rule
-- session: readwrite
-- rule: production-every-row
insert into ruled values (1)
-- case: a rule on an update, by MERGE's older sister
-- session: readwrite
-- rule: production-every-row
insert into ruled_instead values (1)
-- then
update ruled_instead set id = 2 where id = 1
-- case: a default
-- session: readwrite
-- rule: production-every-row
insert into defaulting (id) values (1)
-- case: a default by the word
-- session: readwrite
-- rule: production-every-row
insert into defaulting values (1, default)
-- case: a default by DEFAULT VALUES
-- session: readwrite
-- rule: production-every-row
insert into defaulting default values
-- case: a default in an update
-- session: readwrite
-- rule: production-every-row
insert into defaulting values (1, 1)
-- then
update defaulting set v = default where id = 1
-- case: a check
-- session: readwrite
-- rule: production-every-row
insert into checking values (1)
-- case: an index
-- session: readwrite
-- rule: production-every-row
insert into indexed values (1)
-- case: a procedure
-- session: readwrite
-- rule: production-every-row
call eat_called()
-- case: a procedure, by readonly
call eat_called()
-- case: a cast on assignment
-- session: readwrite
-- rule: production-every-row
insert into typed (t) select 'a'::sour
-- case: a merge into what has a trigger
-- session: readwrite
-- rule: production-every-row
merge into written w using (values (1)) v(id) on w.id = v.id when not matched then insert values (v.id, 'x')
