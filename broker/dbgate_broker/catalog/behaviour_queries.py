"""The queries that read what a database does by itself, in the snapshot of the catalog's others.

Node trees (`adbin`, `conbin` ...) are looked at as text for calls of functions, so that only the few
expressions that can do something are deparsed and sent.
"""

from __future__ import annotations

from typing import Final, LiteralString

MAX_ROUTINES: Final = 20_000
MAX_HOOKS: Final = 100_000
"""Rows of each query; a database with more is refused (54000), as one with too many relations is."""
MAX_DEFINITION_CHARS: Final = 32_768
MAX_DEFINITIONS_CHARS: Final = 16_777_216
"""Of one body and of all together. What is longer is not read, so its calls are not followed."""

ROUTINES: Final[LiteralString] = f"""
SELECT q.oid, q.schema, q.name, q.language, q.volatility, q.definer, q.procedure,
       CASE WHEN q.oid::pg_catalog.oid = ANY (%(locked)s::oid[]) THEN '''locked'
            WHEN q.readable AND q.before <= {MAX_DEFINITIONS_CHARS}
            THEN pg_catalog.pg_get_functiondef(q.oid::pg_catalog.oid) ELSE '' END
FROM (
  SELECT p.oid::int8 AS oid, n.nspname::text AS schema, p.proname::text AS name,
         l.lanname::text AS language, p.provolatile::text AS volatility,
         p.prosecdef AS definer, p.prokind = 'p' AS procedure,
         f.readable, sum(CASE WHEN f.readable THEN f.size ELSE 0 END) OVER (ORDER BY p.oid) AS before
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang,
  LATERAL (SELECT pg_catalog.length(p.prosrc) AS size,
                  l.lanname IN ('sql', 'plpgsql') AND p.prokind IN ('f', 'p')
                  AND pg_catalog.length(p.prosrc) <= {MAX_DEFINITION_CHARS} AS readable) f
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
        AND d.deptype = 'e' AND e.extname = ANY (%(pure)s))
  ORDER BY p.oid LIMIT {MAX_ROUTINES + 1}
) q ORDER BY q.oid
"""  # noqa: S608 - the parts are numbers of this file
"""As `queries.FUNCTIONS`: not those of extensions that compute from their arguments alone."""

TRIGGERS: Final[LiteralString] = """
SELECT t.tgrelid::int8, t.tgtype::int4, t.tgfoid::int8,
       CASE WHEN t.tgqual IS NULL THEN '' WHEN t.tgrelid = ANY (%(locked)s::oid[]) THEN '''locked'
            ELSE pg_catalog.pg_get_triggerdef(t.oid) END
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE t.tgenabled <> 'D' AND n.nspname <> 'pg_catalog'
UNION ALL
SELECT 0, 65536, e.evtfoid::int8, ''
FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid
WHERE e.evtenabled <> 'D' AND e.evtevent <> 'login'
ORDER BY 1, 2, 3, 4 LIMIT 100001
"""
"""Those of pg_catalog keep foreign keys, or compute from the row. Event triggers have a bit of ours."""

RULES: Final[LiteralString] = """
SELECT r.ev_class::int8, r.ev_type::text,
       CASE WHEN r.oid = ANY (%(locked)s::oid[]) OR r.ev_class = ANY (%(locked)s::oid[]) THEN '''locked'
            ELSE pg_catalog.pg_get_ruledef(r.oid) END
FROM pg_catalog.pg_rewrite r
WHERE r.rulename <> '_RETURN' AND r.ev_enabled <> 'D' AND r.oid >= 16384
ORDER BY r.oid LIMIT 100001
"""

EXPRESSIONS: Final[LiteralString] = r"""
SELECT d.adrelid::int8, 'aw',
       CASE WHEN d.adrelid = ANY (%(locked)s::oid[]) THEN '''locked'
            ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid) END
FROM pg_catalog.pg_attrdef d
WHERE (pg_catalog.strpos(d.adbin::text, '{FUNCEXPR') > 0 OR d.adbin::text ~ '(opfuncid|resulttype) [0-9]{5}')
  AND d.adbin::text !~ '^(\{FUNCEXPR :funcid (480|714) [^{]*)?\{FUNCEXPR :funcid (1574|1299|3432) [^{]*(\{CONST [^{]*)?$'
UNION ALL
SELECT c.conrelid::int8, 'aw',
       CASE WHEN c.conrelid = ANY (%(locked)s::oid[]) THEN '''locked'
            ELSE pg_catalog.pg_get_expr(c.conbin, c.conrelid) END
FROM pg_catalog.pg_constraint c
WHERE c.contype = 'c' AND c.conrelid <> 0
  AND c.conbin::text ~ '\{FUNCEXPR|opfuncid [0-9]{5}'
UNION ALL
SELECT i.indrelid::int8, 'awu',
       CASE WHEN i.indrelid = ANY (%(locked)s::oid[]) THEN '''locked'
            ELSE pg_catalog.pg_get_expr(e.tree, i.indrelid) END
FROM pg_catalog.pg_index i, LATERAL (VALUES (i.indexprs), (i.indpred)) e (tree)
WHERE e.tree::text ~ '(funcid|opfuncid) [0-9]{5}'
UNION ALL
SELECT s.stxrelid::int8, 'u',
       CASE WHEN s.stxrelid = ANY (%(locked)s::oid[]) OR s.oid = ANY (%(locked)s::oid[]) THEN '''locked'
            ELSE pg_catalog.pg_get_statisticsobjdef(s.oid) END
FROM pg_catalog.pg_statistic_ext s
WHERE pg_catalog.to_jsonb(s) ->> 'stxexprs' ~ '(funcid|opfuncid) [0-9]{5}'
UNION ALL
SELECT p.polrelid::int8, p.polcmd::text,
       CASE WHEN p.polrelid = ANY (%(locked)s::oid[]) OR p.oid = ANY (%(locked)s::oid[]) THEN '''locked'
            ELSE pg_catalog.pg_get_expr(e.tree, p.polrelid) END
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid,
     LATERAL (VALUES (p.polqual), (p.polwithcheck)) e (tree)
WHERE c.relrowsecurity AND e.tree::text ~ '\{(FUNCEXPR|SUBLINK)|opfuncid [0-9]{5}'
LIMIT 100001
"""
"""With the letters of pg_policy for what sets one off: (a)dd, (w)rite, (d)elete, (r)ead, * all;
and (u)pkeep. PostgreSQL 13 has no expressions in statistics.

Left out: a default that is no more than nextval(sequence), as bigint or cast to what a serial is,
now() or gen_random_uuid(). Functions' OIDs below 10000 are the same in all versions (pg_proc.dat).
"""

REFERENCES: Final[LiteralString] = """
SELECT c.confrelid::int8, c.conrelid::int8, c.confdeltype::text, c.confupdtype::text,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.confrelid AND a.attnum = ANY (c.confkey)),
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey))
FROM pg_catalog.pg_constraint c WHERE c.contype = 'f'
ORDER BY c.oid LIMIT 100001
"""

INHERITS: Final[LiteralString] = """
SELECT i.inhparent::int8, i.inhrelid::int8
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
WHERE c.relkind IN ('r', 'p', 'f') ORDER BY 1, 2 LIMIT 100001
"""

OPERATORS: Final[LiteralString] = """
SELECT o.oprname::text, p.oid::int8
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE o.oid >= 16384 AND n.nspname <> 'pg_catalog'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
      AND d.deptype = 'e' AND e.extname = ANY (%(pure)s))
ORDER BY o.oid LIMIT 100001
"""

CASTS: Final[LiteralString] = r"""
SELECT t.oid::int8, t.typname::text, p.oid::int8, ''
FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_type t ON t.oid IN (c.castsource, c.casttarget)
WHERE c.oid >= 16384 AND n.nspname <> 'pg_catalog'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
      AND d.deptype = 'e' AND e.extname = ANY (%(pure)s))
UNION ALL
SELECT t.oid::int8, t.typname::text, 0, pg_catalog.pg_get_expr(k.conbin, 0)
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_type t ON t.oid = k.contypid
WHERE k.contype = 'c' AND k.conbin::text ~ '\{FUNCEXPR|opfuncid [0-9]{5}'
LIMIT 100001
"""
"""Functions behind casts from or to a type, and the checks of domains."""
