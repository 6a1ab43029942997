"""Explains a statement by the policies in force and the catalog as it was last read; runs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from dbgate_broker.catalog import CatalogService
from dbgate_broker.config import Config, DatabaseConfig
from dbgate_broker.live_policies import LivePolicies
from dbgate_broker.sessions import access
from dbgate_broker.sessions.access import Access, Standing
from dbgate_broker.sessions.policy import facts_of
from dbgate_broker.store import requests
from dbgate_broker.store.engine import Store
from dbgate_core.audit.recorder import Recorder
from dbgate_core.audit.who import who
from dbgate_core.catalog import Catalog
from dbgate_core.contract import Explain, Explanation
from dbgate_core.policy.explaining import explain
from dbgate_core.policy.telling import told
from dbgate_core.principal import Principal
from dbgate_core.verdicts import Subject

EXPLAINED: Final = "statement_explained"
NOTHING: Final = Catalog([], "")


class Explainer:
    """Answers people about their own statements."""

    def __init__(
        self,
        config: Config,
        policies: LivePolicies,
        catalogs: CatalogService,
        recorder: Recorder,
        store: Store,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._databases = config.databases
        self._policies = policies
        self._catalogs = catalogs
        self._recorder = recorder
        self._clock = clock

    async def explain(self, principal: Principal, ask: Explain) -> Explanation:
        """Explain a statement. Raises NotFound for what the principal may not see.

        1. The database and the access role are such as this principal may see.
        2. Its catalog counts only for who may open a session now: what is behind a view is not for everybody.
        3. That it was asked is recorded, with what was answered.
        """
        database = access.find(self._databases, ask.database)
        now = self._clock()
        running = await self._store.call(requests.running_of, principal, now, database.name)
        found = access.standings(self._policies, principal, database, running, now)
        standing = _standing(database, found, ask.access_role)
        granted = access.lowest(found, Access.GRANTED)
        catalog = self._catalogs.newest(database.name) if granted else None
        role = standing.role.name
        subject = Subject(principal, facts_of(database), role)
        policies = self._policies.current
        roles = [each.name for each in database.access_roles]
        explained = await asyncio.to_thread(
            explain, policies, subject, ask.statement, catalog or NOTHING, roles
        )
        answer = told(policies, explained)
        fields = {
            "scope": {"who": who(principal), "database": database.name, "access_role": role},
            "text": ask.statement,
            "verdict": answer["verdict"],
        }
        await asyncio.to_thread(self._recorder.append, EXPLAINED, fields)
        return Explanation(
            database=database.name,
            access_role=role,
            catalog=catalog is not None,
            explanation=answer,
        )


def _standing(database: DatabaseConfig, found: list[Standing], wanted: str) -> Standing:
    if access.database_info(database, found) is None:
        raise access.unseen(database.name)
    if wanted:
        return access.named(database, found, wanted)
    granted = access.lowest(found, Access.GRANTED)
    return granted or access.lowest(found, Access.APPROVAL) or found[0]
