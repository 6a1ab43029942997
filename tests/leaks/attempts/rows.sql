select p from people p;

select people from people;

select p::text from people p;

select (p).email from people p;

select (p).* from people p;

select p.*::text from people p;

select row(p.*) from people p;

select row(p.*)::text from people p;

select row(email, 1)::text from people;

select (row(email, phone)) from people;

select row_to_json(p) from people p;

select row_to_json(row(email)) from people;

select (q.it).email from whole q;

select it from whole;

select (it).* from whole;

select it::text from whole;

select array_agg(p) from people p;

select array(select p from people p);

select (array_agg(p))[1] from people p;

select (array_agg(p order by id))[1]::text from people p;

select email(p) from people p;

select city(p), phone(p) from people p;

select unnest(array_agg(p)) from people p;

select (unnest(array_agg(p))).email from people p;

select jsonb_populate_record(null::people, to_jsonb(p)) from people p;

select (jsonb_populate_record(null::people, to_jsonb(p))).phone from people p;

select (json_populate_record(p, '{"city":"x"}')).* from people p;

select hstore(p) from people p;

select hstore(p) -> 'email' from people p;

select (hstore(p) -> array['email', 'phone']) from people p;

select key, value from people p, each(hstore(p));

select svals(hstore(p)) from people p;

select (null::people #= hstore(p)).email from people p;

select record_out(p) from people p;

select q.a from people as q (a0, a);

select s.x::text from (select p as x from people p) s;

select (s.x).phone from (select p as x from people p) s;

select coalesce(p, p) from people p;

select case when true then p end from people p;

select p from people p order by id limit 1;

select max(p::text) from people p;

select format('%s', p) from people p;

select textin(record_out(p)) from people p;

-- quiet
select p > row(p.*) , hash_record(p) from people p;
