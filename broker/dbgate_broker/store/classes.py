"""What was found in columns. Each function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, func, select, tuple_

from dbgate_broker.store.schema import column_classes as table
from dbgate_core.classify.decide import Looked
from dbgate_core.classify.known import Kept, Name

BATCH: Final = 100
"""Names in one DELETE: SQLite takes 999 parameters of old."""
_NAME: Final = (table.c.table_schema, table.c.table_name, table.c.column_name)


def state(connection: Connection, database: str) -> str:
    """Changes whenever anything of the database does."""
    query = select(func.count(), func.max(table.c.looked_at)).where(table.c.database == database)
    count, newest = connection.execute(query).one()
    return f"{count} {newest}"


def load(connection: Connection, database: str) -> list[Kept]:
    """All columns of a database that were looked at."""
    query = select(table).where(table.c.database == database).order_by(*_NAME)
    return [
        Kept(
            name=(row.table_schema, row.table_name, row.column_name),
            relation_oid=row.relation_oid,
            attnum=row.attnum,
            type_oid=row.type_oid,
            looked=msgspec.json.decode(row.looked, type=Looked),
            looked_at=row.looked_at,
        )
        for row in connection.execute(query)
    ]


def save(connection: Connection, database: str, kept: Sequence[Kept]) -> None:
    """Write columns, in the place of what was known of them."""
    forget(connection, database, [one.name for one in kept])
    rows = [
        {
            "database": database,
            "table_schema": one.name[0],
            "table_name": one.name[1],
            "column_name": one.name[2],
            "relation_oid": one.relation_oid,
            "attnum": one.attnum,
            "type_oid": one.type_oid,
            "looked": msgspec.json.encode(one.looked).decode(),
            "looked_at": one.looked_at,
        }
        for one in kept
    ]
    if rows:
        connection.execute(table.insert(), rows)


def forget(connection: Connection, database: str, names: Iterable[Name]) -> None:
    """Columns that are there no more."""
    listed = list(names)
    for start in range(0, len(listed), BATCH):
        these = tuple_(*_NAME).in_(listed[start : start + BATCH])
        connection.execute(delete(table).where(table.c.database == database, these))
