"""An open session in this broker's memory: its tunnel, its connections, its credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Final

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import (
    ConnectionFacts,
    Credentials,
    LiveGuard,
    ScramVerifier,
    Tell,
    Terminable,
)
from dbgate_broker.sessions.guards import GuardedSession, Guards
from dbgate_broker.sessions.leasing import Held
from dbgate_broker.sessions.tickets import Stub, login_name
from dbgate_broker.store.sessions import SessionRow
from dbgate_core.budget import Day
from dbgate_core.errors import Denied, LimitExceeded
from dbgate_core.pgwire.guard import Hold, Refusal

MAX_CONNECTIONS: Final = 2_500
"""Of one session at once: the pools of a large application. PostgreSQL's own max_connections, 100
by default, mostly comes first; the gateway has room for several such sessions."""
TOO_MANY_CONNECTIONS: Final = "53300"
ADMIN_SHUTDOWN: Final = "57P01"


class LiveSession:
    """`Tunnel` of an open session. Lives in the event loop's thread alone.

    Whoever ends it calls `shut` first: from then on nothing attaches, and no credentials are given.
    """

    def __init__(
        self,
        row: SessionRow,
        guarded: GuardedSession,
        stub: Stub,
        held: Held,
        guards: Guards,
        clock: Callable[[], datetime],
    ) -> None:
        self.row = row
        self.held = held
        self.closing: asyncio.Task[None] | None = None
        self.opened_connections = 0
        self.renewing = False
        self.idle_since: datetime | None = clock()
        self.seen_at = clock()
        self.warned = False
        self._guarded = guarded
        self._stub = stub
        self._guards = guards
        self._clock = clock
        self._numbers = count(1)
        self._connections: dict[int, Terminable] = {}
        self._shut = ""
        self._draining = ""

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.row.id

    @property
    def username(self) -> str:
        """What the client must log in as."""
        return login_name(self.row.principal.name)

    @property
    def scram(self) -> ScramVerifier:
        """What checks the client's one-time password."""
        return self._stub.scram

    @property
    def stub(self) -> Stub:
        """What checks the tunnel token."""
        return self._stub

    @property
    def database(self) -> DatabaseConfig:
        """Where it leads."""
        return self._guarded.database

    @property
    def timeout_s(self) -> float | None:
        """How long the server may work on one statement of it."""
        return self._guarded.budget.limits.timeout_s

    @property
    def day(self) -> Day | None:
        """What its principal uses up of limits of the day, where there are any."""
        return self._guarded.budget.day

    @property
    def deadline(self) -> datetime:
        """When it ends: the end of its grant's window, or of the longest session."""
        return self.row.expires_at

    @property
    def connections(self) -> int:
        """How many connections are attached."""
        return len(self._connections)

    @property
    def drained(self) -> bool:
        """Whether it takes no more connections, and its last one has ended."""
        return bool(self._draining) and not self._connections

    @property
    def is_shut(self) -> bool:
        """Whether it is being closed, or is closed."""
        return bool(self._shut)

    async def credentials(self) -> Credentials:
        """The database user. Raises Denied once the session ends."""
        self.demand_open()
        return self.held.credentials

    def attach(self, connection: Terminable) -> int:
        """Register a connection; its number, from 1. Raises LimitExceeded, or Denied once it ends."""
        self.demand_open()
        if self._draining:
            raise not_open(self.database.name, self._draining)
        if len(self._connections) >= MAX_CONNECTIONS:
            raise LimitExceeded(
                f"a session has at most {MAX_CONNECTIONS} connections",
                hint="close some, or open another session",
                sqlstate=TOO_MANY_CONNECTIONS,
            )
        number = next(self._numbers)
        self._connections[number] = connection
        self.opened_connections += 1
        self.idle_since = None
        if self.warned:
            self._warn(connection)
        return number

    def detach(self, number: int) -> None:
        """A connection ended; the session is idle from the last one's end."""
        if self._connections.pop(number, None) is not None and not self._connections:
            self.idle_since = self._clock()

    def seen(self) -> None:
        """Its owner's `dbgate` lives: it looked at the session, or showed the tunnel's token."""
        self.seen_at = self._clock()

    def warn(self) -> None:
        """Tell every connection that the session's time is nearly over, later ones too; once."""
        if not self.warned:
            self.warned = True
            for connection in list(self._connections.values()):
                self._warn(connection)

    def _warn(self, connection: Terminable) -> None:
        ends = self.deadline.astimezone(UTC).strftime("%H:%M:%S UTC")
        hint = f"finish what you do; to go on after it: dbgate connect {self.database.name}"
        connection.warn(f"this session ends at {ends}", hint)

    async def guard(self, connection: ConnectionFacts) -> LiveGuard:
        """The guard of a connection, its catalog loaded."""
        return await self._guards.guard(self._guarded, connection, await self.credentials())

    async def refresh(self, guard: LiveGuard) -> None:
        """Read the catalog again after DDL."""
        await self._guards.refresh(guard, self._guarded, await self.credentials())

    async def decide(
        self, guard: LiveGuard, hold: Hold, *, in_transaction: bool, tell: Tell
    ) -> Refusal | None:
        """Wait for somebody's leave for a held text."""
        return await self._guards.decide(
            self._guarded,
            guard,
            hold,
            await self.credentials(),
            in_transaction=in_transaction,
            tell=tell,
        )

    def shut(self, reason: str) -> None:
        """Admit nothing more, and end every connection with SQLSTATE 57P01 and the reason."""
        if self._shut:
            return
        self._shut = reason
        for connection in list(self._connections.values()):
            connection.terminate(ADMIN_SHUTDOWN, reason)

    def drain(self, reason: str) -> None:
        """Admit nothing more, and let each connection end by 57P01 once nothing of it runs."""
        self._draining = reason
        for connection in list(self._connections.values()):
            connection.drain(ADMIN_SHUTDOWN, reason)

    def demand_open(self) -> None:
        """Raise Denied when the session is over, by its clock too."""
        if self._shut or self._clock() >= self.deadline:
            raise not_open(self._guarded.database.name, self._shut)


def not_open(database: str, reason: str = "") -> Denied:
    """The one answer to a wrong token, another's session, a closed one, and one that never was."""
    return Denied(
        "this session is not open" + (f": {reason}" if reason else ""),
        hint=f"open another one: dbgate connect {database}",
        code="session.not_open",
    )
