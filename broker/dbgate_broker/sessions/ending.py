"""The end of a session in store, Vault and log, for whichever reason, until it is complete."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dbgate_broker.sessions.leasing import Held, Leasing
from dbgate_broker.sessions.records import SESSION_CLOSED, record, session_scope
from dbgate_broker.store import sessions
from dbgate_broker.store.engine import Store
from dbgate_broker.store.sessions import SessionRow
from dbgate_core.audit.recorder import Recorder
from dbgate_core.audit.who import who
from dbgate_core.errors import DbgateError
from dbgate_core.principal import Principal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class End:
    """How a session ends. `by` is who ended it, None for the broker itself."""

    reason: str
    by: Principal | None = None
    connections: int = 0


class Ending:
    """Ends sessions. None of its steps raises: what fails is logged, and done again by `retry`."""

    def __init__(
        self,
        store: Store,
        leasing: Leasing,
        recorder: Recorder,
        environments: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._leasing = leasing
        self._recorder = recorder
        self._environments = environments
        self._clock = clock
        self._left: dict[str, tuple[SessionRow, End]] = {}

    async def end(self, row: SessionRow, end: End, held: Held | None = None) -> None:
        """Close a session, give its lease back, write its last entry.

        1. The store says closed: whatever comes, its lease is to be revoked.
        2. The lease is revoked, or stays in the journal as `ending`.
        3. The entry is written, and says which.
        """
        try:
            first = await self._store.call(sessions.mark_closed, row.id, self._clock(), end.reason)
        except DbgateError as exc:
            log.warning("session %s is not marked closed yet: %s", row.id, exc.message)
            self._left[row.id] = (row, end)
            first = True
        revoked = await self._settle(row, end, held)
        if first:
            await self._record(row, end, revoked, held.credentials.username if held else "")

    async def retry(self) -> None:
        """Do again what the store did not take. Raises Unreachable."""
        for row, end in list(self._left.values()):
            await self._store.call(sessions.mark_closed, row.id, self._clock(), end.reason)
            await self._leasing.settle(row.id)
            self._left.pop(row.id, None)

    async def left_behind(self, broker: str) -> None:
        """End the sessions of brokers that live no more. Raises Unreachable."""
        alone, now = self._store.single_broker, self._clock()
        found = await self._store.call(sessions.left_behind, broker, now, alone=alone)
        for row in found:
            await self.end(row, End("its broker ended without closing it"))

    async def _settle(self, row: SessionRow, end: End, held: Held | None) -> bool:
        try:
            return await self._leasing.settle(row.id, held)
        except DbgateError as exc:
            log.warning("the lease of session %s stays for now: %s", row.id, exc.message)
            self._left[row.id] = (row, end)
            return False

    async def _record(self, row: SessionRow, end: End, revoked: bool, db_user: str) -> None:
        environment = self._environments.get(row.database, "")
        fields = session_scope(row, environment, db_user or row.db_user) | {
            "reason": end.reason,
            "connections": end.connections,
            "duration_s": max(0, int((self._clock() - row.opened_at).total_seconds())),
            "lease_revoked": revoked,
        }
        if end.by is not None:
            fields["by"] = who(end.by)
        try:
            await record(self._recorder, SESSION_CLOSED, fields)
        except DbgateError as exc:
            log.error("the end of session %s is not recorded: %s", row.id, exc.message)
