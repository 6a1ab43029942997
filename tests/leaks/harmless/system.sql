show server_version;

show search_path;

show datestyle;

select current_setting('server_version_num');

select version();

select relname, relkind from pg_class where relname in ('people', 'products') order by 1;

select c.relname || '' from pg_catalog.pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname = 'public' order by 1;

select table_name from information_schema.tables where table_schema = 'public' order by 1;

select column_name, data_type from information_schema.columns where table_name = 'people' order by ordinal_position;

select attname, n_distinct, null_frac from pg_stats where tablename = 'products' order by 1;

select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'people'::regclass and attnum > 0 order by attnum;

select pg_get_viewdef('contacts'::regclass);

select pg_get_indexdef(indexrelid) from pg_index where indrelid = 'people'::regclass order by 1;

select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'people'::regclass order by 1;

select conname from pg_constraint where conrelid = 'logins'::regclass;

select n.nspname, c.relname, case c.relkind when 'r' then 'table' when 'v' then 'view' end from pg_class c left join pg_namespace n on n.oid = c.relnamespace where pg_table_is_visible(c.oid) and n.nspname = 'public' order by 1, 2;

select a.attname, (select pg_get_expr(d.adbin, d.adrelid, true) from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum and a.atthasdef) from pg_attribute a where a.attrelid = 'people'::regclass and a.attnum > 0 order by a.attnum;

select typname, typtype from pg_type where typname in ('mood', 'place') order by 1;

select enumlabel from pg_enum order by enumsortorder;

select proname from pg_proc where proname = 'lower' order by 1;

select extname from pg_extension order by 1;

select rolname from pg_roles where rolname = 'ephemeral';

select datname from pg_database where datname = 'postgres';

select name, setting from pg_settings where name = 'block_size';

select has_table_privilege('people', 'select');

select 'people'::regclass, to_regclass('nosuch');

select obj_description('people'::regclass), col_description('people'::regclass, 1);

explain (costs off) select email from people;

explain (costs off, format json) select upper(email) from people where phone like 'a%';

explain (costs off, timing off, summary off, analyze) select count(*) from products;

explain (verbose, costs off) select title from products;

explain (costs off) update people set city = 'x';
