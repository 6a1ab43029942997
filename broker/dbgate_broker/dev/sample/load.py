"""Fill a database with the sample shop, by COPY, in one transaction."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import psycopg
from psycopg import sql

from dbgate_broker.dev.sample.rows import Rows

TABLES: Final = (
    "customers",
    "users",
    "products",
    "orders",
    "payments",
    "employees",
    "support_tickets",
)
"""In the order that their foreign keys ask for."""
MARK: Final = "dbgate developer mode: the sample shop was put here"
"""The database's comment, set with the rows: tables that a user dropped later do not come back."""


def load(connection: psycopg.Connection[tuple[object, ...]], owner: str, seed: str) -> bool:
    """Make tables and rows, owned by `owner`; whether it was done, or was there before.

    The connection is a superuser's, in autocommit. Either all of it is there afterwards or nothing.
    """
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = current_database()"
    ).fetchone()
    if found == (MARK,):
        return False
    rows = Rows(seed)
    schema = files(__package__).joinpath("schema.sql").read_text()
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
        connection.execute(schema.encode())
        for table in TABLES:
            _copy(connection, table, rows)
        connection.execute("RESET ROLE")
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(MARK)))
    connection.execute("ANALYZE")
    return True


def _copy(connection: psycopg.Connection[tuple[object, ...]], table: str, rows: Rows) -> None:
    name = sql.Identifier(table)
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy,
    ):
        for row in getattr(rows, table)():
            copy.write_row(row)
    connection.execute(
        sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), (SELECT max(id) FROM {}))").format(
            sql.Literal(table), name
        )
    )
