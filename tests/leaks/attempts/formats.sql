select * from formats;

select personal_data from formats;

select personal_data -> 'mail', personal_data::text, akeys(personal_data) from formats;

select secret from formats;

select secret::text, xpath('//text()', secret) from formats;

select session_token from formats;

select session_token::text, session_token::jsonb from formats;

select json_object_keys(session_token) from formats;

select phone from formats;

select lower(phone), upper(phone), phone::text, phone * phone from formats;

select mobile from formats;

select unnest(mobile), mobile::text, range_merge(mobile) from formats;

select birth_date from formats;

select lower(birth_date), birth_date::text from formats;

select birth_dates, birth_dates[1], birth_dates::text from formats;

select born_at, date_of_birth from formats;

select born_at::text, date_of_birth::date, born_at at time zone 'UTC' from formats;

select tax_id, tax_id[1], tax_id::text from formats;

select unnest(tax_id) from formats;

-- quiet
select pin_code, pin_code::bit(64)::int8 from formats;

select client_ip, mac_address, ip_addresses from formats;

select host(client_ip), mac_address::text, ip_addresses[1]::text from formats;

select api_keys, api_keys::text, unnest(api_keys) from formats;

-- quiet
select passport from formats;

select password, password::text from formats;

select card_numbers, card_numbers::text[] from formats;

select backup_codes, backup_codes[1][2], backup_codes[1:1], backup_codes::text from formats;

select avatar_tokens, avatar_tokens[1], encode(avatar_tokens[1], 'hex') from formats;

select billing_address, billing_address[1], billing_address[1] ->> 'a' from formats;

select iban, iban[1]::text from formats;

select email, email::text, strip(email) from formats;

select tsvector_to_array(email), unnest(email) from formats;

select home_address, home_address::text, home_address[0] from formats;

select national_id, national_id::text, national_id::numeric from formats;

select recovery_codes, recovery_codes[1] -> 'k', recovery_codes::text from formats;

select f from formats f;

select to_jsonb(f) from formats f;

select f::text from formats f;

select array_agg(f) from formats f;

select min(born_at), max(date_of_birth), min(birth_dates), max(tax_id) from formats;

select home_address, addresses, row(home_address, addresses) from people;

select array[home_address, home_address] from people;

select array_agg(home_address), array_agg(birth_date), array_agg(last_ip), array_agg(api_key) from people;

select int8range(mobile, null), numrange(card_number, null), daterange(birth_date, null) from people;

select tstzrange(born_at, null), tsrange(date_of_birth, null) from formats;

select array[int8range(mobile, null)], multirange(int8range(mobile, mobile + 1)) from people;

select repeat(email, 30000) from people;

select string_agg(repeat(email, 100), '') from people, generate_series(1, 100);

select email, repeat('. ', 40000), phone from people, generate_series(1, 20);

select array_agg(email) from people, generate_series(1, 500);

select row(phone, mobile, personal_data, birth_date), array[row(email, phone)] from formats;

select array[phone], array[mobile], array[personal_data], array[birth_date] from formats;

select p, home_address, array[p] from people p;

select (p.home_address).street, (p.addresses[1]), p.addresses[1:1] from people p;

select row(row(row(email, home_address), addresses), phone) from people;
