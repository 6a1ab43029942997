-- about: strings, names and dollar quotes that end elsewhere than they seem to
-- rule: production-every-row
-- effect: orders
-- escapes: yes

create table a_table_with_a_name_so_long_that_postgresql_cuts_it_at_the_sixt (id int);
insert into a_table_with_a_name_so_long_that_postgresql_cuts_it_at_the_sixt values (1);

-- case: a name that ends in a dollar sign and letters
select 1 as a$x$; delete from orders; select 1 as a$x$
-- case: a dollar quote within a name
select 1 as x$$y; delete from orders; select 2 as x$$y
-- case: a dollar quote with a tag ends at its own tag
select $a$ $b$ $a$; delete from orders; select $b$ $b$
-- case: an empty dollar quote
select $$$$; delete from orders; select $$$$
-- case: a dollar quote whose tag is not ASCII
select $\u00e4$ ' $\u00e4$; delete from orders
-- case: a parameter's dollar sign opens no quote
select '$1'; delete from orders; select '$1'
-- case: two quotes are one
select 'it''s; '; delete from orders; select '''
'
-- case: a backslash in a plain string is a backslash
select '\\'; delete from orders; select '\\'
-- case: a backslash in an E string takes the quote
select E'\\'; delete from orders; --'; delete from orders
-- case: a backslash in an E string takes a backslash
select E'\\\\'; delete from orders; select E''
-- case: strings run together over a line
select 'a'\n'b; '; delete from orders; select 'c'
-- case: strings run together over a line with a comment, which not every version reads so
-- rule: sql.not_parsed
select 'a' -- '\n'b'; delete from orders
-- case: a bit string
select b'101'; delete from orders; select x'ff'
-- case: a national string
select n'it''s'; delete from orders
-- case: a name in quotes holds a semicolon
select 1 as "a;b"; delete from orders; select 1 as "c;d"
-- case: a name in quotes holds a quote
select 1 as "a""b"; delete from orders; select 1 as "c""d"
-- case: a single quote within a quoted name
select 1 as "it's"; delete from orders; select 1 as "it's"
-- case: a double quote within a string
select '"'; delete from orders; select '"'
-- case: the table's name in quotes
delete from "orders"
-- case: the table's name in quotes with its schema
delete from "public"."orders"
-- case: the table's name by code points
delete from U&"\\006frders"
-- case: the table's name by long code points
delete from U&"\\+00006f\\+000072ders"
-- case: the table's name with another escape
delete from U&"!006frders" uescape '!'
-- case: a condition written by code points
delete from orders where U&'\\0074rue'::bool
-- case: a truth in an E string
delete from orders where E'\\x74\\x72\\x75\\x65'::bool
-- case: a truth in a dollar quote
delete from orders where $t$true$t$::bool
-- case: a truth as a typed literal
delete from orders where bool 'on'
-- case: a truth with the CAST of the standard
delete from orders where cast('yes' as boolean)
-- case: the column's name by code points
update orders set U&"n\\006fte" = 'x'
-- case: quoted keywords as names
with "delete" as (delete from orders returning id) select "delete".id as "from" from "delete"
-- case: a table called select, one statement further
select 1 as "select"; delete from orders
-- case: a name cut at 63 bytes means another table
-- effect: a_table_with_a_name_so_long_that_postgresql_cuts_it_at_the_sixt
delete from a_table_with_a_name_so_long_that_postgresql_cuts_it_at_the_sixty_third_byte
-- case: a column in brackets
update orders set (note) = row('x')
-- case: a statement in a string is none, the one behind it is
select 'delete from orders where id = 1'; delete from orders
-- case: a statement that a naive splitter cuts in a function's body
-- rule: production-code
-- effect: pg_proc
create function two() returns void language sql as $$ select 1; delete from orders; $$; select 'x'
-- case: a body in BEGIN ATOMIC
-- rule: production-code
-- effect: pg_proc
create function atomic_one() returns bigint language sql begin atomic; select 1; select 2; end; select 1
-- case: full width letters are other names, the plain ones behind them are not
select 1 as "\uff44\uff45\uff4c\uff45\uff54\uff45"; delete from orders
-- case: a right-to-left mark hides the end from the reader
select 1 as "\u202e"; delete from orders -- \u202c
-- case: a zero width space in a name
select 1 as a\u200bb; delete from orders
-- case: a no-break space is part of a name
select 1 as\u00a0; delete from orders
-- case: a line separator ends no comment
delete from orders --\u2028 where id = 1
-- case: next line ends no comment
delete from orders --\u0085 where id = 1
