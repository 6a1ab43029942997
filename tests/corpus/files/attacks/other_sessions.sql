-- about: other sessions, the server as a whole, the network, large objects, prepared transactions
-- rule: other-sessions
-- shows: t

create foreign data wrapper outward;
create server outwards foreign data wrapper outward;

-- case: terminate
-- effect: victim
-- alone: yes
select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'victim'
-- case: terminate as a column
-- effect: victim
-- alone: yes
select (pid).pg_terminate_backend from (select pid from pg_stat_activity where application_name = 'victim') x, pg_sleep(0)
-- case: terminate behind a CASE
-- effect: victim
-- alone: yes
select case when true then pg_terminate_backend(pid, 5000) end from pg_stat_activity where application_name = 'victim'
-- case: terminate in a condition
-- effect: victim
-- alone: yes
select 1 from pg_stat_activity where case when application_name = 'victim' then pg_terminate_backend(pid, 5000) end
-- case: terminate by a parameter
-- effect: victim
-- alone: yes
-- values: victim
select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1
-- case: terminate in an update's list
-- effect: victim
-- alone: yes
with x as (select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'victim') select * from x
-- case: cancel
select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'victim'
-- case: memory of another
select pg_log_backend_memory_contexts(pid) from pg_stat_activity where application_name = 'victim'
-- case: statistics reset
-- shows: SELECT 1
select pg_stat_reset()
-- case: shared statistics reset
-- shows: SELECT 1
select pg_stat_reset_shared('bgwriter')
-- case: one table's statistics reset
-- shows: SELECT 1
select pg_stat_reset_single_table_counters('orders'::regclass)
-- case: replication slot
-- rule: production-resources
-- shows: SELECT 1
select pg_create_physical_replication_slot('slot_of_mine', false, true)
-- case: replication origin
-- rule: other-sessions
-- effect: pg_replication_origin
select pg_replication_origin_create('mine')
-- case: a message in the log of changes
-- rule: production-do
-- shows: /
select pg_logical_emit_message(false, 'x', 'y')
-- case: a prepared transaction
-- rule: prepared-transactions
-- effect: prepared
-- alone: yes
-- undo: rollback prepared 'left behind'
begin
-- then
select 1 from products for update
-- then
prepare transaction 'left behind'
-- case: a prepared transaction in one message
-- rule: prepared-transactions
-- effect: prepared
-- alone: yes
-- undo: rollback prepared 'left_behind_2'
-- form: simple
begin; select 1 from products for update; prepare transaction 'left_behind_2'
-- case: sleep
-- rule: production-resources
-- lasts_ms: 200
select pg_sleep(0.2)
-- case: sleep for
-- rule: production-resources
-- lasts_ms: 200
select pg_sleep_for('200 milliseconds')
-- case: sleep until
-- rule: production-resources
-- lasts_ms: 100
select pg_sleep_until(clock_timestamp() + interval '150 milliseconds')
-- case: sleep in a condition
-- rule: production-resources
-- lasts_ms: 200
select 1 from generate_series(1, 2) n where pg_sleep(0.1) is not null
-- case: sleep in a default argument of nothing
-- rule: production-resources
-- lasts_ms: 200
select coalesce(pg_sleep(0.2)::text, '')
-- case: sleep in a join
-- rule: production-resources
-- lasts_ms: 200
select 1 from (values (1)) v join lateral (select pg_sleep(0.2)) s on true
-- case: sleep by code points
-- rule: production-resources
-- lasts_ms: 200
select U&"pg\005fsleep"(0.2)
-- case: checkpoint
-- shows: CHECKPOINT
-- allowed: CHECKPOINT is for the access role admin
checkpoint
-- case: checkpoint by readwrite
-- session: readwrite
-- rule: production-upkeep
-- shows: CHECKPOINT
checkpoint
-- case: vacuum full by readwrite
-- session: readwrite
-- rule: production-upkeep
-- alone: yes
-- effect: pg_class
vacuum full orders
-- case: cluster by readwrite
-- session: readwrite
-- rule: production-upkeep
-- effect: pg_class
cluster orders using orders_pkey
-- case: reindex by readwrite
-- session: readwrite
-- rule: production-upkeep
-- effect: pg_class
reindex table orders
-- case: a subscription
-- rule: network
-- effect: pg_subscription
create subscription s connection 'host=127.0.0.1 dbname=nothing' publication p with (connect = false)
-- case: dblink
-- rule: production-code
-- effect: pg_extension
create extension dblink
-- case: postgres_fdw
-- rule: production-code
-- effect: pg_extension
create extension postgres_fdw
-- case: a foreign server
-- rule: network
-- effect: pg_foreign_server
create server out_there foreign data wrapper outward options (host '10.0.0.1')
-- case: a foreign data wrapper
-- rule: production-code
-- effect: pg_foreign_data_wrapper
create foreign data wrapper another
-- case: a foreign table
-- rule: network
-- effect: pg_foreign_table
create foreign table abroad (a int) server outwards
-- case: a user mapping
-- rule: network
-- effect: pg_user_mapping
create user mapping for current_user server outwards options (password 'x')
-- case: a foreign server changed
-- rule: network
-- effect: pg_foreign_server
alter server outwards options (add host '10.0.0.2')
-- case: a publication
-- rule: production-code
-- effect: pg_publication
create publication everything for all tables
-- case: a large object is made
-- rule: large-objects
-- effect: pg_largeobject_metadata
select lo_create(0)
-- case: a large object is made by lo_creat
-- rule: large-objects
-- effect: pg_largeobject_metadata
select lo_creat(-1)
-- case: a large object from bytes
-- rule: large-objects
-- effect: pg_largeobject
select lo_from_bytea(0, 'x')
-- case: a large object is written
-- rule: large-objects
-- effect: pg_largeobject
select lo_put(4711, 0, 'xyz')
-- case: a large object is read
-- rule: large-objects
-- shows: 616e206f626a656374
select lo_get(4711)
-- case: a large object is read in pieces
-- rule: large-objects
-- shows: 616e
select loread(lo_open(4711, x'40000'::int), 2)
-- case: a large object is emptied
-- rule: large-objects
-- effect: pg_largeobject
select lo_truncate(lo_open(4711, x'20000'::int), 0)
-- case: a large object is removed
-- rule: large-objects
-- effect: pg_largeobject_metadata
select lo_unlink(4711)
-- case: all large objects are removed
-- rule: large-objects
-- effect: pg_largeobject_metadata
select lo_unlink(oid) from pg_largeobject_metadata
-- case: the pages of large objects
-- rule: server-secrets
-- shows: 616e206f626a656374
select data from pg_largeobject
-- case: a large object's owner
-- rule: production-privileges
-- effect: pg_largeobject_metadata
alter large object 4711 owner to other_role
