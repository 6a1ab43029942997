SELECT current_setting('server_version_num')::int / 100 AS version
-- next
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'
-- next
SELECT CASE WHEN quote_ident(table_schema) IN (
    SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
    FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
                         array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i,
         string_to_array(current_setting('search_path'), ',') s)
  THEN quote_ident(table_name)
  ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
FROM information_schema.tables
WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache')
ORDER BY 1
-- next
SELECT quote_ident(column_name) AS "column", data_type AS "type"
FROM information_schema.columns
WHERE CASE WHEN array_length(parse_ident('public.orders'), 1) = 2
  THEN quote_ident(table_schema) = (parse_ident('public.orders'))[1] AND quote_ident(table_name) = (parse_ident('public.orders'))[2]
  ELSE quote_ident(table_name) = 'public.orders' END
-- next
SELECT 1
-- next
SELECT floor(extract(epoch FROM placed) / 86400) * 86400 AS "time", status AS metric, sum(amount) AS "value"
FROM orders
WHERE placed BETWEEN '2026-01-01T00:00:00Z' AND '2026-12-31T00:00:00Z'
GROUP BY 1, 2 ORDER BY 1, 2
-- next
SELECT DISTINCT status AS __text, status AS __value FROM orders LIMIT 1000
