"""Database users of sessions: taken, renewed, given back; the journal is always a step ahead.

1. The journal has an `intent` before Vault is asked.
2. The journal has the lease's id before its credentials are used.
3. What is to go is `ending` in the journal before it is revoked, and `ended` after it is gone.

So after a crash between any two steps the journal names the lease, or names a Vault role whose
leases are compared with it (`orphans.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection

from dbgate_broker.config import AccessRoleConfig, DatabaseConfig
from dbgate_broker.credentials.proof import Proof
from dbgate_broker.credentials.provider import CredentialProvider, Lease
from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.sessions.orphans import Orphans
from dbgate_broker.store import leases, sessions
from dbgate_broker.store.engine import Store
from dbgate_broker.store.leases import LeaseRow, LeaseState
from dbgate_broker.store.sessions import SessionRow
from dbgate_core.errors import DbgateError, Unreachable

RENEW_RETRY_S: Final = 5
"""After a renewal, tried or done, the next is no earlier; a session goes on until its lease ends."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Held:
    """A lease in use. `row_id` is its row of the journal; `ttl_s` what a renewal asks for."""

    row_id: str
    lease_id: str
    database: DatabaseConfig
    ttl_s: int
    credentials: Credentials
    expires_at: datetime
    renew_at: datetime


class Leasing:
    """Takes, renews and gives back leases, by journal and provider."""

    def __init__(
        self,
        store: Store,
        provider: CredentialProvider,
        orphans: Orphans,
        proof: Proof,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._provider = provider
        self._orphans = orphans
        self._proof = proof
        self._clock = clock

    async def take(
        self, session: SessionRow, database: DatabaseConfig, role: AccessRoleConfig
    ) -> Held:
        """Journal a new session and its lease to be, then take it, then journal its id.

        Raises Unreachable. Whatever it raises, the caller closes the session and calls `settle`.
        """
        row = LeaseRow(
            id=uuid4().hex,
            session_id=session.id,
            database=session.database,
            vault_role=role.vault_role,
            created_at=self._clock(),
        )
        await self._store.call(_intend, session, row)
        left_s = int((session.expires_at - self._clock()).total_seconds())
        lease = await self._provider.issue(role.vault_role, max(1, min(role.ttl_s, left_s)))
        try:
            known = await self._store.call(_activate, row, lease)
            if not known:  # another broker took this one for dead, and has ended the session
                raise Unreachable("the session was ended while it was being opened")
        except BaseException:
            await self._drop(lease.lease_id)
            raise
        return Held(
            row_id=row.id,
            lease_id=lease.lease_id,
            database=database,
            ttl_s=role.ttl_s,
            credentials=Credentials(lease.username, lease.password),
            expires_at=lease.expires_at,
            renew_at=self._half_life(lease.expires_at),
        )

    async def renew(self, held: Held, deadline: datetime) -> None:
        """Let a lease live on, never beyond the session's deadline. Raises LeaseGone, Unreachable."""
        now = self._clock()
        left_s = int((deadline - now).total_seconds())
        if left_s < 1 or held.expires_at >= deadline:
            held.renew_at = deadline
            return
        held.renew_at = now + timedelta(seconds=RENEW_RETRY_S)
        ends = await self._provider.renew(held.lease_id, min(held.ttl_s, left_s))
        held.expires_at, held.renew_at = ends, self._half_life(ends)
        await self._store.call(leases.renewed, held.row_id, ends)

    async def settle(self, session_id: str, held: Held | None = None) -> bool:
        """Give back what a closed session has; False when something stays, for the reaper or a person.

        Of a lease in use it is proved that PostgreSQL refuses the password.

        Raises Unreachable when the journal does not answer; `held` is then given back all the same.
        """
        try:
            rows = await self._store.call(_ending, session_id, self._clock())
        except DbgateError:
            if held is not None:
                await self._drop(held.lease_id)
            raise
        settled = True
        for row in rows:
            settled = await self.revoke(row) and settled
        if settled and held is not None:
            settled = await self._proof(held.database, held.credentials)
        return settled

    async def revoke(self, row: LeaseRow) -> bool:
        """Revoke a journalled lease; when that fails, the journal says when it is tried again.

        A row without a lease id is ended by comparing Vault with the journal.
        """
        try:
            if row.lease_id is not None:
                await self._provider.revoke(row.lease_id)
            elif not await self._orphans.sweep(row.vault_role):
                raise Unreachable("Vault may hold a lease that the journal does not know")
        except DbgateError as exc:
            log.warning("lease of session %s is not revoked yet: %s", row.session_id, exc.message)
            await self._store.call(leases.end_later, row.id, self._clock(), exc.message)
            return False
        await self._store.call(leases.ended, row.id, self._clock())
        return True

    async def reap(self, *, all_of_them: bool = False) -> None:
        """Revoke what is due in the journal: what a crash, or an absent Vault, has left."""
        now = self._clock()
        await self._store.call(leases.end_those_of_closed_sessions, now)
        for row in await self._store.call(leases.to_end, now, all_of_them=all_of_them):
            await self.revoke(row)

    async def _drop(self, lease_id: str) -> None:
        """Revoke what the journal does not name; if that fails, it is found as an orphan."""
        try:
            await self._provider.revoke(lease_id)
        except DbgateError as exc:
            log.warning("an unjournalled lease is not revoked yet: %s", exc.message)

    def _half_life(self, ends: datetime) -> datetime:
        now = self._clock()
        return max(now + (ends - now) / 2, now + timedelta(seconds=RENEW_RETRY_S))


def _intend(connection: Connection, session: SessionRow, row: LeaseRow) -> None:
    sessions.insert(connection, session)
    leases.intend(connection, row)


def _activate(connection: Connection, row: LeaseRow, lease: Lease) -> bool:
    if not leases.activate(connection, row.id, lease.lease_id, lease.username, lease.expires_at):
        return False
    sessions.mark_open(connection, row.session_id, lease.username)
    return True


def _ending(connection: Connection, session_id: str, now: datetime) -> list[LeaseRow]:
    """Mark the leases of a session as ending, the reaper's next try a while off."""
    rows = leases.of_session(connection, session_id)
    alive = [row for row in rows if row.state is not LeaseState.ENDED]
    for row in alive:
        leases.end_later(connection, row.id, now, row.trouble)
    return alive
