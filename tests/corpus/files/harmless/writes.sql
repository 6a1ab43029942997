-- form: simple
-- about: ordinary writes with real conditions, as applications send them
-- session: readwrite

create table plain_log (said text default 'nothing');
create table stamped_log (said text, at timestamptz);
create function stamp_log() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
create trigger stamp before insert on stamped_log for each row execute function stamp_log();
-- case: insert
insert into settings values ('a', 'b')
-- case: insert with columns
insert into settings (name, value) values ('c', 'd'), ('e', 'f')
-- case: insert returning
insert into products (title, price) values ('new', 5) returning title, price
-- case: insert from a query
insert into settings select 'order ' || id, status from orders where id < 4
-- case: insert with a default
insert into orders (id, customer_id, amount, placed) values (1001, 1, 5, '2026-05-01') returning status
-- case: insert default values
insert into plain_log default values returning said
-- case: insert on conflict nothing
insert into settings values ('theme', 'light') on conflict do nothing
-- case: insert on conflict update
insert into settings values ('lang', 'de') on conflict (name) do update set value = excluded.value where settings.name = excluded.name
-- case: upsert of one key
insert into settings as s values ('lang', 'fr') on conflict (name) do update set value = excluded.value where s.name = 'lang' returning value
-- case: insert with parameters
-- values: k1 | v1
insert into settings values ($1, $2)
-- case: insert of an array
insert into products (title, price, tags) values ('tagged', 1, array['x', 'y'])
-- case: insert of json
insert into products (title, price, facts) values ('facts', 1, '{"a": [1, 2]}')
-- case: insert in a WITH
with fresh as (insert into plain_log (said) values ('with') returning said) select said from fresh
-- case: insert into a partitioned table
insert into events (at, kind) values ('2026-05-05', 'partition') returning kind
-- case: insert overriding
insert into events (id, at, kind) overriding system value values (900, '2026-05-06', 'over')
-- case: update by key
update orders set note = 'seen' where id = 1
-- case: update by key returning
update orders set amount = amount + 1 where id = 2 returning id, amount
-- case: update by two conditions
update orders set note = 'x' where status = 'new' and amount > 240
-- case: update by a list
update orders set note = 'y' where id in (3, 4, 5)
-- case: update by a range
update orders set note = 'z' where id between 10 and 12
-- case: update by a parameter
-- values: 7
update orders set note = 'p' where id = $1
-- case: update by two parameters
-- values: note | 8
update orders set note = $1 where id = $2::int
-- case: update by an array
-- values: {1,2}
update orders set note = 'q' where id = any ($1::int[])
-- case: update from another
update orders set note = c.country from customers c where c.id = orders.customer_id and orders.id = 9
-- case: update from values
update orders set note = v.n from (values (10, 'ten'), (11, 'eleven')) v(i, n) where orders.id = v.i
-- case: update by a subquery
update orders set note = 'big' where id in (select id from orders where amount > 249)
-- case: update by exists
update products set price = price + 1 where exists (select 1 from orders o where o.id = products.id and o.status = 'paid')
-- case: update of several columns
update orders set (note, status) = ('both', 'paid') where id = 12
-- case: update of a row from a query
update orders set (note, amount) = (select title, price from products where id = 1) where id = 13
-- case: update of an array's element
update products set tags[1] = 'changed' where id = 2
-- case: update of json
update products set facts = jsonb_set(facts, '{weight}', '99') where id = 3
-- case: update with a case
update orders set status = case when amount > 100 then 'paid' else status end where id < 5
-- case: update of a like
update orders set note = 'liked' where note like 'note 1%'
-- case: update of null
update orders set note = '' where note is null and id < 6
-- case: update to the default
update orders set status = default where id = 14
-- case: update with optimistic locking
update orders set note = 'v2' where id = 15 and status = 'new'
-- case: update where current of
begin
-- then
declare c cursor for select id from orders where id = 16 for update
-- then
fetch c
-- then
update orders set note = 'cursor' where current of c
-- then
commit
-- case: update in a WITH
with done as (update orders set note = 'w' where id = 17 returning id) select id from done
-- case: delete by key
delete from orders where id = 200
-- case: delete returning
delete from orders where id = 199 returning id, status
-- case: delete by two conditions
delete from orders where status = 'sent' and amount > 245
-- case: delete by age
delete from events where at < '2026-03-01 03:00+00'
-- case: delete using
delete from orders using products p where p.id = orders.id and p.price = 50 and orders.status = 'new'
-- case: delete by a subquery
delete from orders where id in (select id from orders where note = 'nothing like that')
-- case: delete by a limited subquery
delete from orders where id in (select id from orders where status = 'new' order by id limit 2)
-- case: delete by ctid of some
delete from events where ctid = any (array(select ctid from events where kind = 'k3' order by id limit 1))
-- case: delete by a parameter
-- values: 198
delete from orders where id = $1
-- case: delete in a WITH that moves
with moved as (delete from orders where id = 197 returning id) insert into plain_log (said) select 'moved ' || id from moved
-- case: delete with not exists
delete from settings s where not exists (select from orders o where o.status = s.name) and s.name = 'e'
-- case: merge
merge into settings s using (values ('merged', '1')) v(n, x) on s.name = v.n when matched then update set value = v.x when not matched then insert values (v.n, v.x)
-- case: merge with a condition
merge into orders o using products p on o.id = p.id and p.id = 5 when matched and o.status = 'new' then update set note = p.title
-- case: a job taken from a queue
update orders set note = 'taken' where id = (select id from orders where status = 'new' order by id limit 1 for update skip locked) returning id
-- case: a counter
update products set price = price + 1 where id = 4 returning price
-- case: a trigger that stamps
insert into stamped_log (said) values ('stamp') returning said
-- case: a sequence's next
insert into products (title, price) values ('seq', 1) returning id > 0
-- case: an insert that fails
-- fails: yes
insert into settings values ('theme', 'again')
-- case: a foreign key that fails
-- fails: yes
insert into orders (id, customer_id, amount, placed) values (1002, 9999, 5, '2026-05-01')
-- case: a not null that fails
-- fails: yes
insert into orders (id, customer_id, amount, placed) values (1003, null, 5, '2026-05-01')
-- case: a table that is not there
-- fails: yes
insert into nowhere values (1)
-- case: a division by zero
-- fails: yes
update orders set amount = 1 / 0 where id = 18
-- case: a syntax error in the middle of a transaction
-- fails: yes
begin
-- then
insert into plain_log (said) values ('lost')
-- then
select 1 / 0
-- then
insert into plain_log (said) values ('not run')
-- then
rollback
-- then
select count(*) from plain_log where said = 'lost'
-- case: copy in
-- data: 1a\tx\n2a\ty\n
copy settings from stdin
-- case: copy in with columns
-- data: 3a\n
copy settings (name) from stdin
-- case: copy in csv
-- data: name,value\n4a,"quoted"\n
copy settings from stdin with (format csv, header)
-- case: copy in with a null
-- data: 5a\tNIL\n
copy settings from stdin with (null 'NIL')
-- case: copy in with a condition
-- data: 6a\tx\n7a\ty\n
copy settings from stdin where name = '6a'
-- case: copy in with a bad row
-- data: 8a\tx\ttoo many\n
-- fails: yes
copy settings from stdin
-- case: copy in of nothing
copy settings from stdin
-- case: between itself and a bound
delete from orders where id between 150 and id
-- case: two ranges with a gap
delete from orders where id < 3 or id > 190
-- case: not between two bounds
update orders set note = 'far' where id not between 5 and 195
-- case: at most a large number
update orders set note = 'all but few' where id <= 2147483640 and id > 199
-- case: two texts
update orders set note = 'two' where status = 'new' and note <> 'a' or status = 'paid' and note <> 'b'
-- case: above the mean of the table
update orders set note = 'much' where amount > (select avg(amount) from orders)
-- case: the least of the table
delete from orders where id = (select min(id) from orders)
-- case: an open end
update orders set note = 'open' where placed = 'infinity'
-- case: the first letter
update orders set note = 'n' where left(status, 1) = 'n'
-- case: among customers of a country
update orders set note = 'fr' where customer_id in (select id from customers where country = 'fr')
-- case: a place on the first page
delete from orders where ctid < '(0,3)'
-- case: a bound just below nothing
update orders set note = 'some' where id <= -1 or id > 195
-- case: above what is just below nothing
delete from orders where id > -1 and id < 3
