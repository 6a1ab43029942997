-- Results of every shape, and what psql makes of them.
select 1 as a, null as b, '' as c;
select;
select where false;
;
-- nothing but a comment
select 1 \; select 2 \; select 'three' as c;
select 1 as one \gset
\echo :one
select 1 as x union all select 2 \gx
select format('select %s as n', n) from generate_series(1, 3) as n \gexec
select x, y, x * y as z from generate_series(1, 3) as x, generate_series(1, 3) as y \crosstabview x y z
select n, repeat('ü', n) from generate_series(0, 20) as n \g
\pset format csv
select 'a,"b"' as a, e'line\nbreak' as b, array[1, null] as c;
\pset format unaligned
values (1, true, '\x00ff'::bytea, '{"a": [1]}'::jsonb, interval '1 day', 'NaN'::numeric);
\pset format aligned
\pset expanded auto
select 1.5::float4, -0.0::float8, 'infinity'::date, '(1,2)'::point, '1.2.3.4/8'::inet, b'101';
select length(repeat('x', 3000000)), md5(string_agg(n::text, ',')) from generate_series(1, 1000) as n;
select repeat('y', 100000) as wide \g /dev/null
select n, random() < 2 as so from generate_series(1, 5000) as n \g /dev/null
show standard_conforming_strings;
show client_encoding;
select 'a\b', e'a\\b', $$a'b$$, u&'\0061';
explain (costs off) select * from pg_class where oid = 5;
table no_such_table;
\errverbose
select current_setting('application_name'), current_schema;
\gdesc
select 1 as a, 'x'::text as b, now() as c \gdesc
