"""What the HTTP API asks of the rest of the broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from dbgate_broker.audit.search import AuditQuery
from dbgate_broker.identity.authenticator import Identity
from dbgate_core import contract
from dbgate_core.audit.recorder import Recorder
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision
from dbgate_core.principal import Principal
from dbgate_core.secret import Secret

AUDIT_READERS: Final = 2
"""Threads for reading the log: a slow search must not take the threads that write it."""


class Authenticates(Protocol):
    """`dbgate_broker.identity.Authenticator`."""

    async def verify(self, bearer: Secret | str) -> Identity:
        """Whom a token stands for. Raises NotSignedIn, Unreachable."""


class SessionsApi(Protocol):
    """The part of `dbgate_broker.sessions.service.Sessions` that people reach."""

    async def databases_for(self, principal: Principal) -> Sequence[contract.DatabaseInfo]:
        """The databases a principal may see."""

    def facts(self, database: str) -> DatabaseFacts:
        """What policy knows of a configured database. Raises NotFound."""

    async def open(self, principal: Principal, ask: contract.OpenSession) -> contract.OpenedSession:
        """Open a session."""

    async def list(
        self, principal: Principal, state: str = "open"
    ) -> Sequence[contract.SessionInfo]:
        """The sessions a principal may see: `open`, `closed`, or `` for all."""

    async def get(self, principal: Principal, session_id: str) -> contract.SessionInfo:
        """One session. Raises NotFound also when the principal may not see it."""

    async def close(
        self, principal: Principal, session_id: str, reason: str = ""
    ) -> contract.SessionInfo:
        """Close an own session, or kill another's."""


class RequestsApi(Protocol):
    """`dbgate_broker.sessions.requests.Requests`."""

    async def ask(
        self, principal: Principal, ask: contract.AskAccess
    ) -> contract.AccessRequestInfo:
        """Make an access request."""

    async def list(
        self, principal: Principal, state: str = ""
    ) -> Sequence[contract.AccessRequestInfo]:
        """The requests that a principal may see."""

    async def get(self, principal: Principal, request_id: str) -> contract.AccessRequestInfo:
        """One request. Raises NotFound also when the principal may not see it."""

    async def wait(
        self, principal: Principal, request_id: str, timeout_s: float
    ) -> contract.AccessRequestInfo:
        """One request, when it is no longer pending or after `timeout_s`."""

    async def approve(
        self, principal: Principal, request_id: str, comment: str = ""
    ) -> contract.AccessRequestInfo:
        """Vote for it."""

    async def deny(
        self, principal: Principal, request_id: str, comment: str = ""
    ) -> contract.AccessRequestInfo:
        """Vote against it."""

    async def withdraw(self, principal: Principal, request_id: str) -> contract.AccessRequestInfo:
        """Take an own pending request back."""


class ClassesApi(Protocol):
    """The part of `classify.service.Classifier` that people reach."""

    async def show(self, database: str) -> contract.DatabaseClasses:
        """What the columns of a configured database hold."""


class ExplainsStatements(Protocol):
    """`explaining.Explainer`."""

    async def explain(self, principal: Principal, ask: contract.Explain) -> contract.Explanation:
        """What would become of a statement. Raises NotFound."""


class AuditReader(Protocol):
    """The reading side of `dbgate_broker.audit.log.AuditLog`; called in threads."""

    def search(self, query: AuditQuery, cursor: str = "", limit: int = 200) -> contract.AuditPage:
        """A page of what matches, in log order."""

    def session(self, session_id: str, cursor: str = "") -> contract.AuditPage:
        """A page of a session's entries."""

    def files(self) -> contract.LogFiles:
        """The files of the log."""

    def read_file(self, name: str) -> Path:
        """Where a file of the log is. Raises NotFound for any other name."""

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint, over everything written before the call."""


class ReadinessApi(Protocol):
    """`telemetry.readiness.Readiness`."""

    async def look(self) -> Mapping[str, bool]:
        """Each part that is needed, and whether it answers."""


class AnswersCounted(Protocol):
    """The part of `telemetry.tally.Tallies` that counts answers."""

    def answered(self, method: str, route: str, status: int, ns: int) -> None:
        """Count one; `route` is the path as the table has it."""


class MayPolicy(Protocol):
    """The part of `sessions.policy.ConnectPolicy` that the API itself asks."""

    def may(self, principal: Principal, action: str, database: DatabaseFacts | None) -> Decision:
        """Whether a principal may `audit_read` or `approve`."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that the handlers work with. Without a recorder, reading the log leaves no trace in it."""

    authenticator: Authenticates
    sessions: SessionsApi
    requests: RequestsApi
    classes: ClassesApi
    explaining: ExplainsStatements
    audit: AuditReader
    policies: MayPolicy
    discovery: contract.Discovery
    readiness: ReadinessApi
    counted: AnswersCounted
    recorder: Recorder | None = None
    readers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(AUDIT_READERS, "audit-read")
    )
