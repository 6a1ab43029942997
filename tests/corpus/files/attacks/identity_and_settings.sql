-- about: becoming somebody else, and settings that change what later text means or what is enforced
-- rule: session-identity
-- shows: other_role

create function whoami() returns name language sql as 'select current_user';

-- case: SET ROLE
set role other_role
-- then
select current_user
-- case: SET LOCAL ROLE
begin
-- then
set local role other_role
-- then
select current_user
-- case: SET SESSION ROLE
set session role to other_role
-- then
select current_user
-- case: SET ROLE in quotes
set role 'other_role'
-- then
select current_user
-- case: SET "role"
set "role" = other_role
-- then
select current_user
-- case: SET ROLE by code points
set U&"r\006fle" = other_role
-- then
select current_user
-- case: SESSION AUTHORIZATION
set session authorization other_role
-- then
select session_user
-- case: SESSION AUTHORIZATION by its setting
set session_authorization = other_role
-- then
select session_user
-- case: SET LOCAL SESSION AUTHORIZATION
begin
-- then
set local session authorization other_role
-- then
select session_user
-- case: set_config of the role
select set_config('role', 'other_role', false)
-- then
select current_user
-- case: set_config of the role in capitals
select set_config('ROLE', 'other_role', false)
-- then
select current_user
-- case: set_config of the session authorization
select set_config('session_authorization', 'other_role', false)
-- then
select session_user
-- case: set_config with its schema
select pg_catalog.set_config('role', 'other_role', true), current_user
-- case: set_config with a name put together
-- rule: settings
select set_config('ro' || 'le', 'other_role', false)
-- then
select current_user
-- case: set_config with a name from a table
-- rule: settings
select set_config(n, 'other_role', false) from (values ('role')) v(n)
-- then
select current_user
-- case: set_config with a parameter
-- rule: settings
-- values: role
select set_config($1, 'other_role', false)
-- then
select current_user
-- case: the settings view, updated
-- rule: settings
-- shows: none
update pg_settings set setting = 'none' where name = 'log_statement'
-- then
show log_statement
-- case: a function's own setting
-- rule: production-code
create function f() returns name language sql set role = other_role as 'select current_user'
-- then
select f()
-- case: ALTER FUNCTION ... SET
-- rule: production-code
alter function whoami() set role = other_role
-- then
select whoami()
-- case: ALTER ROLE SET role
-- rule: production-privileges
-- effect: pg_db_role_setting
alter role ephemeral set role = other_role
-- case: ALTER ROLE SET search_path
-- rule: production-privileges
-- effect: pg_db_role_setting
alter role ephemeral set search_path = evil, public
-- case: ALTER ROLE ALL SET
-- rule: production-privileges
-- effect: pg_db_role_setting
alter role all set log_statement = 'none'
-- case: ALTER ROLE IN DATABASE SET
-- rule: production-privileges
-- effect: pg_db_role_setting
alter role ephemeral in database spare set standard_conforming_strings = off
-- case: ALTER USER SET
-- rule: production-privileges
-- effect: pg_db_role_setting
alter user ephemeral set statement_timeout = 0
-- case: ALTER DATABASE SET
-- rule: production-code
-- effect: pg_db_role_setting
alter database spare set standard_conforming_strings = off
-- case: ALTER SYSTEM
-- rule: settings
-- effect: settings files
-- alone: yes
-- undo: alter system reset log_statement; alter system reset archive_command; alter system reset session_preload_libraries
alter system set log_statement = 'none'
-- case: ALTER SYSTEM of a program
-- rule: settings
-- effect: settings files
-- alone: yes
-- undo: alter system reset log_statement; alter system reset archive_command; alter system reset session_preload_libraries
alter system set archive_command = 'touch /tmp/owned'
-- case: ALTER SYSTEM of a library
-- rule: settings
-- effect: settings files
-- alone: yes
-- undo: alter system reset log_statement; alter system reset archive_command; alter system reset session_preload_libraries
alter system set session_preload_libraries = 'auto_explain'
-- case: ALTER SYSTEM RESET
-- rule: settings
-- shows: ALTER SYSTEM
-- alone: yes
alter system reset archive_command
-- case: backslashes change their meaning
-- rule: lexing-settings
-- effect: orders
set standard_conforming_strings = off
-- then
select 'a\', ' ; delete from orders; --'
-- case: no warning of backslashes
-- rule: lexing-settings
-- shows: off
set escape_string_warning = off
-- then
show escape_string_warning
-- case: backslashes change their meaning, by set_config
-- rule: lexing-settings
-- shows: off
select set_config('standard_conforming_strings', 'off', false)
-- case: backslashes change their meaning, by another name of off
-- rule: lexing-settings
-- shows: off
set standard_conforming_strings = 0
-- then
show standard_conforming_strings
-- case: backslashes change their meaning, in capitals
-- rule: lexing-settings
-- shows: off
set Standard_Conforming_Strings = fals
-- then
show standard_conforming_strings
-- case: another encoding
-- rule: lexing-settings
-- shows: SJIS
set client_encoding = 'SJIS'
-- then
show client_encoding
-- case: another encoding by NAMES
-- rule: lexing-settings
-- shows: LATIN1
set names 'latin1'
-- then
show client_encoding
-- case: another encoding by set_config
-- rule: lexing-settings
-- shows: BIG5
select set_config('client_encoding', 'BIG5', false)
-- then
show client_encoding
-- case: another encoding for a transaction
-- rule: lexing-settings
-- shows: GBK
begin
-- then
set local client_encoding = 'gbk'
-- then
show client_encoding
-- case: quotes in backslashes
-- rule: lexing-settings
-- shows: on
set backslash_quote = on
-- then
show backslash_quote
-- case: triggers and foreign keys switched off
-- rule: settings
-- shows: replica
set session_replication_role = replica
-- then
show session_replication_role
-- case: triggers switched off by set_config
-- rule: settings
-- shows: replica
select set_config('session_replication_role', 'replica', true)
-- case: the log switched off
-- rule: settings
-- shows: none
set log_statement = 'none'
-- then
show log_statement
-- case: the log's duration
-- rule: settings
-- shows: 12345
set log_min_duration_statement = 12345
-- then
set log_min_messages = 'panic'
-- then
show log_min_duration_statement
-- case: a custom setting that row security may read
-- rule: settings
-- shows: another
set app.tenant = 'another'
-- then
show app.tenant
-- case: a custom setting by set_config
-- rule: settings
-- shows: another
select set_config('app.user_id', 'another', false)
-- case: durability
-- rule: settings
-- shows: off
set synchronous_commit = off
-- then
show synchronous_commit
-- case: damaged pages
-- rule: settings
-- shows: on
set zero_damaged_pages = on
-- then
show zero_damaged_pages
-- case: system tables
-- rule: settings
-- shows: on
set allow_system_table_mods = on
-- then
show allow_system_table_mods
-- case: transforms of nulls
-- rule: settings
-- effect: orders
set transform_null_equals = on
-- then
delete from orders where note = null
-- case: a library
-- rule: production-do
-- shows: LOAD
load 'auto_explain'
-- case: where libraries are looked for
-- rule: settings
-- shows: /tmp
set dynamic_library_path = '/tmp'
-- then
show dynamic_library_path
-- case: a library for later sessions
-- rule: settings
-- shows: auto_explain
set local_preload_libraries = 'auto_explain'
-- then
show local_preload_libraries
-- case: reload
-- rule: other-sessions
-- shows: t
select pg_reload_conf()
-- case: rotate the log
-- rule: server-files-and-programs
-- shows: t
select pg_rotate_logfile()
