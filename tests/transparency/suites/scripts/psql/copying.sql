-- COPY both ways, by every door of psql, and each way of failing.
create table c (a int, b text, c numeric);
copy c from stdin;
1	one	1.5
2	\N	2.5
3	tab\there	\N
\.
copy c (a, b) from stdin csv header;
a,b
4,"four, 4"
5,"say ""five"""
\.
copy c from stdin;
6	six
\.
copy c from stdin;
x	y	z
\.
select * from c order by a;
copy c to stdout;
copy (select * from c order by a) to stdout csv header force quote b;
copy c (a, b) to stdout (format text, delimiter '|', null 'NULL');
copy (select 1 where false) to stdout;
\copy c to 'c.csv' csv header
truncate c;
\copy c from 'c.csv' csv header
select count(*), sum(a) from c;
\copy (select a from c order by a) to 'a.txt'
\copy c (a) from 'a.txt'
select count(*) from c;
\copy c to 'c.bin' binary
\copy c from 'c.bin' (format binary)
select count(*) from c;
\copy c from 'no-such-file'
\copy no_such_table to 'x'
copy c (a) from program 'echo 77';
copy c from '/no/such/file';
\copy c (a) from program 'seq 1000'
select count(*) from c;
begin; copy c (a) from stdin;
1
\.
select count(*) from c; rollback;
begin; copy c (a) from stdin;
wrong
\.
select 'aborted'; rollback;
copy c from stdin \; select 1;
8	eight	8
\.
copy (select 1) to stdout \; copy (select 2) to stdout \; select 3;
copy c (a) from stdin where a > 2;
1
2
3
\.
select count(*) from c;
