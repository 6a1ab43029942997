"""Reads samples of columns: few rows, short values, little time, read-only, and by its own user.

1. The transaction is read-only, with time limits for statements and locks, and pg_catalog alone as
   search_path, so that no name means anything of a user's.
2. Only columns of built-in types (and domains over them) are read, by expressions that call built-in
   functions alone. Row security applies as to any reader.
3. What is read stays in memory, until its column is classed.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Sequence
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from dbgate_broker.catalog.service import parameters
from dbgate_broker.classify.due import Target, family
from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import Credentials
from dbgate_core.catalog import Catalog, Column, RelationKind
from dbgate_core.masking.types import Family

MAX_ROWS: Final = 300
MAX_SCANNED_ROWS: Final = 3_000
"""Of which those are drawn."""
MAX_PAGES: Final = 40
"""Of a larger table, so many pages are read, spread over it (TABLESAMPLE SYSTEM)."""
MAX_COLUMNS: Final = 50
"""Of one statement."""
MAX_CHARS: Final = 1_024
MAX_DOCUMENT_CHARS: Final = 16_384
MAX_STORED_BYTES: Final = 131_072
"""A value that takes more on disk is passed over: it would have to be fetched whole."""
MAX_BYTES: Final = 8 * 1024 * 1024
"""Of one statement's values; further rows are not read."""
APPLICATION: Final = "dbgate-classifier"
OPTIONS: Final = "-c statement_timeout=2000 -c lock_timeout=200 -c search_path=pg_catalog"
_PAGE_BYTES: Final = 8_192
_CHUNK: Final = 50
_NO_TEXT: Final = "\ufffd"

SIZE: Final[LiteralString] = """
SELECT greatest(pg_relation_size(c.oid),
                (SELECT coalesce(sum(pg_relation_size(relid)), 0) FROM pg_partition_tree(c.oid)))::int8,
       ARRAY(SELECT a.attnum::int4 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
             AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT'))
FROM pg_class c WHERE c.oid = %s AND has_schema_privilege(c.relnamespace, 'USAGE')
"""

Values = dict[int, list[str]]
"""Sampled values by attribute number."""
Session = psycopg.AsyncConnection[TupleRow]


async def connect(database: DatabaseConfig, credentials: Credentials) -> Session:
    """A connection of the classifier's. Raises psycopg.Error."""
    settings = parameters(database, credentials)
    settings |= {"options": OPTIONS, "application_name": APPLICATION}
    connection = await psycopg.AsyncConnection.connect(**settings)
    await connection.set_read_only(True)
    return connection


async def look_up(connection: Session, relation_oid: int) -> tuple[int, frozenset[int]]:
    """A table's pages, and the attribute numbers that may be read. Raises psycopg.Error."""
    cursor = await connection.execute(SIZE, [relation_oid])
    found = await cursor.fetchone()
    if found is None:
        return 0, frozenset()
    return int(found[0]) // _PAGE_BYTES, frozenset(found[1])


def query(catalog: Catalog, target: Target, pages: int, *, spread: bool = True) -> sql.Composed:
    """The statement that samples the target's columns; without `spread`, its first pages."""
    relation = target.relation
    sampled = spread and pages > MAX_PAGES and relation.kind is not RelationKind.FOREIGN
    share = sql.Literal(round(100 * MAX_PAGES / pages, 6)) if sampled else None
    return sql.SQL(
        "SELECT * FROM (SELECT {} FROM {}{} LIMIT {}) s ORDER BY random() LIMIT {}"
    ).format(
        sql.SQL(", ").join(
            _expression(catalog, column, number) for number, column in enumerate(target.columns)
        ),
        sql.Identifier(relation.schema, relation.name),
        sql.SQL(" TABLESAMPLE SYSTEM ({})").format(share) if share else sql.SQL(""),
        sql.Literal(MAX_SCANNED_ROWS),
        sql.Literal(MAX_ROWS),
    )


def _expression(catalog: Catalog, column: Column, number: int) -> sql.Composed:
    name = sql.Identifier(column.name)
    found, array = family(catalog, column)
    if array:
        text = sql.SQL("left(array_to_string({}::text[], E'\\n'), {})").format(name, MAX_CHARS)
    elif found is Family.BYTEA:
        text = sql.SQL("substr({}, 1, {})").format(name, MAX_CHARS)
    elif found in (Family.JSON, Family.JSONB, Family.XML):
        text = sql.SQL("CASE WHEN length({0}::text) <= {1} THEN {0}::text END").format(
            name, MAX_DOCUMENT_CHARS
        )
    elif found is Family.TEXT:
        text = sql.SQL("left({}::text, {})").format(name, MAX_DOCUMENT_CHARS)
    else:
        text = sql.SQL("{}::text").format(name)
    whole = "CASE WHEN pg_column_size({}) <= {} THEN {} END AS {}"
    return sql.SQL(whole).format(name, MAX_STORED_BYTES, text, sql.Identifier(f"c{number}"))


async def fetch(connection: Session, statement: sql.Composed, columns: Sequence[Column]) -> Values:
    """The values that are not null, by column, until there are too many bytes. Raises psycopg.Error."""
    values: Values = {column.attnum: [] for column in columns}
    size = 0
    async with connection.transaction(), connection.cursor(name="sample") as cursor:
        await cursor.execute(statement)
        while size < MAX_BYTES and (rows := await cursor.fetchmany(_CHUNK)):
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    if value is not None:
                        text = of_bytes(value) if isinstance(value, bytes) else value
                        values[column.attnum].append(text)
                        size += len(value)
    return values


def of_bytes(value: bytes) -> str:
    """The text that a bytea is, its last character perhaps cut; what is none counts, and tells nothing."""
    try:
        return getincrementaldecoder("utf-8")().decode(value)
    except UnicodeDecodeError:
        return _NO_TEXT
