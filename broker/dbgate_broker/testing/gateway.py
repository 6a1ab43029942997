"""Doubles for the gateway's seams: tunnels that are known beforehand, a guard that keeps a diary."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import (
    ConnectionFacts,
    Credentials,
    LiveGuard,
    ScramVerifier,
    Tell,
    Terminable,
)
from dbgate_core.errors import AuditUnavailable, Denied, NotFound
from dbgate_core.native import Flight, Track
from dbgate_core.pgwire.guard import (
    STILL,
    CopyMask,
    Hold,
    Moved,
    Outcome,
    Parameters,
    Permit,
    Refusal,
    RowMask,
    Running,
)
from dbgate_core.pgwire.rows import Field
from dbgate_core.secret import Secret


def verifier(password: Secret, iterations: int = 4096) -> ScramVerifier:
    """What is kept of a one-time password (RFC 5802, section 3)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.expose().encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return ScramVerifier(salt, iterations, stored, hmac.digest(salted, b"Server Key", "sha256"))


@dataclass(frozen=True, slots=True)
class TextPermit:
    """The leave to run one text."""

    text: str
    moves: Moved = STILL
    row_cap: int | None = None


@dataclass(slots=True)
class Noted:
    """A statement in the diary: its text, and how it ended."""

    text: str
    protocol: str
    parameters: Parameters | None = None
    outcome: Outcome | None = None


class Rewriter:
    """A mask of rows or of COPY data: a function over the bytes."""

    def __init__(self, change: Callable[[bytes], bytes]) -> None:
        self._change = change
        self.values = 0

    def rewrite(self, data: bytes) -> bytes:
        """Change what comes."""
        return self._change(data)

    def finish(self) -> bytes:
        """Nothing is kept back."""
        return b""


@dataclass
class DiaryGuard:
    """Lets everything pass but texts with `refused` in them; notes what it was asked.

    Texts with `waits` in them are held, unless they stand in `leave`; `refusals` are theirs.
    `stales` texts make it stale; `moves` texts move names, `execute NAME` runs one; `mask` and
    `copy_mask` change data.
    """

    refused: str = "forbidden"
    waits: str = "held for leave"
    leave: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    stales: str = "create table"
    moves: tuple[str, ...] = ("prepare ", "deallocate", "declare ", "close ")
    code: tuple[str, ...] = ()
    mask: RowMask | None = None
    copy_mask: CopyMask | None = None
    log_full: bool = False
    notes: list[Noted] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    fields: list[tuple[Field, ...]] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    renames: list[str] = field(default_factory=list)
    entries: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    closings: int = 0
    stale: bool = False
    changed: bool = False

    def aside(self, text: str) -> Callable[[], None] | None:
        """Nothing takes long."""
        return None

    def judge(self, text: str) -> Permit | Refusal | Hold:
        """Refuse what holds the forbidden word; hold what waits for leave."""
        if self.stale:
            raise AssertionError(f"judged while stale: {text}")
        self.judged.append(text)
        if self.waits in text.lower() and text not in self.leave:
            why = Refusal("42501", "it takes an approval", hint="ask for it", rule="diary")
            return Hold(text, text, hashlib.sha256(text.encode()).hexdigest(), "dba:1", why)
        return self._judge(text)

    def holds(self, hold: Hold) -> bool:
        """Unless a test says that policy changed."""
        return not self.changed

    def refuse(self, hold: Hold, refusal: Refusal) -> Refusal:
        """Note it."""
        self.refusals.append(refusal)
        return refusal

    def _judge(self, text: str) -> Permit | Refusal:
        if self.refused in text.lower():
            return Refusal("42501", f"not allowed: {self.refused}", hint="ask for it", rule="diary")
        lowered = text.lower()
        names = None if lowered.startswith(self.moves) else frozenset[str]()
        run = frozenset(lowered.split()[1:] if lowered.startswith("execute ") else ())
        moved = Moved(names, names, lowered.startswith(self.code), run, run)
        return TextPermit(text, STILL if moved == STILL else moved)

    def admit(self, setting: str) -> Permit | Refusal:
        """Refuse what holds the forbidden word, and keep no note of it."""
        return self._judge(setting)

    def begin(self, permit: Permit, parameters: Parameters | None, protocol: str) -> Running:
        """Note it."""
        if self.log_full:
            raise AuditUnavailable("the audit log cannot be written", hint="free some space")
        noted = Noted(permit.text, protocol, parameters)
        self.notes.append(noted)
        if self.stales in permit.text.lower():
            self.stale = True
        return noted

    def track(self, permit: Permit, values: int, description: bytes) -> Track | None:
        """It wants to be asked each time."""
        return None

    def track_query(self, permit: Permit, description: bytes) -> Track | None:
        """It wants to be asked each time."""
        return None

    def begun(self, flight: Flight) -> tuple[Permit, Running]:
        """Nothing is begun without it."""
        raise AssertionError("an exchange that the diary knows nothing of")

    def rows(self, permit: Permit, fields: Sequence[Field]) -> RowMask | None:
        """The one mask for everything."""
        self.fields.append(tuple(fields))
        return self.mask

    def copy_out(self, permit: Permit, binary: bool, columns: int) -> CopyMask | None:
        """The one mask for every COPY."""
        return self.copy_mask

    def redact(self, permit: Permit | None, fields: dict[str, str]) -> dict[str, str]:
        """Nothing is protected."""
        return fields

    def end(self, running: Running, outcome: Outcome) -> str | None:
        """Note the end; a second one is an error."""
        if not isinstance(running, Noted) or running.outcome is not None:
            raise AssertionError("a statement ended twice, or was never begun")
        running.outcome = outcome
        return None

    def renamed(self, name: str) -> None:
        """Note it."""
        self.renames.append(name)

    def behind(self, name: str) -> str:
        """SQL's names are not followed."""
        return ""

    def transaction(self, status: str) -> None:
        """Note it."""
        self.statuses.append(status)

    def parameter(self, name: str, value: str) -> None:
        """Note it."""
        self.parameters[name] = value

    def notification(self, channel: str, payload: str) -> str:
        """Pass it."""
        return payload

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Keep it."""
        self.entries.append((kind, dict(fields)))

    def closed(self) -> None:
        """Count the closings."""
        self.closings += 1


class FixedTunnel:
    """An open session with one database, one user and a new diary a connection."""

    def __init__(
        self,
        database: DatabaseConfig,
        credentials: Credentials,
        *,
        session_id: str = "s-1",
        username: str = "alice",
        password: Secret | None = None,
        token: Secret | None = None,
    ) -> None:
        self.database = database
        self.session_id = session_id
        self.username = username
        self.password = password or Secret(secrets.token_urlsafe(18))
        self.token = token or Secret(secrets.token_urlsafe(18))
        self.scram = verifier(self.password)
        self.timeout_s: float | None = None
        self.deadline = datetime.now(UTC) + timedelta(hours=1)
        self.make_guard: Callable[[], DiaryGuard] = DiaryGuard
        self.guards: list[DiaryGuard] = []
        self.facts: list[ConnectionFacts] = []
        self.attached: dict[int, Terminable] = {}
        self.detached: list[int] = []
        self.refreshed = 0
        self.changing = 0
        self.decisions: list[asyncio.Future[Refusal | None]] = []
        self.shorts: list[bool] = []
        self.fails: dict[str, Exception] = {}
        self._credentials = credentials

    def _fail(self, step: str) -> None:
        if step in self.fails:
            raise self.fails[step]

    async def credentials(self) -> Credentials:
        """The database user."""
        self._fail("credentials")
        return self._credentials

    def attach(self, connection: Terminable) -> int:
        """Number the connections from 1."""
        self._fail("attach")
        number = len(self.facts) + len(self.attached) + len(self.detached) + 1
        self.attached[number] = connection
        return number

    def detach(self, number: int) -> None:
        """Note it; a second time is an error."""
        del self.attached[number]
        self.detached.append(number)

    async def guard(self, connection: ConnectionFacts) -> LiveGuard:
        """A new diary."""
        self._fail("guard")
        self.facts.append(connection)
        self.guards.append(self.make_guard())
        return self.guards[-1]

    async def decide(
        self, guard: LiveGuard, hold: Hold, *, in_transaction: bool, tell: Tell
    ) -> Refusal | None:
        """Say that it waits; the test decides, by the newest of `decisions`."""
        self.shorts.append(in_transaction)
        self.decisions.append(asyncio.get_running_loop().create_future())
        tell(f"waiting for {hold.text}", "")
        return await self.decisions[-1]

    async def refresh(self, guard: LiveGuard) -> None:
        """Fresh again, unless `changing` says that the schema changed meanwhile."""
        self._fail("refresh")
        self.refreshed += 1
        self.changing -= 1
        if isinstance(guard, DiaryGuard) and self.changing < 0:
            guard.stale = False


class FixedTunnels:
    """Gives the tunnels it was made with to who shows their database, id and token."""

    def __init__(self, *tunnels: FixedTunnel) -> None:
        self.tunnels = list(tunnels)
        self.fails: Exception | None = None

    async def authorize(self, database: str, session_id: str, token: Secret) -> FixedTunnel:
        """Raises NotFound for an unknown database, Denied for anything else that does not fit."""
        if self.fails is not None:
            raise self.fails
        if database not in {tunnel.database.name for tunnel in self.tunnels}:
            raise NotFound(f"no database {database}", hint="dbgate databases")
        for tunnel in self.tunnels:
            fits = (tunnel.database.name, tunnel.session_id) == (database, session_id)
            if fits and tunnel.token == token:
                return tunnel
        raise Denied("this session is not open", code="session.not_open")
