"""Brings the state store's tables up to date, by the Alembic migrations in this package."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from dbgate_broker.store.engine import Store
from dbgate_core.errors import UsageError

ADVISORY_LOCK: Final = 0x6462_6761_7465
"""Of PostgreSQL: two brokers that start together do not both migrate."""


def upgrade(store: Store) -> None:
    """Run the missing migrations in one transaction. Raises UsageError for a newer store."""
    with store.transaction() as connection:
        _one_at_a_time(connection)
        try:
            _run(connection)
        except CommandError as exc:
            raise UsageError(
                "the state store was written by a newer dbgate",
                hint="run that version, or name another store in state_url",
            ) from exc


def _run(connection: Connection) -> None:
    with as_file(files("dbgate_broker.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        ScriptDirectory.from_config(config)
        command.upgrade(config, "head")


def _one_at_a_time(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
