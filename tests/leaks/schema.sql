-- What the corpus runs against. Each statement ends with a semicolon at the end of a line.
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE DOMAIN contact_email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN work_email AS contact_email;
CREATE TYPE mood AS ENUM ('fine', 'sad');
CREATE TYPE place AS (street text, zip text, floor int);

CREATE TABLE people (
  id int PRIMARY KEY, email text UNIQUE, phone varchar(40) CHECK (length(phone) > 3), mobile bigint,
  first_name text, last_name citext, street_address text, birth_date date, ssn text,
  card_number numeric, iban text, password_hash char(40), api_key uuid, last_ip inet,
  billing_address jsonb, emails text[], mobile_numbers bigint[], work_mail work_email,
  work_mails contact_email[], avatar_token bytea, home_address place, addresses place[],
  city text, feeling mood, is_email_verified boolean, login_count int, created_at timestamptz,
  score numeric, tags text[], shade text GENERATED ALWAYS AS (lower(email)) STORED);

-- The formats that a class can live in.
CREATE TABLE formats (
  id int PRIMARY KEY, personal_data hstore, secret xml, session_token json, phone int8range,
  mobile int8multirange, birth_date daterange, birth_dates date[], born_at timestamptz,
  date_of_birth timestamp, tax_id numeric[], pin_code varbit, client_ip cidr, mac_address macaddr,
  ip_addresses inet[], api_keys uuid[], passport "char"[], password bpchar(40), card_numbers numeric[],
  backup_codes text[][], avatar_tokens bytea[], billing_address jsonb[], iban citext[],
  email tsvector, home_address point, national_id float8, recovery_codes hstore[], kind text);

CREATE TABLE products (id int PRIMARY KEY, title text, price numeric, added date, tags text[]);
CREATE TABLE orders (id int PRIMARY KEY, person_id int REFERENCES people, product_id int, total numeric);
CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY, body text);
CREATE TABLE amounts (id int, amount bigint);
CREATE TABLE logins (id int, mail text REFERENCES people (email));
CREATE TABLE email (id int, email text);
CREATE TABLE deferred (email text UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE clients (id int, name text) PARTITION BY RANGE (id);
CREATE TABLE part_one PARTITION OF clients FOR VALUES FROM (0) TO (100);
CREATE TABLE older (kept text) INHERITS (people);

CREATE VIEW contacts AS SELECT id, email AS handle, upper(email) AS loud, city FROM people;
CREATE VIEW contacts_again AS SELECT c.*, length(loud) AS size FROM contacts c;
CREATE VIEW counts AS SELECT city, count(*) AS persons, max(login_count) AS most FROM people GROUP BY city;
CREATE VIEW everyone AS SELECT id, email AS x FROM people UNION ALL SELECT id, title FROM products;
CREATE VIEW whole AS SELECT p AS it FROM people p;
CREATE VIEW joined AS SELECT o.id, p.ssn AS code, o.total FROM orders o JOIN people p ON p.id = o.person_id;
CREATE VIEW tree AS WITH RECURSIVE r(n, x) AS (SELECT 1, NULL::text UNION ALL
  SELECT n + 1, (SELECT email FROM people WHERE id = n) FROM r WHERE n < 4) SELECT n, x FROM r;
CREATE MATERIALIZED VIEW snapshot AS SELECT id, ssn AS code, city FROM people WITH NO DATA;

CREATE FUNCTION all_mail() RETURNS SETOF text LANGUAGE sql STABLE
  AS 'SELECT email FROM public.people';
CREATE FUNCTION mail_of(int) RETURNS text LANGUAGE sql STABLE
  AS 'SELECT email FROM public.people WHERE id = $1';
CREATE FUNCTION one_mail() RETURNS text LANGUAGE plpgsql IMMUTABLE
  AS 'BEGIN RETURN (SELECT email FROM public.people WHERE id = 1); END';
CREATE FUNCTION say_mail() RETURNS int LANGUAGE plpgsql
  AS 'BEGIN RAISE NOTICE ''%'', (SELECT email FROM public.people WHERE id = 1); RETURN 1; END';
CREATE FUNCTION cry_mail() RETURNS int LANGUAGE plpgsql
  AS 'BEGIN RAISE EXCEPTION ''%'', (SELECT email FROM public.people WHERE id = 1)
      USING DETAIL = (SELECT phone FROM public.people WHERE id = 1), HINT = (SELECT ssn FROM public.people WHERE id = 1); END';
CREATE FUNCTION opens(name refcursor) RETURNS refcursor LANGUAGE plpgsql
  AS 'BEGIN OPEN name FOR SELECT email FROM public.people ORDER BY id; RETURN name; END';
CREATE FUNCTION person(int) RETURNS people LANGUAGE sql STABLE
  AS 'SELECT * FROM public.people WHERE id = $1';
CREATE FUNCTION both_of(int, OUT a text, OUT b text) LANGUAGE sql STABLE
  AS 'SELECT email, phone FROM public.people WHERE id = $1';
CREATE PROCEDURE tell(INOUT x text) LANGUAGE plpgsql
  AS 'BEGIN x := (SELECT email FROM public.people WHERE id = 1); END';
CREATE FUNCTION echo(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION rings() RETURNS trigger LANGUAGE plpgsql
  AS 'BEGIN PERFORM pg_notify(''news'', (SELECT email FROM public.people WHERE id = 1)); RETURN NEW; END';
CREATE TABLE bells (id int);
CREATE TRIGGER rings BEFORE INSERT ON bells FOR EACH ROW EXECUTE FUNCTION rings();
CREATE FUNCTION fills() RETURNS trigger LANGUAGE plpgsql
  AS 'BEGIN NEW.body := (SELECT email FROM public.people WHERE id = 1); RETURN NEW; END';
CREATE TABLE filled (id int, body text);
CREATE TRIGGER fills BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fills();
-- What triggers and rules leave in columns whose names say nothing.
CREATE TABLE trail (n int GENERATED ALWAYS AS IDENTITY, op text, tab text, was jsonb, what text, at timestamptz DEFAULT now());
CREATE TABLE enrolled (id int, email text, phone text, slug text, label text, code text, words tsvector, changed timestamptz, size int);
CREATE FUNCTION slugged(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(replace($1, '' '', ''-''))';
CREATE FUNCTION enrolls() RETURNS trigger LANGUAGE plpgsql AS '
  DECLARE v text := upper(NEW.email); r record; n int; BEGIN NEW.label := v; NEW.changed := now(); NEW.slug := slugged(''A b''); NEW.size := 3; SELECT NEW.phone, 1 INTO NEW.code, n; INSERT INTO trail (op, tab, was) VALUES (TG_OP, TG_TABLE_NAME, to_jsonb(NEW)); FOR r IN SELECT ssn AS x FROM people WHERE id = 1 LOOP INSERT INTO trail (op, tab, what) VALUES (TG_OP, TG_TABLE_NAME, r.x); END LOOP; RETURN NEW; END';
CREATE TRIGGER enrolls BEFORE INSERT OR UPDATE ON enrolled FOR EACH ROW EXECUTE FUNCTION enrolls();
CREATE TRIGGER enrolls_words BEFORE INSERT OR UPDATE ON enrolled FOR EACH ROW
  EXECUTE FUNCTION tsvector_update_trigger(words, 'pg_catalog.simple', email);
CREATE TABLE copied (id int, kept text, made int);
CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql
  AS 'BEGIN INSERT INTO copied SELECT id, email, 1 FROM fresh; RETURN NULL; END';
CREATE TRIGGER copies AFTER INSERT ON enrolled REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION copies();
CREATE TABLE swapped (id int, iban text, other text);
CREATE FUNCTION swaps() RETURNS trigger LANGUAGE plpgsql
  AS 'DECLARE r swapped; BEGIN r := NEW; r.other := NEW.iban; r.iban := NULL; RETURN r; END';
CREATE TRIGGER swaps BEFORE INSERT ON swapped FOR EACH ROW EXECUTE FUNCTION swaps();
CREATE TABLE ruled (id int, email text);
CREATE TABLE by_rule (id int, seen text);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO by_rule VALUES (NEW.id, NEW.email);
CREATE TABLE handed (id int, email text);
CREATE TABLE by_hand (id int, seen text);
CREATE FUNCTION hand_over(int, text) RETURNS void LANGUAGE sql AS 'INSERT INTO public.by_hand VALUES ($1, $2)';
CREATE FUNCTION hands() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM hand_over(NEW.id, NEW.email); RETURN NEW; END';
CREATE TRIGGER hands AFTER INSERT ON handed FOR EACH ROW EXECUTE FUNCTION hands();
CREATE TABLE jots (id int, seen text);
CREATE FUNCTION jot(int, text) RETURNS void LANGUAGE sql AS 'INSERT INTO public.jots VALUES ($1, $2)';
CREATE FUNCTION jot_mail() RETURNS void LANGUAGE sql AS 'INSERT INTO public.jots SELECT 1, email FROM public.people WHERE id = 1';
CREATE FUNCTION fetches(c refcursor) RETURNS text LANGUAGE plpgsql AS 'DECLARE v text; BEGIN FETCH c INTO v; RETURN v; END';
CREATE FUNCTION fetches_by(text) RETURNS text LANGUAGE plpgsql AS 'DECLARE c refcursor := $1; v text; BEGIN FETCH NEXT FROM c INTO v; RETURN v; END';
CREATE FUNCTION caught(text) RETURNS text LANGUAGE plpgsql
  AS 'BEGIN PERFORM $1::int; RETURN ''a number''; EXCEPTION WHEN others THEN RETURN SQLERRM; END';
CREATE FUNCTION last_word() RETURNS text LANGUAGE sql AS 'SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()';
CREATE TABLE below_filled (more text) INHERITS (filled);
CREATE VIEW trail_again AS SELECT n, what AS it FROM trail;
CREATE AGGREGATE glued(text) (SFUNC = textcat, STYPE = text);
CREATE INDEX ON people (upper(email));
CREATE STATISTICS on_people (mcv) ON city, email FROM people;
