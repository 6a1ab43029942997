-- about: functions and types: text, numbers, dates, arrays, JSON, ranges, search
-- session: readonly

create type pace as enum ('slow', 'fast');

-- case: text functions
select upper('a'), lower('A'), initcap('ab cd'), length('abc'), reverse('abc'), repeat('a', 3)
-- case: substring
select substring('abcdef' from 2 for 3), left('abc', 2), right('abc', 1), substr('abc', 2)
-- case: position
select position('b' in 'abc'), strpos('abc', 'c'), overlay('abcd' placing 'x' from 2 for 2)
-- case: trim
select trim(both 'x' from 'xxax'), ltrim(' a'), rtrim('a '), btrim('xax', 'x')
-- case: pad
select lpad('1', 5, '0'), rpad('a', 3, '.')
-- case: split
select split_part('a-b-c', '-', 2), string_to_array('a,b', ','), array_to_string(array[1, 2], '-')
-- case: regular expressions
select regexp_replace('abc123', '[0-9]+', '#'), regexp_match('abc', '(b)'), 'abc' ~ '^a', 'abc' !~* 'X'
-- case: regular expressions in a set
select regexp_matches('a1b2', '[0-9]', 'g')
-- case: regular expressions that split
select regexp_split_to_table('a b c', ' ')
-- case: like
select id from products where title like 'product 1%' order by id limit 3
-- case: ilike
select id from products where title ilike 'PRODUCT 2'
-- case: similar to
select 'abc' similar to '(a|b)%'
-- case: format
select format('%s has %I and %L', 'x', 'a b', 'it''s')
-- case: translate
select translate('abc', 'ab', 'xy'), replace('aaa', 'a', 'b'), ascii('a'), chr(97), md5('a')
-- case: hashes
select encode(sha256('a'), 'hex'), encode('abc'::bytea, 'base64')
-- case: quotes
select quote_ident('a b'), quote_literal('it''s'), quote_nullable(null)
-- case: unicode
select 'äöü €', U&'\0061\0062', E'\u00e9', length('日本語')
-- case: concatenation
select 'a' || 'b' || 1, concat('a', null, 'b'), concat_ws('-', 'a', 'b')
-- case: numbers
select 1 + 1, 7 / 2, 7 % 2, 7.0 / 2, 2 ^ 10, |/ 16, abs(-1), sign(-2)
-- case: rounding
select round(1.5), round(1.234, 2), trunc(1.9), ceil(1.1), floor(-1.1)
-- case: logarithms
select round(ln(10)::numeric, 5), log(100), exp(0), power(2, 3), sqrt(4)
-- case: trigonometry
select round(sin(1)::numeric, 6), round(pi()::numeric, 6), degrees(pi()), radians(180) = pi()
-- case: greatest and least
select greatest(1, 3, 2), least(1, 3, 2)
-- case: special numbers
select 'NaN'::float8, 'Infinity'::float8, '-0'::float8, 1e308::float8
-- case: numeric
select 12345678901234567890.123456789::numeric, 0.1 + 0.2, 1::numeric(10, 4)
-- case: integer limits
select 2147483647, (-2147483648)::int, 9223372036854775807
-- case: bits
select 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, B'101' & B'100'
-- case: casts
select '1'::int, cast('2' as bigint), 3::text, '4.5'::numeric, 't'::bool, int '5'
-- case: booleans
select true and false, not true, true is not false, null is unknown
-- case: dates
select date '2026-01-31' + 1, date '2026-03-01' - date '2026-02-01', '2026-01-01'::date + interval '1 month'
-- case: timestamps
select timestamp '2026-01-01 10:00' + interval '90 minutes', timestamptz '2026-01-01 00:00+00'
-- case: extract
select extract(year from date '2026-05-06'), date_part('dow', date '2026-05-06'), extract(epoch from interval '1 day')
-- case: truncated dates
select date_trunc('week', timestamp '2026-05-06 10:11:12'), date_bin('15 minutes', timestamp '2026-01-01 10:17', timestamp '2026-01-01')
-- case: formatted dates
select to_char(timestamp '2026-05-06 07:08:09', 'YYYY-MM-DD HH24:MI:SS'), to_date('06.05.2026', 'DD.MM.YYYY')
-- case: formatted numbers
select to_char(1234.5, 'FM9,999.00'), to_number('1,234.5', '9,999.9')
-- case: time zones
select timestamp '2026-01-01 12:00' at time zone 'UTC', timezone('UTC', timestamptz '2026-01-01 12:00+02')
-- case: intervals
select interval '1 day 2 hours' * 2, justify_hours(interval '30 hours'), make_interval(days => 3)
-- case: age
select age(date '2026-05-06', date '2000-01-01'), make_date(2026, 1, 2), make_timestamp(2026, 1, 2, 3, 4, 5)
-- case: overlaps
select (date '2026-01-01', date '2026-02-01') overlaps (date '2026-01-15', date '2026-03-01')
-- case: series of dates
select d::date from generate_series(date '2026-01-01', date '2026-01-05', interval '1 day') d
-- case: arrays
select array[1, 2, 3], '{4,5}'::int[], array[[1, 2], [3, 4]], array[1, 2] || 3
-- case: array access
select (array[1, 2, 3])[2], (array[1, 2, 3])[2:], cardinality(array[1, 2]), array_length(array[1, 2], 1)
-- case: array search
select 2 = any (array[1, 2]), array_position(array['a', 'b'], 'b'), array[1] <@ array[1, 2], array[1, 2] && array[2]
-- case: array changes
select array_append(array[1], 2), array_remove(array[1, 2], 1), array_replace(array[1], 1, 2), array_cat(array[1], array[2])
-- case: unnest
select * from unnest(array[1, 2], array['a', 'b']) as u(n, t)
-- case: unnest with ordinality
select * from unnest(array['a', 'b']) with ordinality
-- case: array of a query
select array(select id from products order by id limit 3)
-- case: tags
select id from products where tags @> array['t1'] order by id limit 3
-- case: json access
select facts -> 'kind', facts ->> 'kind', facts #>> '{kind}' from products where id = 1
-- case: json containment
select id from products where facts @> '{"kind": "k1"}' order by id limit 3
-- case: json keys
select facts ? 'weight', facts ?| array['a', 'kind'], facts ?& array['kind'] from products where id = 1
-- case: json built
select json_build_object('a', 1, 'b', array[1, 2]), jsonb_build_array(1, 'x', null), to_json(row(1, 'a'))
-- case: json changed
select jsonb_set('{"a": 1}', '{a}', '2'), '{"a": 1}'::jsonb || '{"b": 2}', '{"a": 1, "b": 2}'::jsonb - 'a'
-- case: json expanded
select * from json_each('{"a": 1, "b": "x"}')
-- case: json array expanded
select jsonb_array_elements('[1, 2, 3]'), 1
-- case: json to records
select * from json_to_recordset('[{"a": 1, "b": "x"}]') as r(a int, b text)
-- case: json path
select jsonb_path_query('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)')
-- case: json path exists
select jsonb_path_exists(facts, '$.weight') from products where id = 1
-- case: json pretty
select jsonb_pretty('{"a": [1, 2]}')
-- case: json types
select jsonb_typeof('1'), json_typeof('[]'), json_array_length('[1, 2]')
-- case: json subscripts
select ('{"a": {"b": 1}}'::jsonb)['a']['b']
-- case: row to json
select row_to_json(x) from (select id, title from products where id = 1) x
-- case: xml
select xmlelement(name a, xmlattributes(1 as b), 'text'), xpath('/a/text()', '<a>x</a>'::xml)
-- case: xml table
select * from xmltable('/r/i' passing '<r><i n="1"/><i n="2"/></r>' columns n int path '@n')
-- case: ranges
select int4range(1, 5), '[1,3]'::int4range @> 2, daterange('2026-01-01', '2026-02-01') && daterange('2026-01-15', null)
-- case: range bounds
select lower(int4range(1, 5)), upper(int4range(1, 5)), isempty(int4range(1, 1)), int4range(1, 3) + int4range(3, 5)
-- case: multiranges
select '{[1,3),[5,7)}'::int4multirange, unnest('{[1,3),[5,7)}'::int4multirange)
-- case: full text
select to_tsvector('english', 'The quick brown foxes') @@ to_tsquery('english', 'fox & quick')
-- case: full text of words
select plainto_tsquery('english', 'quick fox'), websearch_to_tsquery('english', '"quick fox" -cat')
-- case: full text rank
select round(ts_rank(to_tsvector('a b c'), to_tsquery('a'))::numeric, 4)
-- case: full text headline
select ts_headline('english', 'a quick fox', to_tsquery('english', 'fox'))
-- case: network
select '10.0.0.1/8'::inet, network('10.1.2.3/16'::inet), '10.0.0.0/8'::cidr >> '10.1.1.1'::inet
-- case: uuid
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, gen_random_uuid() is not null
-- case: bytes
select '\xdeadbeef'::bytea, get_byte('\x01'::bytea, 0), length('\x0102'::bytea), substring('\x010203'::bytea from 2)
-- case: geometry
select point(1, 2) <-> point(4, 6), box(point(0, 0), point(1, 1)) @> point(0.5, 0.5), area(circle(point(0, 0), 1)) > 3
-- case: money
select '12.34'::money * 2
-- case: enumerations
select enum_range(null::pace), 'slow'::pace < 'fast'::pace
-- case: composites
select row(1, 2) = row(1, 2), row(1, null) is null
-- case: names of types
select pg_typeof(1), pg_typeof('a'::text), pg_typeof(array[1])
-- case: regclass
select 'orders'::regclass, 'int4'::regtype, to_regclass('nothing_there')
-- case: random in a subquery
select count(*) from (select random() from generate_series(1, 5)) x
-- case: now in a comparison
select now() >= transaction_timestamp(), clock_timestamp() > now() - interval '1 hour', current_date = now()::date
-- case: who
select current_database() is not null, current_schema(), session_user
-- case: version
select version() like 'PostgreSQL%', current_setting('server_version_num')::int > 130000
-- case: sizes
select pg_size_pretty(1048576::bigint), pg_column_size(1)
