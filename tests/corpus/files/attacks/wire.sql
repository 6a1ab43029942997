-- about: the extended protocol: names, portals, pipelines, and messages that carry no text
-- form: wire
-- rule: production-every-row
-- effect: orders

create function wire_wipe() returns int language plpgsql as $$ begin delete from orders; return 1; end $$;

-- case: a named statement
P gone | delete from orders
B - | gone
E -
S
-- case: a name given again to another text
P s | select 1
P - | select 2
C S s
P s | delete from orders
B - | s
E -
S
-- case: the unnamed statement, replaced between Bind and Execute of others
P - | select 1
P - | delete from orders
B - | -
E -
S
-- case: two portals, the second deletes
P a | select 1
P b | delete from orders
B one | a
B two | b
E one
E two
S
-- case: executed twice, described never
P b | update orders set note = 'x'
B - | b
E -
B - | b
E -
S
-- case: behind a Flush
P b | delete from orders
H
B - | b
H
E -
H
S
-- case: Describe first
P b | delete from orders returning id
D S b
B p | b
D P p
E p
S
-- case: in one pipeline with harmless ones
P a | select 1
B - | a
E -
P b | delete from orders
B - | b
E -
P c | select 2
B - | c
E -
S
-- case: behind an error in the pipeline, after Sync
-- alone: yes
P a | select 1 / 0
B - | a
E -
P b | select 1
S
-- then
P b | delete from orders
B - | b
E -
S
-- case: a Query in the midst of a pipeline
P a | select 1
B - | a
E -
Q delete from orders
-- case: prepared by SQL, run by Bind
Q prepare by_sql as delete from orders
-- then
B - | by_sql
E -
S
-- case: prepared by Parse, run by SQL
P by_parse | delete from orders
S
-- then
Q execute by_parse
-- case: prepared by Parse, run by EXPLAIN ANALYZE
P by_parse | update orders set note = 'x'
S
-- then
Q explain analyze execute by_parse
-- case: deallocated and prepared again
P s | select 1
S
-- then
Q deallocate s
-- then
P s | delete from orders
B - | s
E -
S
-- case: deallocated by DISCARD ALL and prepared again
-- alone: yes
P s | select 1
S
-- then
Q discard all
-- then
Q prepare s as delete from orders
-- then
B - | s
E -
S
-- case: a portal opened by SQL, then another of its name
-- alone: yes
Q begin
-- then
Q declare c cursor for select 1
-- then
P d | delete from orders
B x | d
E x
S
-- then
Q commit
-- case: a parameter that is the condition
P d | delete from orders where $1
B - | d | t
E -
S
-- case: a parameter that is compared with itself
P d | delete from orders where $1 = $1
B - | d | 1
E -
S
-- case: a parameter that is the text of dynamic SQL
-- rule: production-do
P d | select query_to_xml($1, true, true, '')
B - | d | select wire_wipe()
E -
S
-- case: a parameter that becomes a setting
-- rule: session-identity
-- shows: other_role
P d | select set_config('role', $1, false)
B - | d | other_role
E -
S
-- then
Q select current_user
-- case: a parameter that is a setting's name
-- rule: settings
-- shows: other_role
P d | select set_config($1, $2, false)
B - | d | role | other_role
E -
S
-- then
Q select current_user
-- case: a parameter that is a file's name
-- rule: server-files-and-programs
-- shows: root:
P d | select pg_read_file($1)
B - | d | /etc/passwd
E -
S
-- case: a function by its number
-- rule: protocol
-- shows: root:
F 2624 | /etc/passwd | 0 | 100
-- case: a function by its number: a large object
-- rule: large-objects
-- effect: pg_largeobject_metadata
F 957 | -1
-- case: a function by its number: a setting
-- rule: protocol
-- shows: other_role
F 2078 | role | other_role | f
-- then
Q select current_user
-- case: a function by its number: a file into a large object
-- rule: protocol
-- effect: pg_largeobject_metadata
F 764 | /etc/hostname
-- case: a DO block
-- rule: production-do
P d | do $$ begin delete from orders; end $$
B - | d
E -
S
-- case: a transaction in a pipeline
-- alone: yes
P b | begin
B - | b
E -
P d | delete from orders
B - | d
E -
P c | commit
B - | c
E -
S
-- case: each Sync ends a transaction
-- alone: yes
P d | delete from orders
B - | d
E -
S
-- then
P e | select 1 / 0
B - | e
E -
S
-- case: a savepoint in a pipeline brings a failed one back
-- alone: yes
Q begin
-- then
Q savepoint a
-- then
P e | select 1 / 0
B - | e
E -
S
-- then
Q rollback to a
-- then
P d | delete from orders
B - | d
E -
S
-- then
Q commit
-- case: an empty statement before it
P - | -
B - | -
E -
P d | delete from orders
B - | d
E -
S
-- case: closed and run
P d | delete from orders
C S d
P d | delete from orders where true
B - | d
E -
S
-- case: a name as long as names get
P a_name_that_goes_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on | delete from orders
B - | a_name_that_goes_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on_and_on
E -
S
-- case: a copy in a pipeline
-- rule: server-files-and-programs
-- effect: files
P d | copy orders to '{scratch}/out'
B - | d
E -
S
