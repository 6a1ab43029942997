"""Opening a session: a grant, a lease, an entry; only then anything that can be used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from dbgate_broker.config import Config, DatabaseConfig
from dbgate_broker.sessions import access, inputs
from dbgate_broker.sessions.days import Days
from dbgate_broker.sessions.ending import End, Ending
from dbgate_broker.sessions.guards import GuardedSession, Guards
from dbgate_broker.sessions.leasing import Held, Leasing
from dbgate_broker.sessions.live import LiveSession
from dbgate_broker.sessions.policy import ConnectPolicy, facts_of
from dbgate_broker.sessions.records import SESSION_OPENED, record, session_scope
from dbgate_broker.sessions.releases import StoreReleases
from dbgate_broker.sessions.tickets import Stub, Ticket, new_session_id
from dbgate_broker.store import requests
from dbgate_broker.store.engine import Store
from dbgate_broker.store.sessions import SessionRow, SessionState
from dbgate_core.audit.recorder import Recorder
from dbgate_core.budget import Budget, Day
from dbgate_core.contract import OpenSession
from dbgate_core.decision import SessionLimits
from dbgate_core.errors import ApprovalNeeded, Denied, LimitExceeded
from dbgate_core.principal import Principal

UNDO_S: Final = 1.0
"""How long an error waits for what was begun to be taken back; after that, it goes on beside."""
LEAST_S: Final = 1
"""A grant with less than this left opens nothing: Vault counts whole seconds."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens sessions; what it needs of the rest."""

    broker: str
    config: Config
    store: Store
    policy: ConnectPolicy
    leasing: Leasing
    ending: Ending
    recorder: Recorder
    guards: Guards
    clock: Callable[[], datetime]
    days: Days
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]

    async def open(self, principal: Principal, ask: OpenSession) -> tuple[LiveSession, Ticket]:
        """Open a session.

        1. Policy, or a running request, grants the access role now, and the limits of the day are not used up.
        2. The journal has the session and its lease to be; Vault makes the user; the journal has the lease.
        3. The opening is recorded. If that fails, or anything after 2, all of it is taken back.
        """
        database = access.find(self.config.databases, ask.database)
        if agent := inputs.bounded(ask.agent, inputs.MAX_NAME, "the agent's name"):
            principal = replace(principal, asserted_agent=agent)
        hold_s = inputs.hold_seconds(ask.hold_s, self.config.sessions.request_expiry_s)
        standing = await self._grant(principal, database, ask.access_role)
        row = self._row(principal, database, standing, ask)
        limits = self._limits(row, database)
        day = await self._day(principal, database, limits)
        held: Held | None = None
        try:
            held = await self.leasing.take(row, database, standing.role)
            row = replace(row, state=SessionState.OPEN, db_user=held.credentials.username)
            await self._record(row, database, standing, hold_s, limits)
        except BaseException:
            undoing = self.spawn(self.ending.end(row, End("it could not be opened"), held))
            await asyncio.wait({undoing}, timeout=UNDO_S)
            raise
        ticket = Ticket.new()
        guarded = GuardedSession(
            row.id,
            row.principal,
            database,
            row.access_role,
            StoreReleases(self.store, row, self.clock),
            row.reason,
            hold_s,
            Budget(limits, day),
            shows_masks=ask.show_masks,
        )
        live = LiveSession(row, guarded, Stub.of(ticket), held, self.guards, self.clock)
        return live, ticket

    async def _day(
        self, principal: Principal, database: DatabaseConfig, limits: SessionLimits
    ) -> Day | None:
        """What is used up of limits of a day, where there are any. Raises Denied when nothing is left."""
        if not limits.of_days:
            return None
        day = await self.days.of(principal, database.name)
        try:
            day.demand(limits)
        except LimitExceeded as exc:
            raise Denied(exc.message, hint=exc.hint, code=exc.code) from exc
        return day

    def _limits(self, row: SessionRow, database: DatabaseConfig) -> SessionLimits:
        """What it may use up: by the rules as they are now, for all of its life."""
        role = row.access_role
        facts = facts_of(database)
        return self.policy.connect(row.principal, facts, role, approved=True).limits

    async def _grant(
        self, principal: Principal, database: DatabaseConfig, wanted: str
    ) -> access.Standing:
        now = self.clock()
        running = await self.store.call(requests.running_of, principal, now, database.name)
        found = access.standings(self.policy, principal, database, running, now)
        standing = access.choose(database, found, wanted)
        if standing.until is not None and standing.until <= now + timedelta(seconds=LEAST_S):
            raise ApprovalNeeded(f"the grant of {standing.role.name} ends now")
        return standing

    def _row(
        self,
        principal: Principal,
        database: DatabaseConfig,
        standing: access.Standing,
        ask: OpenSession,
    ) -> SessionRow:
        now = self.clock()
        longest = now + timedelta(seconds=self.config.sessions.max_s)
        return SessionRow(
            id=new_session_id(),
            broker=self.broker,
            database=database.name,
            access_role=standing.role.name,
            principal=principal,
            reason=inputs.bounded(ask.reason, inputs.MAX_REASON, "the reason"),
            client=inputs.bounded(ask.client, inputs.MAX_CLIENT, "the client's name"),
            opened_at=now,
            expires_at=min(standing.until, longest) if standing.until else longest,
            request_id=standing.request.id if standing.request else None,
        )

    async def _record(
        self,
        row: SessionRow,
        database: DatabaseConfig,
        standing: access.Standing,
        hold_s: int,
        limits: SessionLimits,
    ) -> None:
        fields = session_scope(row, database.environment, row.db_user) | {
            "reason": row.reason,
            "client": row.client,
            "expires_at": row.expires_at.isoformat(),
            "request": row.request_id,
            "policies": list(standing.decision.policies),
            "hold_s": hold_s,
        }
        if said := limits.as_said():
            fields["limits"] = said
        if standing.decision.observed:
            fields["observed"] = list(standing.decision.observed)
        await record(self.recorder, SESSION_OPENED, fields)
