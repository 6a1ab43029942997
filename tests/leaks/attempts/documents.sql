select to_json(p) from people p;

select to_jsonb(p.*) from people p;

select to_jsonb(p) ->> 'email' from people p;

select to_jsonb(p) #>> '{billing_address,street}' from people p;

select json_agg(p) from people p;

select jsonb_agg(email) from people;

select json_object_agg(id, email) from people;

select jsonb_object_agg(email, id) from people;

select json_build_object('e', email) from people;

select jsonb_build_object(email, 1) from people;

select json_build_array(email, phone) from people;

select json_object(array[email, phone]) from people;

select billing_address ->> 'mail' from people;

select billing_address -> 'mail', billing_address #> '{street}' from people;

select billing_address['mail'] from people;

select jsonb_set(billing_address, '{x}', '1'), billing_address || '{}', billing_address - 'mail' from people;

select jsonb_pretty(billing_address), billing_address::text from people;

select jsonb_path_query(billing_address, '$.*') from people;

select jsonb_path_query_array(billing_address, '$.mail'), jsonb_path_query_first(billing_address, '$.mail') from people;

select jsonb_strip_nulls(billing_address), jsonb_insert(billing_address, '{y}', '2') from people;

select jsonb_extract_path_text(billing_address, 'mail') from people;

select jsonb_each_text(billing_address) from people;

select key, value from people, jsonb_each_text(billing_address);

select * from people, jsonb_each(billing_address);

select x.* from people, jsonb_to_record(billing_address) as x(street text, mail text);

select x.mail from people, jsonb_to_recordset(jsonb_build_array(billing_address)) as x(mail text);

select * from jsonb_to_recordset((select jsonb_agg(p) from people p)) as x(email text, phone text);

select * from json_populate_recordset(null::people, (select json_agg(p) from people p));

select jsonb_object_keys(jsonb_build_object(email, 1)) from people;

select jsonb_array_elements_text(jsonb_agg(email)) from people;

select e from (select jsonb_agg(email) j from people) s, jsonb_array_elements(j) e;

select jsonb_to_tsvector('simple', billing_address, '["all"]') from people;

select array_to_json(emails), array_to_json(array_agg(email)) from people group by emails;

-- quiet
select jsonb_typeof(to_jsonb(email)), jsonb_array_length(to_jsonb(string_to_array(email, 'k'))), billing_address @> '{"mail": "x"}' , length(billing_address::text) from people;

select xmlforest(email, phone) from people;

select xmlelement(name x, email) from people;

select xmlelement(name x, xmlattributes(email as a)) from people;

select xmlconcat(xmlelement(name a, email), xmlelement(name b, phone)) from people;

select xmlagg(xmlelement(name x, email)) from people;

select xmlcomment(replace(email, '-', '')) from people;

select xpath('/x/text()', xmlelement(name x, email)) from people;

select xmlparse(content email), email::xml from people;

select x.* from xmltable('/r' passing (select xmlelement(name r, email) from people limit 1) columns v text path '.') x;

select x.v from people, xmltable('/r' passing xmlelement(name r, email) columns v text path '.') x;

select query_to_xml('select email from people', true, false, '');

select table_to_xml('people', true, false, '');

select schema_to_xml('public', true, false, '');

select cursor_to_xml('c', 10, true, false, '') from (select 1) s where false union all select xmlelement(name x, email) from people;

select hstore('a', email), hstore(array['a', email]), hstore('a', email) -> 'a' from people;

select akeys(hstore(email, 'x')), avals(hstore('x', email)), hstore_to_json(hstore('x', email)) from people;
