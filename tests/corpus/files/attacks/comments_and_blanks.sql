-- about: comments, blanks and letters that hide a word from whoever does not lex as PostgreSQL does
-- rule: production-every-row
-- effect: orders
-- escapes: yes

-- case: a comment in place of every blank
delete/**/from/**/orders
-- case: a comment with a keyword in it
delete /* where id = 1 */ from orders
-- case: a line comment with a condition in it
delete from orders -- where id = 1
-- case: a line comment ended by a carriage return
select 1 --\r; delete from orders
-- case: a line comment ended by a line feed
select 1 -- \n; delete from orders
-- case: comments in comments
delete /* /* where */ id = 1 */ from orders
-- case: a comment that opens twice and closes twice, then the rest
select 1 /* /* */ ; */ ; delete from orders
-- case: a comment that a naive lexer ends too early
/* /* */ select 1; -- */ delete from orders
-- case: a comment that looks like a hint of another database
/*! select 1 */ delete from orders /*!50000 where id = 1 */
-- case: an optimiser's hint
/*+ SeqScan(orders) where id = 1 */ delete from orders
-- case: a slash-star within a string is no comment
select '/*'; delete from orders; select '*/'
-- case: two dashes in a string are no comment
select '--'; delete from orders
-- case: a quote in a comment opens no string
select 1 /* ' */; delete from orders; select 1 /* ' */
-- case: a quote behind two dashes opens no string
select 1 -- '\n; delete from orders -- '
-- case: a dollar quote in a comment opens nothing
select 1 /* $$ */; delete from orders /* $$ */
-- case: a comment between a sign and a number
update orders set amount = - /* x */ 1
-- case: an operator that is followed by a comment
select 1 +/* ; */ 1; delete from orders
-- case: vertical tab and form feed
delete\x0cfrom\x0corders
-- case: tabs and carriage returns
\t\rdelete\r\n\tfrom\t\torders\r
-- case: mixed case
DeLeTe FrOm OrDeRs
-- case: upper case with the keyword ONLY
DELETE FROM ONLY (ORDERS)
-- case: no blank before a bracket
delete from only(orders)
-- case: semicolons before it
;;;delete from orders
-- case: semicolons behind it
delete from orders;;;
-- case: a comment at the start
/* a comment of a driver: {"user": 1} */ delete from orders
-- case: a comment at the end that never ends its line
delete from orders --
-- case: a line continuation of psql is none
update orders set note = 'x' \n\n\n\n\n\n
-- case: hundreds of comments
/**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**//**/delete from orders
-- case: a comment between dot and name
delete from public./* orders_archive where id = 1 */orders
-- case: a comment within a WITH
with/**/gone/**/as/**/(delete/**/from/**/orders)select/**/1
-- case: a comment before COPY's query
copy/**/(delete from orders returning id)to/**/stdout
-- case: a comment in a DROP
-- rule: production-destructive
-- effect: pg_class
drop/**/table/**/orders/**/cascade
-- case: a line comment in a DROP
-- rule: production-destructive
-- effect: pg_class
drop -- nothing\n table -- to see\n orders -- here\n cascade
-- case: TRUNCATE without TABLE, in capitals, with comments
-- rule: production-destructive
-- effect: pg_class
/*x*/TRUNCATE/*y*/orders/*z*/
-- case: a minus sign behind a comment star
select 1 /*-*/ - -1; delete from orders
-- case: a star that closes nothing
select 2 */*;*/ 3; delete from orders
