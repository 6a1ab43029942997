"""Sessions and brokers in the store. Each function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, select, update

from dbgate_broker.store.codec import decode_principal, encode_principal
from dbgate_broker.store.schema import brokers, sessions
from dbgate_core.principal import Principal

MAX_LISTED: Final = 500
MAX_SCANNED: Final = 10_000
STALE_S: Final = 60
"""A broker of a shared store that was not seen for so long is dead, and its sessions with it."""


class SessionState(StrEnum):
    """`opening` until its lease is journalled; then `open`; at the end `closed`."""

    OPENING = "opening"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the store has it. `request_id` is the access request that grants it, or None.

    The opener's `asserted_agent` is part of `principal`. No secret of the session is kept here.
    """

    id: str
    broker: str
    database: str
    access_role: str
    principal: Principal
    reason: str
    client: str
    opened_at: datetime
    expires_at: datetime
    request_id: str | None = None
    db_user: str = ""
    state: SessionState = SessionState.OPENING
    closed_at: datetime | None = None
    close_reason: str = ""


def insert(connection: Connection, row: SessionRow) -> None:
    """Write a new session."""
    connection.execute(
        sessions.insert().values(
            id=row.id,
            broker=row.broker,
            database=row.database,
            access_role=row.access_role,
            principal=encode_principal(row.principal),
            reason=row.reason,
            client=row.client,
            request_id=row.request_id,
            db_user=row.db_user,
            state=row.state.value,
            opened_at=row.opened_at,
            expires_at=row.expires_at,
            closed_at=row.closed_at,
            close_reason=row.close_reason,
        )
    )


def mark_open(connection: Connection, session_id: str, db_user: str) -> None:
    """The session has its database user."""
    connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.state == SessionState.OPENING)
        .values(state=SessionState.OPEN.value, db_user=db_user)
    )


def mark_closed(connection: Connection, session_id: str, at: datetime, reason: str) -> bool:
    """The session is over; False when it was already."""
    changed = connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.state != SessionState.CLOSED)
        .values(state=SessionState.CLOSED.value, closed_at=at, close_reason=reason)
    )
    return changed.rowcount == 1


def load(connection: Connection, session_id: str) -> SessionRow | None:
    """One session."""
    found = _fetch(connection, select(sessions).where(sessions.c.id == session_id))
    return found[0] if found else None


def listing(
    connection: Connection,
    state: SessionState | None = None,
    wanted: Callable[[SessionRow], bool] = lambda row: True,
) -> list[SessionRow]:
    """The newest sessions that are wanted, of one state or all: at most 500 of the newest 10 000."""
    where = [] if state is None else [sessions.c.state == state]
    query = select(sessions).where(*where).order_by(sessions.c.opened_at.desc(), sessions.c.id)
    found: list[SessionRow] = []
    for offset in range(0, MAX_SCANNED, MAX_LISTED):
        page = _fetch(connection, query.limit(MAX_LISTED).offset(offset))
        found += [row for row in page if wanted(row)]
        if len(page) < MAX_LISTED or len(found) >= MAX_LISTED:
            break
    return found[:MAX_LISTED]


def closed_among(connection: Connection, session_ids: Collection[str]) -> set[str]:
    """Those of the sessions that are closed, by whichever broker."""
    query = select(sessions.c.id).where(
        sessions.c.id.in_(session_ids), sessions.c.state == SessionState.CLOSED
    )
    return set(connection.scalars(query))


def seen(connection: Connection, broker: str, now: datetime) -> None:
    """This broker lives: makes or moves its row."""
    moved = connection.execute(
        update(brokers).where(brokers.c.id == broker).values(seen_at=now)
    ).rowcount
    if not moved:
        connection.execute(brokers.insert().values(id=broker, started_at=now, seen_at=now))


def forget(connection: Connection, broker: str) -> None:
    """This broker ends in order."""
    connection.execute(delete(brokers).where(brokers.c.id == broker))


def left_behind(
    connection: Connection, broker: str, now: datetime, *, alone: bool
) -> list[SessionRow]:
    """The sessions that are not closed and that no living broker holds.

    `alone`: no other broker can share this store, so whatever is not `broker`'s is left behind.
    Rows of dead brokers are forgotten.
    """
    if alone:
        connection.execute(delete(brokers).where(brokers.c.id != broker))
    else:
        stale = now - timedelta(seconds=STALE_S)
        connection.execute(delete(brokers).where(brokers.c.id != broker, brokers.c.seen_at < stale))
    living = select(brokers.c.id)
    return _fetch(
        connection,
        select(sessions).where(
            sessions.c.state != SessionState.CLOSED,
            sessions.c.broker != broker,
            sessions.c.broker.not_in(living),
        ),
    )


def _fetch(connection: Connection, query: Select[Any]) -> list[SessionRow]:  # Any: a table's row
    return [_row(row) for row in connection.execute(query)]


def _row(row: Row[Any]) -> SessionRow:  # Any: a row of the table
    return SessionRow(
        id=row.id,
        broker=row.broker,
        database=row.database,
        access_role=row.access_role,
        principal=decode_principal(row.principal),
        reason=row.reason,
        client=row.client,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        request_id=row.request_id,
        db_user=row.db_user,
        state=SessionState(row.state),
        closed_at=row.closed_at,
        close_reason=row.close_reason,
    )
