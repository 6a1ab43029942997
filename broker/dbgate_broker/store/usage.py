"""What was used up of limits of a day. Each function works inside the caller's transaction."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from dbgate_broker.store.schema import day_usage as table
from dbgate_core.budget import Used

KEPT_DAYS: Final = 7
"""Longer nobody looks at it: what was done is in the log."""
Place = tuple[str, str]
"""A database, and the key of whoever uses it."""
_COUNTS: Final = ("statements", "row_count", "row_bytes")


def add(connection: Connection, day: date, place: Place, used: Used) -> Used:
    """Add to what is there of a day, whoever else does; gives the sum."""
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = kind.insert(table).values(
        day=day.isoformat(),
        database=place[0],
        principal_key=place[1],
        statements=used.statements,
        row_count=used.rows,
        row_bytes=used.row_bytes,
    )
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["day", "database", "principal_key"],
            set_={name: table.c[name] + insert.excluded[name] for name in _COUNTS},
        )
    )
    return load(connection, day, place)


def load(connection: Connection, day: date, place: Place) -> Used:
    """What is there of a day."""
    query = select(*(table.c[name] for name in _COUNTS)).where(
        table.c.day == day.isoformat(),
        table.c.database == place[0],
        table.c.principal_key == place[1],
    )
    found = connection.execute(query).one_or_none()
    return Used() if found is None else Used(*found)


def forget(connection: Connection, today: date) -> None:
    """Remove days that are long gone."""
    oldest = today - timedelta(days=KEPT_DAYS)
    connection.execute(delete(table).where(table.c.day < oldest.isoformat()))
