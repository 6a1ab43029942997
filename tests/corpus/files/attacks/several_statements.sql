-- about: several statements in one message, transaction control between them
-- rule: production-every-row
-- effect: orders
-- form: simple

-- case: behind a select
select 1; delete from orders
-- case: before a select
delete from orders; select 1
-- case: between two
select 1; update orders set note = 'x'; select 2
-- case: behind many
select 1;select 2;select 3;select 4;select 5;select 6;select 7;select 8;select 9;select 10;select 11;select 12;select 13;select 14;select 15;select 16;select 17;select 18;select 19;select 20;select 21;select 22;select 23;select 24;select 25;delete from orders
-- case: behind empty ones
;; ; /* */ ;; delete from orders
-- case: committed before an error comes
-- alone: yes
begin; delete from orders; commit; select 1/0
-- case: an implicit transaction ended early
-- alone: yes
delete from orders; commit; select 1/0
-- case: a rollback that does not reach back
-- alone: yes
begin; delete from orders; commit; rollback
-- case: a savepoint that is released
-- alone: yes
begin; savepoint a; delete from orders; release a; commit
-- case: a savepoint that is rolled back, and again
-- alone: yes
begin; savepoint a; delete from orders; rollback to a; delete from orders; commit
-- case: COMMIT AND CHAIN
-- alone: yes
begin; delete from orders; commit and chain; rollback
-- case: END for COMMIT
-- alone: yes
start transaction; delete from orders; end
-- case: ABORT, and one more
-- alone: yes
begin; abort; delete from orders
-- case: in a transaction that says it only reads, made to write
-- alone: yes
begin read only; set transaction read write; delete from orders; commit
-- case: a default of reading only, changed
-- alone: yes
set default_transaction_read_only = off; delete from orders
-- case: one of them is a SET
set search_path = public; delete from orders
-- case: one of them is a SHOW
show server_version; delete from orders
-- case: one of them is a PREPARE, run in the same message
prepare hidden as delete from orders; execute hidden
-- case: a real condition, then none
delete from orders where id = 1; delete from orders
-- case: a declared cursor, then a delete
-- alone: yes
begin; declare c cursor for select 1; fetch c; delete from orders; commit
-- case: copy out, then a delete
copy products to stdout; delete from orders
-- case: listen, then a delete
listen news; delete from orders; unlisten news
-- case: a truncate among reads
-- rule: production-destructive
-- effect: pg_class
select 1; truncate orders; select 2
-- case: a drop among reads
-- rule: production-destructive
-- effect: pg_class
select 1; drop table orders cascade; select 2
-- case: a create, then a drop of another
-- rule: production-destructive
-- effect: pg_class
create table fresh (id int); drop table orders cascade
-- case: a grant among reads
-- rule: production-privileges
-- effect: pg_class
select 1; grant all on orders to public
-- case: a delete, then a syntax error that PostgreSQL sees first
-- alone: yes
-- rule: production-every-row
delete from orders; commit; select * from no_such_table
-- case: the same statement twice
update orders set note = 'a'; update orders set note = 'b'
-- case: two messages in one transaction
-- alone: yes
begin
-- then
delete from orders
-- then
commit
-- case: after an error that a savepoint caught
begin
-- then
savepoint s
-- then
select 1 / 0
-- then
rollback to s
-- then
delete from orders
-- case: a delete behind DISCARD
discard plans; delete from orders
-- case: a delete in front of CHECKPOINT
delete from orders; checkpoint
