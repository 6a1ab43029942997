-- Transactions, savepoints, errors within them, and psql's own modes.
create table t (a int primary key, b text);
begin; insert into t values (1, 'one'); savepoint s; insert into t values (1, 'again');
select 'aborted';
rollback to s; insert into t values (2, 'two'); release s; commit;
select * from t order by a;
begin isolation level serializable read only; insert into t values (3, 'three'); rollback;
begin; select 1/0; commit;
insert into t values (4, 'four') \; select 1/0 \; insert into t values (5, 'five');
select count(*) from t;
begin \; insert into t values (6, 'six') \; commit \; insert into t values (6, 'six');
select count(*) from t;
\set ON_ERROR_ROLLBACK on
begin;
insert into t values (7, 'seven');
insert into t values (7, 'seven');
insert into t values (8, 'eight');
commit;
select a from t order by a;
\set ON_ERROR_ROLLBACK off
\set AUTOCOMMIT off
insert into t values (9, 'nine');
rollback;
select count(*) from t;
commit;
\set AUTOCOMMIT on
begin; declare c cursor for select a from t order by a; fetch 2 from c; move 1 in c; fetch all c; close c; commit;
begin; declare c cursor with hold for select a from t order by a desc; commit; fetch 3 from c; close c;
prepare p (int) as select b from t where a = $1; execute p (1); execute p (7); deallocate p; execute p (1);
commit; rollback; begin; begin; end;
start transaction; set local search_path = pg_catalog; show search_path; rollback; show search_path;
begin; prepare transaction 'dbgate-1'; rollback prepared 'dbgate-1';
lock table t;
begin; lock table t in access exclusive mode nowait; abort;
set statement_timeout = 50; select pg_sleep(5); reset statement_timeout;
set session characteristics as transaction read only; insert into t values (10); reset all;
discard all;
insert into t values (10, 'ten') on conflict do nothing returning *;
