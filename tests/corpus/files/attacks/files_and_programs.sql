-- about: files and programs of the database server
-- rule: server-files-and-programs
-- effect: files

create foreign data wrapper remote;
create server remote_one foreign data wrapper remote;
create user mapping for ephemeral server remote_one options (password 'hunter2');

-- case: COPY to a file
copy orders to '{scratch}/out'
-- case: COPY of a query to a file
copy (select 'ssh-rsa x') to '{scratch}/authorized_keys'
-- case: COPY of VALUES to a file
copy (values ('#!/bin/sh')) to '{scratch}/cron' with (format csv)
-- case: COPY in the old words
copy binary orders to '{scratch}/out'
-- case: COPY to a file, its name by code points
copy orders to U&'{scratch}/\006fut'
-- case: COPY to a file, its name in an E string
copy orders to E'{scratch}/o\x75t'
-- case: COPY to a file, its name run together
copy orders to '{scratch}'
'/out'
-- case: COPY to a program
copy orders to program 'cat > {scratch}/out'
-- case: COPY to a program, in capitals and comments
COPY/**/(SELECT 1)/**/TO/**/PROGRAM/**/'cat > {scratch}/out'
-- case: COPY from a program
copy settings from program 'touch {scratch}/out'
-- case: COPY from a program that answers
-- shows: COPY 1
create temp table heard (line text)
-- then
copy heard from program 'id'
-- then
select line from heard
-- case: COPY from a file
-- effect: settings
copy settings (name) from '{scratch}/../data/PG_VERSION'
-- case: COPY from a file with a condition
-- effect: settings
copy settings (name) from '{scratch}/../data/PG_VERSION' where name <> ''
-- case: COPY from /etc/passwd
-- shows: root:
create temp table heard (line text)
-- then
copy heard from '/etc/passwd' (delimiter E'\x01')
-- then
select line from heard
-- case: pg_read_file
-- shows: root:
select pg_read_file('/etc/passwd')
-- case: pg_read_file with a range
-- shows: root:
select pg_read_file('/etc/passwd', 0, 100)
-- case: pg_read_file in quotes
-- shows: root:
select "pg_read_file"('/etc/passwd')
-- case: pg_read_file in its schema
-- shows: root:
select pg_catalog.pg_read_file('/etc/passwd')
-- case: pg_read_file by code points
-- shows: root:
select U&"pg\005fread_file"('/etc/passwd')
-- case: pg_read_file as a column
-- shows: root:
select ('/etc/passwd'::text).pg_read_file
-- case: pg_read_file in a FROM
-- shows: root:
select * from pg_read_file('/etc/passwd') f
-- case: pg_read_file by a lateral join over a parameter
-- shows: root:
-- values: /etc/passwd
select pg_read_file($1)
-- case: pg_read_file in lines
-- shows: root:
select regexp_split_to_table(pg_read_file('/etc/passwd'), '\n')
-- case: pg_read_file in a COPY
-- shows: root:
copy (select pg_read_file('/etc/passwd')) to stdout
-- case: pg_read_file in a PREPARE
-- shows: root:
prepare p as select pg_read_file($1)
-- then
execute p('/etc/passwd')
-- case: pg_read_file in an error
-- shows: root:
select pg_read_file('/etc/passwd')::int
-- case: pg_read_file in a cursor
-- shows: root:
begin
-- then
declare c cursor for select pg_read_file('/etc/passwd')
-- then
fetch c
-- case: pg_read_file in a table's default
-- rule: server-files-and-programs
-- shows: root:
create temp table t (a int, b text default pg_read_file('/etc/passwd'))
-- then
insert into t (a) values (1) returning b
-- case: pg_read_file in a view
-- shows: root:
create temp view v as select pg_read_file('/etc/passwd')
-- then
select * from v
-- case: pg_read_file in an ON CONFLICT
-- shows: root:
insert into settings values ('theme', 'x') on conflict (name) do update set value = pg_read_file('/etc/passwd') returning value
-- case: pg_read_binary_file
-- shows: \x
select substr(pg_read_binary_file('/etc/passwd'), 1, 4)
-- case: pg_read_file_old
-- shows: root:
select pg_read_file_old('/etc/passwd', 0, 100)
-- case: pg_ls_dir
-- shows: PG_VERSION
select pg_ls_dir('.')
-- case: pg_ls_dir in a FROM
-- shows: PG_VERSION
select f from pg_ls_dir('.', true, false) f
-- case: pg_ls_logdir
-- shows: all.csv
select name from pg_ls_logdir()
-- case: pg_ls_waldir
-- shows: 0000
select name from pg_ls_waldir()
-- case: pg_ls_tmpdir
-- shows: SELECT 0
select name from pg_ls_tmpdir()
-- case: pg_ls_archive_statusdir
-- shows: SELECT 0
select name from pg_ls_archive_statusdir()
-- case: pg_stat_file
-- shows: SELECT 1
select size from pg_stat_file('PG_VERSION')
-- case: pg_current_logfile
-- shows: all.csv
select pg_current_logfile('csvlog')
-- case: a file that the server writes, by a large object
select lo_export(4711, '{scratch}/out')
-- case: a file that the server reads into a large object
-- effect: pg_largeobject
select lo_import('/etc/passwd')
-- case: a file that the server reads into a large object of a number
-- effect: pg_largeobject
select lo_import('/etc/passwd', 4712)
-- case: a tablespace
-- rule: server-files-and-programs
-- effect: pg_tablespace
-- alone: yes
-- undo: drop tablespace if exists fresh
create tablespace fresh location '{scratch}/../space'
-- case: the hba file
-- rule: server-secrets
-- shows: scram-sha-256
select auth_method from pg_hba_file_rules
-- case: the hba file by its function
-- rule: server-secrets
-- shows: scram-sha-256
select auth_method from pg_hba_file_rules()
-- case: the settings' files
-- rule: server-secrets
-- shows: postgresql.conf
select sourcefile from pg_file_settings
-- case: the ident file
-- rule: server-secrets
-- shows: SELECT 0
select * from pg_ident_file_mappings
-- case: a foreign table over a file
-- rule: production-code
-- effect: pg_extension
create extension file_fdw
-- case: a dump of the function's files by XML
-- rule: server-files-and-programs
-- shows: root:
select xmlparse(content replace(pg_read_file('/etc/passwd'), '&', ''))
-- case: a backup is begun
-- rule: server-files-and-programs
-- shows: /
select pg_backup_start('x', true)
-- case: the log is switched
-- rule: other-sessions
-- shows: /
select pg_switch_wal()
-- case: a restore point
-- rule: other-sessions
-- shows: /
select pg_create_restore_point('x')
-- case: COPY of a whole catalog of passwords to the client
-- rule: server-secrets
-- shows: SCRAM-SHA-256
copy pg_authid to stdout
-- case: password hashes
-- rule: server-secrets
-- shows: SCRAM-SHA-256
select rolpassword from pg_authid
-- case: password hashes by the old view
-- rule: server-secrets
-- shows: SCRAM-SHA-256
select passwd from pg_shadow
-- case: password hashes by the whole row
-- rule: server-secrets
-- shows: SCRAM-SHA-256
select a from pg_catalog.pg_authid a
-- case: password hashes as JSON
-- rule: server-secrets
-- shows: SCRAM-SHA-256
select row_to_json(s) from pg_shadow s
-- case: password hashes by TABLE
-- rule: server-secrets
-- shows: SCRAM-SHA-256
table pg_authid
-- case: password hashes in a subquery
-- rule: server-secrets
-- shows: SCRAM-SHA-256
select (select rolpassword from pg_authid where rolname = 'plain')
-- case: password hashes by a WITH
-- rule: server-secrets
-- shows: SCRAM-SHA-256
with x as materialized (select * from pg_authid) select max(rolpassword) from x
-- case: password hashes by an alias of every column
-- rule: server-secrets
-- shows: SCRAM-SHA-256
select l from pg_authid as x(a, b, c, d, e, f, g, h, i, j, l, m)
-- case: password hashes by a query given as text
-- rule: production-do
-- shows: SCRAM-SHA-256
select query_to_xml('select rolpassword from pg_authid', true, true, '')
-- case: password hashes by table_to_xml
-- rule: production-do
-- shows: SCRAM-SHA-256
select table_to_xml('pg_authid', true, true, '')
-- case: password hashes by schema_to_xml
-- rule: production-do
-- shows: SCRAM-SHA-256
select schema_to_xml('pg_catalog', true, true, '')
-- case: password hashes by the statistics of words
-- rule: production-do
-- shows: scram
select word from ts_stat('select to_tsvector(''simple'', coalesce(rolpassword, '''')) from pg_authid')
-- case: the connection strings of subscriptions
-- rule: server-secrets
-- shows: SELECT 0
select subconninfo from pg_subscription
-- case: passwords of foreign servers
-- rule: server-secrets
-- shows: hunter2
select umoptions from pg_user_mapping
-- case: passwords of foreign servers by the view
-- rule: server-secrets
-- shows: hunter2
select umoptions from pg_user_mappings
-- case: passwords of foreign servers by the standard's view
-- rule: server-secrets
-- shows: hunter2
select option_value from information_schema.user_mapping_options
