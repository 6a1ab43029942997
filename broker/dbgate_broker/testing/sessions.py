"""Doubles of what sessions lean on: the log, policy, guards, connections, a clock."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dbgate_broker.gateway.seams import ConnectionFacts, Credentials, LiveGuard, Tell
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision, Verdict
from dbgate_core.errors import AuditUnavailable, Unreachable
from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.principal import Principal
from dbgate_core.sql.analysis import Analysis


class MemoryRecorder:
    """`Recorder` in memory. With `full` set it refuses, as a full disk does."""

    def __init__(self) -> None:
        self.entries: list[dict[str, object]] = []
        self.full = False
        self._lock = threading.Lock()

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        """Keep an entry."""
        with self._lock:
            if self.full:
                raise AuditUnavailable("the audit log cannot be written")
            self.entries.append({**fields, "kind": kind})
            return len(self.entries) - 1

    def of_kind(self, kind: str) -> list[dict[str, object]]:
        """The entries of a kind, in order."""
        with self._lock:
            return [entry for entry in self.entries if entry["kind"] == kind]


class ManualClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class TablePolicy:
    """`ConnectPolicy` as tables: groups to what they may; quorums of roles and of statements.

    `standing` and `askable` hold (group, access role); `powers` hold (group, action);
    `held` maps a statement's canonical text to its quorum; `refused` holds texts that are denied.
    """

    standing: set[tuple[str, str]] = field(default_factory=set)
    askable: set[tuple[str, str]] = field(default_factory=set)
    powers: set[tuple[str, str]] = field(default_factory=set)
    held: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    quorum: str = "dba:1"
    version: str = "tables"

    def connect(
        self,
        principal: Principal,
        database: DatabaseFacts,
        access_role: str,
        *,
        approved: bool = False,
    ) -> Decision:
        """By the principal's groups."""
        if any((group, access_role) in self.standing for group in principal.groups):
            return Decision(Verdict.ALLOW, policies=("standing",))
        if not any((group, access_role) in self.askable for group in principal.groups):
            return Decision(Verdict.DENY)
        if approved:
            return Decision(Verdict.ALLOW, policies=("with-approval",))
        return Decision(Verdict.HOLD, policies=("with-approval",), approval=self.quorum)

    def fixed(self) -> TablePolicy:
        """Itself."""
        return self

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
        """By the text."""
        if analysis.canonical in self.refused:
            return Decision(Verdict.DENY, policies=("never",))
        quorum = self.held.get(analysis.canonical, "")
        if quorum and not approved:
            return Decision(Verdict.HOLD, policies=("held",), approval=quorum)
        return Decision(Verdict.ALLOW, policies=("plain",))

    def may(self, principal: Principal, action: str, database: DatabaseFacts | None) -> Decision:
        """By the principal's groups."""
        allowed = any((group, action) in self.powers for group in principal.groups)
        return Decision(Verdict.ALLOW if allowed else Verdict.DENY, policies=(f"may-{action}",))


class NoHolds:
    """`Holds` that give no leave, and ask nobody."""

    async def decide(
        self,
        session: GuardedSession,
        guard: LiveGuard,
        hold: Hold,
        credentials: Credentials,
        *,
        in_transaction: bool,
        tell: Tell,
    ) -> Refusal:
        """Refuse."""
        return hold.refusal


class NoGuards(NoHolds):
    """`Guards` for sessions that nothing is sent through: every connection is refused."""

    async def guard(
        self, session: GuardedSession, connection: ConnectionFacts, credentials: Credentials
    ) -> LiveGuard:
        """Refuse."""
        raise Unreachable("there is no database behind this session")

    async def refresh(
        self, guard: LiveGuard, session: GuardedSession, credentials: Credentials
    ) -> None:
        """Refuse."""
        raise Unreachable("there is no database behind this session")


class Connection:
    """`Terminable` that keeps what it was told, and how it was ended."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.ended: tuple[str, str] | None = None
        self.drained: tuple[str, str] | None = None

    def warn(self, message: str, hint: str) -> None:
        """Keep it."""
        self.warnings.append(message)

    def terminate(self, sqlstate: str, message: str) -> None:
        """Keep it."""
        self.ended = (sqlstate, message)

    def drain(self, sqlstate: str, message: str) -> None:
        """Keep it; what runs here ends when the test says so."""
        self.drained = (sqlstate, message)
