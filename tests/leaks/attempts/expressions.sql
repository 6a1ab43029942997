select email || '' from people;

select upper(email) from people;

select reverse(email) from people;

-- quiet
select left(email, 3) from people;

-- quiet
select right(phone, 9) from people;

select replace(email, '@', '#') from people;

select substr(email, 1, 9), substring(email from 2 for 9), overlay(email placing 'x' from 1) from people;

select email::varchar(9) from people;

select email::name, email::bytea from people;

select encode(email::bytea, 'hex') from people;

select encode(email::bytea, 'base64') from people;

select encode(email::bytea, 'escape') from people;

select convert_to(email, 'UTF8'), convert_from(convert_to(email, 'UTF8'), 'UTF8') from people;

-- quiet
select ascii(email), length(email) from people;

-- quiet
select email > 'm' from people;

-- quiet
select email like 'g%', email ~ '^[g-m]', email similar to '[n-z]%' from people;

-- quiet
select mobile > 55000000000000, mobile % 10, mobile & 255 from people;

-- quiet
select md5(email), sha256(email::bytea), hashtext(email) from people;

select translate(email, '@', ''), trim(both 'x' from email), btrim(email), lpad(email, 40), rpad(email, 40) from people;

select initcap(email), lower(email), repeat(email, 2) from people;

select split_part(email, '@', 1) from people;

select regexp_replace(email, '@.*', '') from people;

select regexp_matches(email, '.+') from people;

select (regexp_match(email, '(.{8})(.*)'))[1] from people;

select string_to_array(email, '@') from people;

select format('%s', email), format('%I', email), format('%L', email) from people;

select concat(email, ''), concat_ws('-', first_name, last_name) from people;

select quote_literal(email), quote_ident(email), quote_nullable(email) from people;

select to_hex(mobile), mobile::text, mobile + 0, -mobile, abs(mobile), mobile::numeric * 10 from people;

select to_char(mobile, 'FM99999999999999999'), to_char(card_number, 'FM999999999999999999') from people;

select birth_date::text, to_char(birth_date, 'YYYY-MM-DD'), birth_date + 0, birth_date::timestamp from people;

-- quiet
select extract(year from birth_date), date_part('doy', birth_date), age(birth_date), isfinite(birth_date) from people;

-- quiet
select date_trunc('month', birth_date), birth_date - date '1900-01-01' from people;

select host(last_ip), text(last_ip), last_ip::text, abbrev(last_ip), network(last_ip), set_masklen(last_ip, 31) from people;

-- quiet
select last_ip - inet '1.0.0.0', inetand.x from people, lateral (select last_ip & inet '0.0.255.255' as x) inetand;

select api_key::text, replace(api_key::text, '-', '') from people;

select coalesce(email, ''), coalesce(null, email), nullif(email, '') from people;

select greatest(email, phone), least(email, '~') from people;

select case when id > 0 then email else city end from people;

select case email when 'x' then city else email end from people;

-- quiet
select case when email like 'g%' then 1 when email like 'h%' then 2 when email like 'm%' then 5 else 3 end from people;

select array[email, phone] from people;

select array[[email, phone], ['a', 'b']] from people;

select (array[email])[1] from people;

select emails[1], emails[1:2], emails || array['x'], array_append(emails, 'x'), array_to_string(emails, ',') from people where id > 0;

select array_cat(emails, emails), array_remove(emails, 'x'), array_replace(emails, null, 'n'), array_prepend('a', emails) from people;

-- quiet
select array_position(emails, 'x'), array_length(string_to_array(email, 'k'), 1) from people;

select mobile_numbers[1] + 0, mobile_numbers::text[] from people;

select email collate "C" from people;

select email::text::varchar::text from people;

select cast(email as text), text(email), email::citext::text from people;

select (email) from people;

select +mobile, @ mobile, mobile # 0, ~ ~ mobile from people;

select email at time zone 'UTC' from (select birth_date::timestamp as email from people) p;

-- quiet
select email is distinct from 'x', email = any (array['a']), email in ('a'), email between 'a' and 'm', not (email < 'm') from people;

select substring(email, '^[a-z]+'), substring(email similar '%#"@%#"' escape '#') from people;

select unistr(email), normalize(email), email is normalized from people;

select avatar_token::text, encode(avatar_token, 'hex'), substr(avatar_token, 1, 9), avatar_token || '\x00' from people;

-- quiet
select get_byte(avatar_token, 0), get_bit(avatar_token, 1), bit_count(avatar_token), octet_length(avatar_token) from people;

select to_tsvector(email), to_tsvector('simple', email), plainto_tsquery(email), to_tsvector('simple', email)::text from people;

select ts_headline('x ' || email, to_tsquery('x')), strip(to_tsvector('simple', email)) from people;

select chr(ascii(email)) || substr(email, 2) from people;

select string_agg(chr(ascii(substr(email, n, 1)) + 1), '') || email from people, generate_series(1, 20) n group by email;

select email_ from (select email as email_ from people) s;

-- quiet
select width_bucket(mobile, 50000000000000, 60000000000000, 100), ntile(3) over (order by mobile), percent_rank() over (order by email) > 0.5 and email > 'm' from people;

-- quiet
select mobile::float8 / 1e6, sqrt(mobile), ln(mobile), power(mobile, 2), round(mobile / 7.0), mod(mobile, 97) from people;

select (home_address).street, (home_address).zip from people;

select home_address::text, row(home_address), (home_address).* from people;

select (addresses[1]).street, addresses[1], addresses::text from people;

select lower(city || email), city || ' ' || first_name from people;

select xmlserialize(content xmlelement(name e, email) as text) from people;

-- quiet
select levenshtein.x from people, lateral (select strpos(email, 'k') as x) levenshtein;
