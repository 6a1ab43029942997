-- about: COPY TO STDOUT and EXPLAIN
-- session: readonly

-- case: copy a table
-- form: simple
copy products to stdout
-- case: copy columns
-- form: simple
copy orders (id, status) to stdout
-- case: copy csv
-- form: simple
copy products (id, title) to stdout with (format csv, header)
-- case: copy csv with options
-- form: simple
copy products (id, title) to stdout with (format csv, delimiter ';', quote '"', force_quote (title))
-- case: copy with null
-- form: simple
copy (select id, note from orders order by id limit 5) to stdout with (null 'NIL')
-- case: copy binary
-- form: simple
copy (select id, price from products order by id limit 3) to stdout with (format binary)
-- case: copy in the old words
-- form: simple
copy (select 1) to stdout csv header
-- case: copy a query
-- form: simple
copy (select status, count(*) from orders group by 1 order by 1) to stdout
-- case: copy a WITH
-- form: simple
copy (with x as (select 1 as a) select a from x) to stdout
-- case: copy values
-- form: simple
copy (values (1, 'a'), (2, 'b')) to stdout with delimiter '|'
-- case: copy nothing
-- form: simple
copy (select 1 where false) to stdout
-- case: copy special characters
-- form: simple
copy (select E'a\tb\nc\\d') to stdout
-- case: copy from a view
-- form: simple
copy (select * from open_orders order by id limit 3) to stdout
-- case: explain
explain select 1
-- case: explain without costs
explain (costs off) select id from orders where id = 1
-- case: explain json
explain (format json, costs off) select count(*) from products
-- case: explain xml
explain (format xml, costs off) select 1
-- case: explain yaml
explain (format yaml, costs off) select 1
-- case: explain verbose
explain (verbose, costs off) select title from products where id = 1
-- case: explain a join
explain (costs off) select 1 from orders o join products p using (id)
-- case: explain a window
explain (costs off) select row_number() over (order by id) from products
-- case: explain with settings
explain (costs off, settings on) select 1
-- case: explain an execute
prepare p as select 1
-- then
explain (costs off) execute p
-- case: explain a partitioned table
explain (costs off) select 1 from events where at = '2026-03-01'
-- case: explain generic parameters
-- fails: yes
explain (costs off) select id from products where id = $1
-- case: explain a cursor
explain (costs off) declare c cursor for select id from products
