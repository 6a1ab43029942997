"""The tables of the state store. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time: `timestamptz` in PostgreSQL, naive UTC text in SQLite.

    A naive time is refused when it is written: it would silently be somebody's local time.
    """

    impl = DateTime(timezone=True)  # type: ignore[mutable-override]  # as SQLAlchemy documents
    cache_ok = True  # type: ignore[mutable-override]  # likewise

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone does not enter the store")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

brokers: Final = Table(
    "brokers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

access_requests: Final = Table(
    "access_requests",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("database", String(200), nullable=False),
    Column("access_role", String(200), nullable=False),
    Column("requester", Text, nullable=False),
    Column("requester_key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("approval", Text, nullable=False),
    Column("duration_s", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("window_ends_at", UtcDateTime),
    Column("used_at", UtcDateTime),
    Column("used_by", String(64)),
    Column("effects", Text, nullable=False, server_default="[]"),
    Column("estimated_rows", BigInteger),
    Index(None, "state", "expires_at"),
    Index(None, "requester_key", "database", "state"),
    Index(None, "created_at"),
)

votes: Final = Table(
    "votes",
    metadata,
    Column("request_id", ForeignKey("access_requests.id"), primary_key=True),
    Column("reviewer_key", String(2000), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("choice", String(16), nullable=False),
    Column("comment", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("broker", String(64), nullable=False),
    Column("database", String(200), nullable=False),
    Column("access_role", String(200), nullable=False),
    Column("principal", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("request_id", String(64)),
    Column("db_user", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("close_reason", Text, nullable=False),
    Index(None, "state", "opened_at"),
    Index(None, "broker", "state"),
)

leases: Final = Table(
    "leases",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("session_id", ForeignKey("sessions.id"), nullable=False),
    Column("database", String(200), nullable=False),
    Column("vault_role", String(200), nullable=False),
    Column("lease_id", Text),
    Column("username", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", UtcDateTime),
    Column("trouble", Text, nullable=False),
    Index(None, "state", "next_try_at"),
    Index(None, "session_id"),
    Index(None, "vault_role"),
)

column_classes: Final = Table(
    "column_classes",
    metadata,
    Column("database", String(200), primary_key=True),
    Column("table_schema", String(200), primary_key=True),
    Column("table_name", String(200), primary_key=True),
    Column("column_name", String(200), primary_key=True),
    Column("relation_oid", BigInteger, nullable=False),
    Column("attnum", Integer, nullable=False),
    Column("type_oid", BigInteger, nullable=False),
    Column("looked", Text, nullable=False),
    Column("looked_at", UtcDateTime, nullable=False),
)

day_usage: Final = Table(
    "day_usage",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("database", String(200), primary_key=True),
    Column("principal_key", String(2000), primary_key=True),
    Column("statements", BigInteger, nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("row_bytes", BigInteger, nullable=False),
)
