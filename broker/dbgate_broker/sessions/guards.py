"""What a session needs to have its connections guarded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import ConnectionFacts, Credentials, LiveGuard, Tell
from dbgate_core.budget import Budget
from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.principal import Principal
from dbgate_core.scope import Releases
from dbgate_core.series import Series


@dataclass(frozen=True, slots=True)
class GuardedSession:
    """Of a session, what judging, masking and recording its statements takes.

    `hold_s` is how long a statement waits for the approval that it takes; 0: it does not.
    `budget` is what it may use up, with all its connections; `series` are its searches by protected columns.
    `shows_masks`: its clients are told what is masked.
    """

    id: str
    principal: Principal
    database: DatabaseConfig
    access_role: str
    releases: Releases
    reason: str = ""
    hold_s: int = 0
    budget: Budget = field(default_factory=Budget)
    series: Series = field(default_factory=Series)
    shows_masks: bool = False


class Holds(Protocol):
    """Asks for leave for held texts, and waits for it."""

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
        """As `Tunnel.decide`."""


class Guards(Holds, Protocol):
    """Makes the guards of connections. Raises Unreachable when the catalog cannot be read."""

    async def guard(
        self, session: GuardedSession, connection: ConnectionFacts, credentials: Credentials
    ) -> LiveGuard:
        """The guard of a new connection, its catalog loaded, its opening recorded."""

    async def refresh(
        self, guard: LiveGuard, session: GuardedSession, credentials: Credentials
    ) -> None:
        """Give the guard a new catalog after DDL."""
