SET SESSION TIMEZONE TO 'UTC'
-- next
SHOW TIMEZONE
-- next
SELECT 1 AS one
-- next
SELECT n.nspname AS schema, c.relname AS name, obj_description(c.oid) AS description,
  CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW'
    WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' END AS type,
  greatest(c.reltuples, 0)::bigint AS estimated_row_count
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid
WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm') AND NOT c.relispartition
  AND n.nspname !~ '^information_schema|catalog_history|pg_' ORDER BY type, schema, name
-- next
WITH table_privileges AS (
  SELECT NULL AS role, t.schemaname AS schema, t.objectname AS table,
    pg_catalog.has_any_column_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'update') AS "update",
    pg_catalog.has_any_column_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'select') AS "select",
    pg_catalog.has_table_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'delete') AS "delete"
  FROM (SELECT schemaname, tablename AS objectname FROM pg_catalog.pg_tables
        UNION SELECT schemaname, viewname FROM pg_catalog.pg_views
        UNION SELECT schemaname, matviewname FROM pg_catalog.pg_matviews) t
  WHERE t.schemaname !~ '^pg_' AND t.schemaname <> 'information_schema'
    AND pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage'))
SELECT * FROM table_privileges WHERE "select" ORDER BY schema, "table"
-- next
SELECT c.column_name AS name,
  CASE WHEN c.udt_schema IN ('public', 'pg_catalog') THEN format('%s', c.udt_name)
    ELSE format('"%s"."%s"', c.udt_schema, c.udt_name) END AS "database-type",
  c.ordinal_position - 1 AS "database-position", c.table_schema AS "table-schema", c.table_name AS "table-name",
  pk.column_name IS NOT NULL AS "pk?",
  col_description(CAST(CAST(format('%I.%I', CAST(c.table_schema AS text), CAST(c.table_name AS text)) AS regclass) AS oid), c.ordinal_position) AS "field-comment",
  (c.column_default IS NULL OR lower(c.column_default) = 'null') AND c.is_nullable = 'NO'
    AND NOT (c.is_identity = 'YES') AS "database-required",
  c.is_identity = 'YES' AS "database-is-auto-increment"
FROM information_schema.columns c
LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name
    FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kc
      ON tc.constraint_name = kc.constraint_name AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name
    WHERE tc.constraint_type = 'PRIMARY KEY') pk
  ON c.table_schema = pk.table_schema AND c.table_name = pk.table_name AND c.column_name = pk.column_name
WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_schema IN ('public')
ORDER BY "table-schema", "table-name", "database-position"
-- next
SELECT fkn.nspname AS "fk-table-schema", fkt.relname AS "fk-table-name", fkc.attname AS "fk-column-name",
  pkn.nspname AS "pk-table-schema", pkt.relname AS "pk-table-name", pkc.attname AS "pk-column-name"
FROM pg_constraint c
JOIN pg_class fkt ON c.conrelid = fkt.oid JOIN pg_namespace fkn ON c.connamespace = fkn.oid
JOIN pg_attribute fkc ON c.conrelid = fkc.attrelid
JOIN pg_class pkt ON c.confrelid = pkt.oid JOIN pg_namespace pkn ON pkt.relnamespace = pkn.oid
JOIN pg_attribute pkc ON c.confrelid = pkc.attrelid
WHERE fkn.nspname !~ '^information_schema|catalog_history|pg_' AND c.contype = 'f'
  AND fkc.attnum = ANY (c.conkey) AND pkc.attnum = ANY (c.confkey)
  AND array_position(c.conkey, fkc.attnum) = array_position(c.confkey, pkc.attnum)
ORDER BY 1, 2, 3
-- next
SELECT tmp.schema AS "table-schema", tmp.name AS "table-name", trim(BOTH '"' FROM pg_catalog.pg_get_indexdef(tmp.ci_oid, tmp.pos, false)) AS "field-name"
FROM (SELECT n.nspname AS schema, ct.relname AS name, ci.oid AS ci_oid,
    (information_schema._pg_expandarray(i.indkey)).n AS pos, i.indpred
  FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_namespace n ON ct.relnamespace = n.oid
  JOIN pg_catalog.pg_index i ON ct.oid = i.indrelid JOIN pg_catalog.pg_class ci ON ci.oid = i.indexrelid) tmp
WHERE tmp.pos = 1 AND tmp.indpred IS NULL AND tmp.schema !~ '^information_schema|pg_' ORDER BY 1, 2, 3
-- next
SELECT nspname, typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid IN (SELECT DISTINCT enumtypid FROM pg_enum)
-- next
SELECT TRUE AS "_" FROM "public"."orders" WHERE 1 <> 1 LIMIT 0
-- next
SELECT "public"."orders"."id" AS "id", "public"."orders"."status" AS "status", "public"."orders"."placed" AS "placed"
FROM "public"."orders" LIMIT 10000
-- next
SELECT count(distinct "public"."orders"."status") AS "count" FROM "public"."orders"
-- next
SELECT CAST(date_trunc('month', "public"."orders"."placed") AS date) AS "placed", SUM("public"."orders"."amount") AS "sum"
FROM "public"."orders"
WHERE "public"."orders"."placed" >= date_trunc('month', timestamp '2026-02-15 00:00:00')
GROUP BY CAST(date_trunc('month', "public"."orders"."placed") AS date) ORDER BY 1 ASC
-- next
SELECT SUBSTRING("public"."products"."title", 1, 1234) AS "substring1" FROM "public"."products" ORDER BY 1 LIMIT 10000
