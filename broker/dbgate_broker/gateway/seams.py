"""What the gateway asks of the rest of the broker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from dbgate_broker.config import DatabaseConfig
from dbgate_core.pgwire.guard import Guard, Hold, Permit, Refusal
from dbgate_core.pgwire.scram_client import Challenge, Keys
from dbgate_core.secret import Secret

Tell = Callable[[str, str], None]
"""Says a message and a hint to a connection's client."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The ephemeral database user of a session; `keys` are those of its log-ins, once made."""

    username: str
    password: Secret
    keys: dict[Challenge, Keys] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ScramVerifier:
    """What is kept of a one-time password (RFC 5802, section 3): enough to check it, not to use it."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """What is known of a connection when it opens: its number and what the client said.

    `settings` are those that it asks for, its application_name among them.
    """

    number: int
    settings: Mapping[str, str] = field(default_factory=dict)
    peer: str = ""


class Terminable(Protocol):
    """A connection that can be spoken to, and ended, from outside."""

    def warn(self, message: str, hint: str) -> None:
        """Send the client a NoticeResponse, where its stream has room for one."""

    def terminate(self, sqlstate: str, message: str) -> None:
        """Tell the client why, and close both sides."""

    def drain(self, sqlstate: str, message: str) -> None:
        """The same, once nothing runs and no transaction is open."""


class LiveGuard(Guard, Protocol):
    """A guard that says when its catalog must be read again before the next statement."""

    @property
    def stale(self) -> bool:
        """True after DDL passed, until refreshed."""

    def admit(self, setting: str) -> Permit | Refusal:
        """Judge a SET that the client asks for in its StartupMessage."""

    def holds(self, hold: Hold) -> bool:
        """Whether the text still waits for the same leave, by the policies in force."""

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write an entry of this connection. Raises AuditUnavailable."""

    def closed(self) -> None:
        """Write the connection's last entry."""


class Tunnel(Protocol):
    """An open session, as the gateway sees it."""

    @property
    def session_id(self) -> str:
        """The session's id."""

    @property
    def username(self) -> str:
        """What the client must log in as."""

    @property
    def scram(self) -> ScramVerifier:
        """What checks the client's one-time password."""

    @property
    def database(self) -> DatabaseConfig:
        """Where it leads."""

    @property
    def timeout_s(self) -> float | None:
        """How long the server may work on one statement; None: as long as it takes."""

    @property
    def deadline(self) -> datetime:
        """When it ends."""

    async def credentials(self) -> Credentials:
        """The database user; waits for the lease. Raises Unreachable."""

    def attach(self, connection: Terminable) -> int:
        """Register a connection; its number. Raises LimitExceeded or Denied when closed."""

    def detach(self, number: int) -> None:
        """A connection ended."""

    async def guard(self, connection: ConnectionFacts) -> LiveGuard:
        """The guard of a connection, its catalog loaded."""

    async def refresh(self, guard: LiveGuard) -> None:
        """Read the catalog again after DDL."""

    async def decide(
        self, guard: LiveGuard, hold: Hold, *, in_transaction: bool, tell: Tell
    ) -> Refusal | None:
        """Wait for somebody's leave for a held text; the refusal that is due if it gets none.

        None: other policies make something else of it, so it is to be judged anew. Cancelled, it
        takes back what it asked for.
        """


class Tunnels(Protocol):
    """Gives tunnels to those who show the right token."""

    async def authorize(self, database: str, session_id: str, token: Secret) -> Tunnel:
        """Raises Denied, NotFound or Unreachable."""
