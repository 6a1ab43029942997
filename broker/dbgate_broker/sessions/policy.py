"""What sessions and requests ask of policy; `dbgate_core.policy.Policies` answers it."""

from __future__ import annotations

from typing import Protocol

from dbgate_broker.config import DatabaseConfig
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision
from dbgate_core.principal import Principal
from dbgate_core.verdicts import StatementPolicy


class ConnectPolicy(StatementPolicy, Protocol):
    """Who may open what and run what, and who may do what to requests and sessions."""

    def connect(
        self,
        principal: Principal,
        database: DatabaseFacts,
        access_role: str,
        *,
        approved: bool = False,
    ) -> Decision:
        """Whether a session may be opened; HOLD, with the quorum, when only an approval is missing."""

    def may(self, principal: Principal, action: str, database: DatabaseFacts | None) -> Decision:
        """Whether a principal may `request`, `approve`, `session_kill` or `audit_read`."""


def facts_of(database: DatabaseConfig) -> DatabaseFacts:
    """What policy knows of a configured database."""
    return DatabaseFacts(
        name=database.name,
        environment=database.environment,
        labels=frozenset(database.labels.items()),
        engine=database.engine,
    )
