"""Makes the guards of connections: a catalog, a scope, an entry for the opening."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Final

from dbgate_broker.catalog import CatalogService, Login, queries
from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import ConnectionFacts, Credentials, LiveGuard, Tell
from dbgate_broker.sessions.guards import GuardedSession, Holds
from dbgate_broker.sessions.policy import facts_of
from dbgate_broker.telemetry.guard import Announce, SampledGuard, Sampler, quiet
from dbgate_broker.telemetry.seams import Traces
from dbgate_broker.telemetry.tally import Tallies, Tally
from dbgate_core.audit.recorder import Recorder
from dbgate_core.audit.who import who
from dbgate_core.guard import ConnectionGuard
from dbgate_core.masking.key import MaskKey
from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.scope import Epoch, Picture, Scope
from dbgate_core.verdicts import StatementPolicy, Subject, Verdicts

MAX_NAME: Final = 63
"""PostgreSQL cuts application_name there (NAMEDATALEN)."""


class ConnectionGuards:
    """`sessions.guards.Guards`, over one catalog service, policy and log."""

    def __init__(
        self,
        catalogs: CatalogService,
        policy: StatementPolicy,
        recorder: Recorder,
        key: MaskKey,
        holds: Holds,
        tallies: Tallies | None = None,
        sampler: Sampler | None = None,
        traces: Traces | None = None,
        announce: Announce = quiet,
    ) -> None:
        self._catalogs = catalogs
        self._policy = policy
        self._verdicts = Verdicts(policy)
        self._recorder = recorder
        self._key = key
        self._holds = holds
        self._tallies = tallies or Tallies()
        self._sampler = sampler or Sampler()
        self._traces = traces
        self._announce = announce
        self._epochs: defaultdict[str, Epoch] = defaultdict(Epoch)
        self._read_at: dict[str, int] = {}

    async def guard(
        self, session: GuardedSession, connection: ConnectionFacts, credentials: Credentials
    ) -> LiveGuard:
        """The guard of a new connection, its catalog loaded, its opening recorded."""
        picture = await self._current(session.database, credentials)
        scope = self._scope(session, connection, credentials)
        settings = dict(connection.settings)
        opened = {
            "scope": scope.entry,
            "application": settings.pop("application_name", "")[:MAX_NAME],
            "peer": connection.peer,
        }
        if settings:
            opened["settings"] = settings
        self._recorder.append("connection_opened", opened)
        tally = self._tally(session)
        tally.connections += 1
        recorder = self._recorder
        if self._traces is not None:
            recorder = self._traces.of_connection(recorder, session, connection.number)
        guard = SampledGuard(scope, picture, self._verdicts, recorder, tally, self._announce)
        self._sampler.guards.add(guard)
        return guard

    async def refresh(
        self, guard: LiveGuard, session: GuardedSession, credentials: Credentials
    ) -> None:
        """Give the guard a new catalog. The client is held meanwhile."""
        if not isinstance(guard, ConnectionGuard):
            raise TypeError("a guard that was not made here")
        started = time.monotonic_ns()
        guard.renew(await self._current(session.database, credentials))
        self._tally(session).catalog_wait.observe(time.monotonic_ns() - started)

    async def decide(
        self,
        session: GuardedSession,
        guard: LiveGuard,
        hold: Hold,
        credentials: Credentials,
        *,
        in_transaction: bool,
        tell: Tell,
    ) -> Refusal | None:
        """Wait for somebody's leave for a held text."""
        return await self._holds.decide(
            session, guard, hold, credentials, in_transaction=in_transaction, tell=tell
        )

    def reclassified(self, database: str) -> None:
        """What columns hold is known better: each connection takes a new picture before its next statement."""
        self._epochs[database].value += 1

    async def _current(self, database: DatabaseConfig, credentials: Credentials) -> Picture:
        """A catalog that was read after the last schema change that passed this broker."""
        seen = self._epochs[database.name].value
        if self._read_at.get(database.name) != seen:
            self._catalogs.invalidate(database.name)
        catalog = await self._catalogs.get(database, credentials)
        self._read_at[database.name] = seen
        return Picture(catalog, seen)

    def _tally(self, session: GuardedSession) -> Tally:
        database = session.database
        return self._tallies.of(database.name, database.environment, session.access_role)

    def _scope(
        self, session: GuardedSession, connection: ConnectionFacts, credentials: Credentials
    ) -> Scope:
        facts = facts_of(session.database)
        entry = {
            "session": session.id,
            "who": who(session.principal),
            "database": session.database.name,
            "environment": session.database.environment,
            "access_role": session.access_role,
            "db_user": credentials.username,
            "connection": connection.number,
            "policy": self._policy.version,
        }
        return Scope(
            subject=Subject(session.principal, facts, session.access_role, bool(session.reason)),
            entry=entry,
            key=self._key,
            releases=session.releases,
            waits=session.hold_s > 0,
            epoch=self._epochs[session.database.name],
            counts=self._tally(session).counts,
            budget=session.budget,
            series=session.series,
            reason=session.reason,
            shows_masks=session.shows_masks,
        )


def record_reading(recorder: Recorder, database: DatabaseConfig, login: Login) -> int:
    """The broker itself reads the catalog, as a session's database user: that is on record as well."""
    scope = {
        "database": database.name,
        "environment": database.environment,
        "db_user": login.username,
    }
    texts = [" ".join(text.split()) for text in queries.ALL]
    fields = {"scope": scope, "application": queries.APPLICATION, "statements": texts}
    return recorder.append("catalog_read", fields)
