-- about: transactions, savepoints, cursors, prepared statements, settings
-- session: readwrite

-- case: begin and commit
begin
-- then
select 1
-- then
commit
-- case: begin and rollback
begin
-- then
insert into settings values ('t1', 'x')
-- then
rollback
-- then
select count(*) from settings where name = 't1'
-- case: start transaction
start transaction
-- then
select 1
-- then
end
-- case: begin work
begin work
-- then
commit work
-- case: begin with a level
begin isolation level serializable
-- then
show transaction_isolation
-- then
commit
-- case: begin read only
begin read only
-- then
select 1
-- then
commit
-- case: begin deferrable
begin isolation level serializable read only deferrable
-- then
select 1
-- then
commit
-- case: a write in a read only one
-- fails: yes
begin read only
-- then
insert into settings values ('t2', 'x')
-- then
rollback
-- case: set transaction
begin
-- then
set transaction isolation level repeatable read
-- then
select 1
-- then
commit
-- case: set session characteristics
set session characteristics as transaction isolation level read committed
-- then
show default_transaction_isolation
-- case: savepoint
begin
-- then
savepoint a
-- then
insert into settings values ('t3', 'x')
-- then
rollback to savepoint a
-- then
commit
-- then
select count(*) from settings where name = 't3'
-- case: release
begin
-- then
savepoint a
-- then
release savepoint a
-- then
commit
-- case: nested savepoints
begin
-- then
savepoint a
-- then
savepoint b
-- then
savepoint a
-- then
rollback to a
-- then
release a
-- then
commit
-- case: an error behind a savepoint
-- fails: yes
begin
-- then
savepoint a
-- then
select 1 / 0
-- then
rollback to a
-- then
select 'on'
-- then
commit
-- case: an error without one
-- fails: yes
begin
-- then
select 1 / 0
-- then
select 1
-- then
commit
-- case: commit without begin
commit
-- case: rollback without begin
rollback
-- case: begin twice
begin
-- then
begin
-- then
commit
-- case: commit and chain
begin
-- then
select 1
-- then
commit and chain
-- then
select 2
-- then
rollback
-- case: several in one message
-- form: simple
begin; insert into settings values ('t4', 'x'); delete from settings where name = 't4'; commit
-- case: an implicit transaction
-- form: simple
insert into settings values ('t5', 'x'); delete from settings where name = 't5'
-- case: an implicit transaction that fails
-- form: simple
-- fails: yes
insert into settings values ('t6', 'x'); select 1 / 0
-- case: the same rolled back
-- form: simple
select count(*) from settings where name = 't6'
-- case: set constraints
begin
-- then
set constraints all deferred
-- then
commit
-- case: a cursor
begin
-- then
declare c cursor for select id from orders where id < 30 order by id
-- then
fetch 3 from c
-- then
fetch next from c
-- then
fetch backward 2 from c
-- then
close c
-- then
commit
-- case: a scrolling cursor
begin
-- then
declare c scroll cursor for select id from products order by id
-- then
fetch last from c
-- then
fetch first from c
-- then
fetch absolute 3 from c
-- then
fetch relative -1 from c
-- then
move 2 in c
-- then
fetch prior from c
-- then
commit
-- case: a cursor with hold
begin
-- then
declare c cursor with hold for select id from products order by id
-- then
commit
-- then
fetch 2 from c
-- then
close c
-- case: a cursor to its end
begin
-- then
declare c cursor for select id from products order by id limit 2
-- then
fetch all from c
-- then
fetch c
-- then
commit
-- case: a binary cursor
begin
-- then
declare c binary cursor for select id from products order by id limit 2
-- then
fetch all from c
-- then
commit
-- case: a cursor that is not there
-- fails: yes
fetch all from nothing
-- case: close all
begin
-- then
declare c cursor for select 1
-- then
close all
-- then
commit
-- case: prepare and execute
prepare p as select id from products where price > $1 order by id limit 3
-- then
execute p(50)
-- then
execute p(100)
-- then
deallocate p
-- case: prepare with types
prepare p(int, text) as select $1 + 1, $2 || 'x'
-- then
execute p(1, 'a')
-- case: prepare a write
prepare p(text) as update settings set value = $1 where name = 'theme'
-- then
execute p('blue')
-- case: prepare twice
-- fails: yes
prepare p as select 1
-- then
prepare p as select 2
-- case: execute what is not there
-- fails: yes
execute nothing
-- case: deallocate all
prepare p as select 1
-- then
deallocate all
-- then
select count(*) from pg_prepared_statements
-- case: explain execute
prepare p as select 1
-- then
explain (costs off) execute p
-- case: set and show
set work_mem = '8MB'
-- then
show work_mem
-- then
reset work_mem
-- case: set local
begin
-- then
set local statement_timeout = '5s'
-- then
show statement_timeout
-- then
commit
-- case: set search_path
set search_path = public, pg_catalog
-- then
select count(*) from products
-- then
reset search_path
-- case: set time zone
set time zone 'Europe/Paris'
-- then
show timezone
-- then
set time zone default
-- case: set application_name
set application_name = 'reports'
-- then
show application_name
-- case: set datestyle
set datestyle = 'SQL, DMY'
-- then
select date '2026-02-01'
-- then
reset datestyle
-- case: set intervalstyle
set intervalstyle = 'iso_8601'
-- then
select interval '1 day 2 hours'
-- then
reset intervalstyle
-- case: set bytea_output
set bytea_output = 'escape'
-- then
select '\x41ff'::bytea
-- then
reset bytea_output
-- case: set client_encoding to what it is
set client_encoding = 'UTF8'
-- then
show client_encoding
-- case: set names to what it is
set names 'UTF8'
-- case: set client_min_messages
set client_min_messages = warning
-- then
show client_min_messages
-- case: set extra_float_digits
set extra_float_digits = 3
-- then
select 0.1::float8
-- case: set lock_timeout
set lock_timeout = '2s'
-- then
show lock_timeout
-- case: set_config
select set_config('work_mem', '4MB', false)
-- then
select current_setting('work_mem')
-- case: set_config of the path
select set_config('search_path', 'public', false)
-- case: a planner's setting
set enable_seqscan = off
-- then
explain (costs off) select id from orders where id = 1
-- then
reset enable_seqscan
-- case: show all of one
show server_encoding
-- case: show the version
show server_version_num
-- case: discard plans
discard plans
-- case: discard temp
discard temp
-- case: discard sequences
discard sequences
-- case: listen and notify
listen news
-- then
notify news
-- then
unlisten news
-- case: unlisten all
unlisten *
-- case: an advisory lock
begin
-- then
select pg_advisory_xact_lock(4711)
-- then
commit
-- case: an advisory lock that is tried
begin
-- then
select pg_try_advisory_xact_lock(4712)
-- then
commit
-- case: lock a table
begin
-- then
lock table products in share mode
-- then
commit
-- case: a null parameter's type
-- values: 5
select $1::int + 1
-- case: a text parameter
-- values: it's; drop table orders
select $1::text
-- case: a parameter in a limit
-- values: 2
select id from products order by id limit $1::int
-- case: two parameters
-- values: 1 | 5
select count(*) from products where id between $1::int and $2::int
-- case: a parameter in a like
-- values: product 1%
select count(*) from products where title like $1
