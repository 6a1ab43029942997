"""Leases in Vault that the journal does not know: a crash fell between the two."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection

from dbgate_broker.credentials.provider import CredentialProvider
from dbgate_broker.store import leases
from dbgate_broker.store.engine import Store
from dbgate_core.errors import DbgateError

log = logging.getLogger(__name__)


class Orphans:
    """Compares Vault with the journal, and revokes what only Vault knows.

    The Vault database roles of the configuration belong to dbgate alone (docs/vault.md). An unknown
    lease may be one that a broker is taking at this moment; but then its intent was journalled
    before the lease was first seen here. So it is an orphan when no such intent is left.
    """

    def __init__(
        self, store: Store, provider: CredentialProvider, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._provider = provider
        self._clock = clock
        self._first_seen: dict[str, dict[str, datetime]] = {}

    async def sweep(self, vault_role: str) -> bool:
        """Revoke the orphans of a Vault role; False while some may be left. Raises Unreachable."""
        listed = await self._provider.list_leases(vault_role)
        now = self._clock()
        known, intents = await self._store.call(_journal, vault_role)
        before = self._first_seen.get(vault_role, {})
        seen = {lease_id: before.get(lease_id, now) for lease_id in set(listed) - known}
        self._first_seen[vault_role] = seen
        clean = True
        for lease_id, first in seen.items():
            in_flight = any(created_at <= first for created_at in intents)
            clean = not in_flight and await self._revoke(lease_id) and clean
        return clean

    async def sweep_all(self, vault_roles: Iterable[str]) -> bool:
        """The same for several roles; one that fails does not keep the others from it."""
        clean = True
        for vault_role in vault_roles:
            try:
                clean = await self.sweep(vault_role) and clean
            except DbgateError as exc:
                log.warning("the leases of %s are not compared: %s", vault_role, exc.message)
                clean = False
        return clean

    async def _revoke(self, lease_id: str) -> bool:
        log.warning("revoking a lease that the journal does not know: %s", lease_id)
        try:
            await self._provider.revoke(lease_id)
        except DbgateError as exc:
            log.warning("it is not revoked yet: %s", exc.message)
            return False
        return True


def _journal(connection: Connection, vault_role: str) -> tuple[set[str], list[datetime]]:
    """The lease ids that the journal knows, and when its open intents were written."""
    return leases.known_ids(connection, vault_role), leases.intents(connection, vault_role)
