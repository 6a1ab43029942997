"""The policies in force: a set is replaced by another one whole, or not at all."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from dbgate_broker.policies import read_policies
from dbgate_core.audit.recorder import Recorder
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision
from dbgate_core.errors import DbgateError
from dbgate_core.policy import Policies
from dbgate_core.principal import Principal
from dbgate_core.sql.analysis import Analysis

log = logging.getLogger(__name__)


class LivePolicies:
    """`sessions.policy.ConnectPolicy`, by the set that was read last. `version` is that set's."""

    def __init__(self, directory: Path, first: Policies, recorder: Recorder) -> None:
        self._directory = directory
        self._current = first
        self._recorder = recorder
        self._reading = asyncio.Lock()
        self.version = first.version

    @property
    def current(self) -> Policies:
        """The set that is in force."""
        return self._current

    def fixed(self) -> Policies:
        """The same, for those who judge while others may be loaded."""
        return self._current

    async def reload(self) -> bool:
        """Read the folder again; whether its set is now in force.

        1. The set is read and checked whole; one with a mistake is told and left, the old one stays.
        2. That it is taken up stands in the log; if that cannot be written, the old one stays.
        3. From then on it decides: running statements go on, each later one is judged by it.
        """
        async with self._reading:
            try:
                found = await asyncio.to_thread(read_policies, self._directory)
                if found.version != self.version:
                    fields = {"policy": found.version, "before": self.version}
                    await asyncio.to_thread(self._recorder.append, "policy_loaded", fields)
            except DbgateError as exc:
                for line in exc.message.splitlines():
                    log.error("the policies stay as they are: %s", line.strip())
                return False
            self._current, self.version = found, found.version
            log.info("policies: %d rules, version %s", len(found.rules), found.version)
            return True

    def connect(
        self,
        principal: Principal,
        database: DatabaseFacts,
        access_role: str,
        *,
        approved: bool = False,
    ) -> Decision:
        """As `Policies.connect`."""
        return self._current.connect(principal, database, access_role, approved=approved)

    def may(self, principal: Principal, action: str, database: DatabaseFacts | None) -> Decision:
        """As `Policies.may`."""
        return self._current.may(principal, action, database)

    def statement(
        self,
        principal: Principal,
        database: DatabaseFacts,
        access_role: str,
        analysis: Analysis,
        *,
        approved: bool = False,
        reasoned: bool = False,
    ) -> Decision:
        """As `Policies.statement`."""
        return self._current.statement(
            principal, database, access_role, analysis, approved=approved, reasoned=reasoned
        )
