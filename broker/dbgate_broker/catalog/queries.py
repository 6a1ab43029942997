"""The queries that read a catalog from pg_catalog, all within one read-only snapshot."""

from __future__ import annotations

from typing import Final, LiteralString

MAX_RELATIONS: Final = 50_000
MAX_COLUMNS: Final = 500_000
"""A database with more is refused (54000): its catalog would cost hundreds of megabytes."""

PURE_EXTENSIONS: Final = (
    "amcheck", "btree_gin", "btree_gist", "citext", "cube", "dict_int", "dict_xsyn",
    "earthdistance", "fuzzystrmatch", "hstore", "intarray", "isn", "ltree", "pg_trgm",
    "pgcrypto", "plpgsql", "postgis", "postgis_topology", "seg", "tcn", "unaccent", "uuid-ossp",
    "vector",
)  # fmt: skip
"""Extensions whose functions compute from their arguments and read no table."""

APPLICATION: Final = "dbgate-catalog"
"""The application_name under which the broker itself reads, as the session's database user."""

RELATIONS: Final[LiteralString] = """
SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text,
       CASE WHEN c.relkind NOT IN ('v', 'm') THEN '' WHEN c.oid = ANY (%(locked)s::oid[]) THEN '''locked'
            ELSE pg_catalog.pg_get_viewdef(c.oid) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND (n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
       OR n.nspname = 'pg_catalog' AND c.relname = ANY (%(system)s))
ORDER BY c.oid LIMIT 50001
"""

COLUMNS: Final[LiteralString] = """
SELECT c.oid::int8, a.attnum::int4, a.attname::text, a.atttypid::int8,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       COALESCE(d.description, ''),
       CASE WHEN a.attgenerated = '' THEN '' WHEN c.oid = ANY (%(locked)s::oid[]) THEN '''locked' ELSE
         (SELECT pg_catalog.pg_get_expr(f.adbin, f.adrelid) FROM pg_catalog.pg_attrdef f
          WHERE f.adrelid = c.oid AND f.adnum = a.attnum) END,
       a.attnotnull
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.objsubid = a.attnum AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
       OR n.nspname = 'pg_catalog' AND c.relname = ANY (%(system)s))
ORDER BY c.oid, a.attnum LIMIT 500001
"""

FUNCTIONS: Final[LiteralString] = """
SELECT DISTINCT p.proname::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
      AND d.deptype = 'e' AND e.extname = ANY (%(pure)s))
ORDER BY 1
"""

TYPES: Final[LiteralString] = """
SELECT t.oid::int8, t.typarray::int8, t.typbasetype::int8, t.typname::text
FROM pg_catalog.pg_type t
WHERE t.typtype = 'd' OR t.typname = 'citext'
ORDER BY t.oid
"""

SHAPES: Final[LiteralString] = """
SELECT t.oid::int8, t.typarray::int8, c.relkind::text, c.oid::int8,
       CASE WHEN c.relkind <> 'c' THEN '{}' ELSE
         ARRAY(SELECT a.atttypid::int8 FROM pg_catalog.pg_attribute a
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) END
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.typtype = 'c' AND c.relkind IN ('c', 'r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
UNION ALL
SELECT t.oid::int8, t.typarray::int8, t.typtype::text, 0, ARRAY[r.rngsubtype::int8]
FROM pg_catalog.pg_range r
JOIN pg_catalog.pg_type t
  ON t.oid IN (r.rngtypid, (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::pg_catalog.oid)
WHERE t.oid >= 16384
UNION ALL
SELECT t.oid::int8, t.typarray::int8, 'hstore', 0, '{}'
FROM pg_catalog.pg_type t WHERE t.typname = 'hstore' AND t.typtype = 'b'
ORDER BY 1 LIMIT 100000
"""
"""What types are made of; a table's row has its columns. What is left out has no mask but NULL.

PostgreSQL 13 has no multiranges.
"""

LOCKED: Final[LiteralString] = """
WITH locked AS (
  SELECT l.relation AS oid FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_database d ON d.oid = l.database
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND d.datname = pg_catalog.current_database()
), behind AS (
  SELECT d.objid AS oid FROM pg_catalog.pg_depend d JOIN locked k ON k.oid = d.refobjid
  WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
)
SELECT oid::int8 FROM locked UNION SELECT oid::int8 FROM behind
UNION SELECT r.ev_class::int8 FROM pg_catalog.pg_rewrite r JOIN behind b ON b.oid = r.oid
"""
"""OIDs of relations that others hold locked, or wait to lock, and of what is defined over them.

PostgreSQL writes no definition out that needs a lock on one of these: it waits. The other queries
give the text `'locked` for it, which is no SQL, so that nothing is taken for understood.
"""

ALL: Final = (RELATIONS, COLUMNS, FUNCTIONS, TYPES, SHAPES)
"""In the order in which they are asked."""
