"""The lease journal. Each function works inside the caller's transaction.

A lease's row goes `intent` (before Vault is asked) -> `active` (its id is here, and only now are
its credentials used) -> `ending` (to be revoked, tried again until it works) -> `ended`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, select, update

from dbgate_broker.store.schema import leases, sessions
from dbgate_broker.store.sessions import SessionState

MAX_BATCH: Final = 200
RETRY_S: Final = 5
MAX_RETRY_S: Final = 300
MAX_TROUBLE: Final = 500


class LeaseState(StrEnum):
    """Where a lease stands in the journal."""

    INTENT = "intent"
    ACTIVE = "active"
    ENDING = "ending"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as the journal has it. `lease_id` is None while nobody knows whether it exists."""

    id: str
    session_id: str
    database: str
    vault_role: str
    created_at: datetime
    state: LeaseState = LeaseState.INTENT
    lease_id: str | None = None
    username: str = ""
    expires_at: datetime | None = None
    attempts: int = 0
    trouble: str = ""


def intend(connection: Connection, row: LeaseRow) -> None:
    """Write that a lease is about to be taken."""
    connection.execute(
        leases.insert().values(
            id=row.id,
            session_id=row.session_id,
            database=row.database,
            vault_role=row.vault_role,
            lease_id=None,
            username="",
            state=LeaseState.INTENT.value,
            created_at=row.created_at,
            attempts=0,
            trouble="",
        )
    )


def activate(
    connection: Connection, row_id: str, lease_id: str, username: str, expires_at: datetime
) -> bool:
    """Write the lease that was taken; False when its row is no longer an intent."""
    changed = connection.execute(
        update(leases)
        .where(leases.c.id == row_id, leases.c.state == LeaseState.INTENT)
        .values(
            state=LeaseState.ACTIVE.value,
            lease_id=lease_id,
            username=username,
            expires_at=expires_at,
        )
    )
    return changed.rowcount == 1


def renewed(connection: Connection, row_id: str, expires_at: datetime) -> None:
    """Write a lease's new end."""
    connection.execute(update(leases).where(leases.c.id == row_id).values(expires_at=expires_at))


def end_later(
    connection: Connection, row_id: str, now: datetime, trouble: str, lease_id: str | None = None
) -> None:
    """Write that a lease is to be revoked, the next time after a while that doubles.

    `lease_id` is given when it is not in the journal yet.
    """
    query = select(leases.c.attempts).where(leases.c.id == row_id)
    attempts = (connection.scalar(query) or 0) + 1
    pause_s = min(RETRY_S * 2 ** min(attempts - 1, 10), MAX_RETRY_S)
    known = {} if lease_id is None else {"lease_id": lease_id}
    connection.execute(
        update(leases)
        .where(leases.c.id == row_id, leases.c.state != LeaseState.ENDED)
        .values(
            state=LeaseState.ENDING.value,
            attempts=attempts,
            next_try_at=now + timedelta(seconds=pause_s),
            trouble=trouble[:MAX_TROUBLE],
            **known,
        )
    )


def ended(connection: Connection, row_id: str, at: datetime) -> None:
    """Write that the database user is gone."""
    connection.execute(
        update(leases)
        .where(leases.c.id == row_id)
        .values(state=LeaseState.ENDED.value, ended_at=at, next_try_at=None)
    )


def end_those_of_closed_sessions(connection: Connection, now: datetime) -> int:
    """Mark as `ending` every lease whose session is closed: a crash came in between. Gives how many."""
    closed = select(sessions.c.id).where(sessions.c.state == SessionState.CLOSED)
    changed = connection.execute(
        update(leases)
        .where(
            leases.c.state.in_([LeaseState.INTENT, LeaseState.ACTIVE]),
            leases.c.session_id.in_(closed),
        )
        .values(state=LeaseState.ENDING.value, next_try_at=now)
    )
    return changed.rowcount


def to_end(connection: Connection, now: datetime, *, all_of_them: bool = False) -> list[LeaseRow]:
    """The leases that are to be revoked and whose next try has come (or all of them)."""
    due = [] if all_of_them else [leases.c.next_try_at <= now]
    return _fetch(
        connection,
        select(leases)
        .where(leases.c.state == LeaseState.ENDING, *due)
        .order_by(leases.c.next_try_at)
        .limit(MAX_BATCH),
    )


def of_session(connection: Connection, session_id: str) -> list[LeaseRow]:
    """The leases of one session."""
    return _fetch(connection, select(leases).where(leases.c.session_id == session_id))


def known_ids(connection: Connection, vault_role: str) -> set[str]:
    """The ids of the leases of a Vault role that the journal still answers for."""
    query = select(leases.c.lease_id).where(
        leases.c.vault_role == vault_role,
        leases.c.lease_id.is_not(None),
        leases.c.state != LeaseState.ENDED,
    )
    return set(connection.scalars(query))


def intents(connection: Connection, vault_role: str) -> list[datetime]:
    """When the intents of a Vault role were written whose lease, if any, is not in the journal yet."""
    query = select(leases.c.created_at).where(
        leases.c.vault_role == vault_role, leases.c.state == LeaseState.INTENT
    )
    return list(connection.scalars(query))


def _fetch(connection: Connection, query: Select[Any]) -> list[LeaseRow]:  # Any: a table's row
    return [_row(row) for row in connection.execute(query)]


def _row(row: Row[Any]) -> LeaseRow:  # Any: a row of the table
    return LeaseRow(
        id=row.id,
        session_id=row.session_id,
        database=row.database,
        vault_role=row.vault_role,
        created_at=row.created_at,
        state=LeaseState(row.state),
        lease_id=row.lease_id,
        username=row.username,
        expires_at=row.expires_at,
        attempts=row.attempts,
        trouble=row.trouble,
    )
