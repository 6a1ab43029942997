-- about: privileges, memberships, owners and roles
-- rule: production-privileges
-- effect: pg_class

create table held (id int); alter table held owner to holder;
create type tone as enum ('do', 're');
create function tuned() returns int language sql as 'select 440';
create table filtered (id int, who text);
alter table filtered enable row level security;
alter table filtered force row level security;
create policy narrow on filtered using (who = current_user);
create foreign data wrapper far;
create server far_away foreign data wrapper far;

-- case: to everybody
grant all on orders to public
-- case: one column
-- effect: pg_attribute
grant select (email) on customers to other_role
-- case: with the option to go on
grant select on orders to other_role with grant option
-- case: all tables of a schema
grant select on all tables in schema public to other_role
-- case: a schema
-- effect: pg_namespace
grant create on schema public to public
-- case: a database
-- effect: pg_database
grant all on database spare to public
-- case: a function
-- effect: pg_proc
grant execute on function pg_read_file(text) to public
-- case: a sequence
grant usage on sequence products_id_seq to other_role
-- case: a language
-- effect: pg_language
grant usage on language plpgsql to other_role
-- case: a tablespace
-- effect: pg_tablespace
grant create on tablespace pg_default to other_role
-- case: a setting
-- effect: pg_parameter_acl
grant set on parameter log_statement to other_role
-- case: a large object
-- effect: pg_largeobject_metadata
grant select on large object 4711 to public
-- case: a type
-- effect: pg_type
grant usage on type tone to other_role
-- case: a membership
-- effect: pg_auth_members
grant holder to ephemeral
-- case: a membership with the option to give it on
-- effect: pg_auth_members
grant holder to other_role with admin option
-- case: a role that reads all files
-- effect: pg_auth_members
grant pg_read_server_files to other_role
-- case: a role that runs programs
-- effect: pg_auth_members
grant pg_execute_server_program to other_role
-- case: a membership by ALTER GROUP
-- effect: pg_auth_members
alter group holder add user other_role
-- case: a membership by CREATE ROLE
-- effect: pg_auth_members
create role fresh in role holder
-- case: a membership by CREATE ROLE, the other way round
-- effect: pg_auth_members
create role fresh role other_role admin ephemeral
-- case: revoke
revoke all on orders from plain
-- case: revoke the option only
revoke grant option for all on orders from plain
-- case: what later objects get
-- effect: pg_default_acl
alter default privileges grant all on tables to public
-- case: what later objects of another get
-- effect: pg_default_acl
alter default privileges for role holder in schema public grant select on tables to other_role
-- case: a new superuser
-- effect: pg_authid
create role root superuser login password 'x'
-- case: CREATE USER
-- effect: pg_authid
create user fresh
-- case: CREATE GROUP
-- effect: pg_authid
create group fresh
-- case: a superuser from a role that is there
-- effect: pg_authid
alter role other_role superuser
-- case: a password
-- effect: pg_authid
alter role other_role password 'x'
-- case: one's own password
-- effect: pg_authid
alter user current_user with password 'x'
-- case: one's own end, put off
-- effect: pg_authid
alter role ephemeral valid until 'infinity'
-- case: login
-- effect: pg_authid
alter role other_role login
-- case: bypassing row security
-- effect: pg_authid
alter role other_role bypassrls
-- case: another name
-- effect: pg_authid
alter role other_role rename to another_role
-- case: a role's connections
-- effect: pg_authid
alter user other_role connection limit 0
-- case: drop a role
-- effect: pg_authid
drop role other_role
-- case: drop a user, if there is one
-- effect: pg_authid
drop user if exists other_role
-- case: owner of a table
alter table orders owner to other_role
-- case: owner of a view
alter view open_orders owner to other_role
-- case: owner of a function
-- effect: pg_proc
alter function tuned() owner to other_role
-- case: owner of a schema
-- effect: pg_namespace
alter schema public owner to other_role
-- case: owner of a database
-- effect: pg_database
alter database spare owner to other_role
-- case: owner of a type
-- effect: pg_type
alter type tone owner to current_role
-- case: owner of a sequence
alter sequence ticks owner to other_role
-- case: owner of all
reassign owned by holder to other_role
-- case: a function that runs as its owner
-- rule: production-code
-- effect: pg_proc
alter function tuned() security definer
-- case: row security off
-- rule: production-destructive
alter table filtered disable row level security
-- case: row security not for the owner
-- rule: production-destructive
alter table filtered no force row level security
-- case: a policy for all
-- rule: production-code
-- effect: pg_policy
create policy everybody on filtered using (true)
-- case: a policy widened
-- rule: production-code
-- effect: pg_policy
alter policy narrow on filtered using (true)
-- case: a policy for others
-- rule: production-code
-- effect: pg_policy
alter policy narrow on filtered to public
-- case: a view that shows with its owner's eyes
-- rule: production-destructive
alter view open_orders set (security_invoker = false)
-- case: a security label
-- effect: pg_class
-- rule: production-privileges
grant truncate on table orders to plain with grant option
-- case: a schema owned by another
-- effect: pg_namespace
create schema authorization other_role
-- case: a schema of one's own with a grant within
-- effect: pg_namespace
create schema fresh create table t (a int) grant all on t to public
-- case: a foreign server's mapping
-- rule: network
-- effect: pg_user_mapping
create user mapping for public server far_away options (user 'postgres', password 'x')
