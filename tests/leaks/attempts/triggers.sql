insert into enrolled (id, email, phone) select id, email, phone from people where id < 4;
select label from enrolled;

insert into enrolled (id, email, phone) select id, email, phone from people where id < 4 returning label, code;

insert into enrolled (id, email, phone) select id, email, phone from people where id < 4;
select words from enrolled;

insert into enrolled (id, email, phone) select id, email, phone from people where id < 4;
select was from trail;

insert into enrolled (id, email, phone) select id, email, phone from people where id < 4;
select was ->> 'label' from trail;

insert into enrolled (id) values (1);
select what from trail;

insert into enrolled (id) values (1);
select it from trail_again;

insert into enrolled (id, email) select id, email from people where id < 4;
select kept from copied;

insert into swapped (id, iban) select id, iban from people where id < 4;
select other from swapped;

insert into ruled select id, email from people where id < 4;
select seen from by_rule;

insert into handed select id, email from people where id < 4;
select seen from by_hand;

insert into below_filled (id, body) select id, email from people;
select body from below_filled;

insert into filled (id) values (1);
select body from only filled;

insert into filled (id) values (1);
copy filled to stdout;

select jot(id, email) from people where id < 4;
select seen from jots;

do $$ begin perform jot(id, email) from people where id < 4; end $$;
select seen from jots;

with w as (select jot(id, email) from people where id < 4) select * from w;
select seen from jots;

select jot_mail();
select seen from jots;

select id, jot(id, phone) is null from people where id < 4;
select seen from jots;

declare c cursor for select email from people order by id;
select fetches('c');

declare c cursor for select email from people order by id;
select fetches_by('c');

select caught(email) from people order by id;

declare c cursor for select email from people order by id;
select upper(fetches('c')), fetches('c') from products;
