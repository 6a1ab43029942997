"""Where the corpus runs: one server, databases alike, and dbgate with the shipped policy before one.

A case is sent straight to one database and through dbgate to another. The users may do far more than
a session's user should: what stops an attack here is dbgate, not PostgreSQL's privileges.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

import psycopg

from dbgate_broker.catalog import CatalogService
from dbgate_broker.gateway.seams import ConnectionFacts, Credentials, LiveGuard
from dbgate_broker.guards import ConnectionGuards
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.testing.gateway import FixedTunnel, FixedTunnels
from dbgate_broker.testing.sessions import NoHolds
from dbgate_core.masking.key import MaskKey
from dbgate_core.policy import Policies
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.secret import Secret
from tests import programs
from tests.corpus import state
from tests.corpus.cases import FILES, Group
from tests.differential.peer import Peer
from tests.integration.cli import authority
from tests.integration.gateway.world import USER_PASSWORD, TlsPostgres, World, database
from tests.unit.guard.doubles import Approvals

POLICIES: Final = Path(__file__).parents[2] / "policies"
TEMPLATE, DIRECT, GOVERNED, ALONE = "shop", "direct", "governed", "alone"
USERS: Final = ("ephemeral", "plain")
ROLES: Final = ("readonly", "readwrite", "admin")
ALICE: Final = Principal(
    PrincipalKind.USER, "alice", "https://issuer", "1", frozenset({"developers"})
)
PREPARE: Final = (
    f"create role ephemeral superuser login password '{USER_PASSWORD}'",
    f"create role plain login password '{USER_PASSWORD}'",
    "create role other_role",
    "create role holder login superuser",
    "create database spare",
    f"create database {TEMPLATE}",
)
IMPATIENT: Final = " options='-c statement_timeout=20s'"
"""What an attack has locked is an error, not a wait without end."""
GRANTS: Final = """
grant all on schema public to plain;
grant all on all tables in schema public to plain;
grant all on all sequences in schema public to plain;
"""
SETTINGS: Final = """
autovacuum = off
max_prepared_transactions = 5
logging_collector = on
log_destination = csvlog
log_directory = 'statements'
log_filename = 'all'
log_statement = all
log_timezone = 'UTC'
"""


class Entries:
    """The audit log, in memory."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.all: list[tuple[str, Mapping[str, object]]] = []

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        with self._lock:
            self.all.append((kind, dict(fields)))
            return len(self.all) - 1


class SessionTunnel(FixedTunnel):
    """A session of alice's in one access role, as one database user, with the product's guards."""

    def __init__(self, where: TlsPostgres, ca: Path, made_by: ConnectionGuards, user: str, role: str) -> None:  # fmt: skip
        target = database(where, ca, dbname=GOVERNED, name=f"prod-{user}")
        credentials = Credentials(user, Secret(USER_PASSWORD))
        super().__init__(target, credentials, session_id=f"s-{user}-{role}")
        self._session = GuardedSession(self.session_id, ALICE, target, role, Approvals())
        self._made_by = made_by

    async def guard(self, connection: ConnectionFacts) -> LiveGuard:
        self.facts.append(connection)
        return await self._made_by.guard(self._session, connection, self._credentials)

    async def refresh(self, guard: LiveGuard) -> None:
        await self._made_by.refresh(guard, self._session, self._credentials)


class Place:
    """The server, its databases, dbgate; for as long as it is open."""

    def __init__(self, folder: Path) -> None:
        self._ca, leaf = authority.make(folder)
        base = folder / "server"
        base.mkdir()
        self.server = TlsPostgres(base, leaf)
        self.scratch = base / "scratch"
        self.log = base / "data" / "statements" / "all.csv"
        self.entries = Entries()
        self.completed: dict[str, int] = {}
        """How many statements a text was to the server, as it answered through dbgate."""
        self._world: World | None = None
        self._listening: dict[tuple[str, str], tuple[FixedTunnel, int]] = {}
        self._victim: psycopg.Connection[tuple[object, ...]]
        self._watching: dict[str, psycopg.Connection[tuple[str, str]]] = {}

    def start(self, groups: Sequence[Group]) -> None:
        """Start all of it; `groups` are those whose preparations the databases hold."""
        with (self.server.base / "data" / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        self.server.start()
        for sql in PREPARE:
            self.server.query(sql)
        for folder in (self.scratch, self.scratch.with_name("space")):
            self.server.query(f"copy (select 1) to program 'cat > /dev/null; mkdir {folder}'")
        self._victim = self._another_session()
        self._fill(groups)
        for name in (DIRECT, GOVERNED):
            self.make(name)
        self._open_gateway()

    def _fill(self, groups: Sequence[Group]) -> None:
        with psycopg.connect(self.server.dsn(TEMPLATE), autocommit=True) as connection:
            connection.execute((FILES / "schema.sql").read_bytes())
            for group in groups:
                if group.prepare.strip():
                    connection.execute(self.filled(group.prepare).encode())
            connection.execute(GRANTS.encode())
            connection.execute(state.MADE.encode())

    def _open_gateway(self) -> None:
        files = {f.name: f.read_text() for f in (POLICIES / "default").glob("*.cedar")}
        policies = Policies.load(files, (POLICIES / "schema.cedarschema").read_text())
        made_by = ConnectionGuards(
            CatalogService(), policies, self.entries, MaskKey(b"k" * 32), NoHolds()
        )
        tunnels = {
            (user, role): SessionTunnel(self.server, self._ca, made_by, user, role)
            for user in USERS
            for role in ROLES
        }
        world = self._world = World(self.server, self._ca, self._ca.with_name("leaf.pem"))
        world.tunnels = FixedTunnels(*tunnels.values())
        world.tunnel = tunnels["ephemeral", "admin"]
        world.start()
        self._listening = {key: (t, world.listen(t)) for key, t in tunnels.items()}

    def make(self, name: str) -> None:
        """Make a database as the template is, in place of what is there of the name."""
        if watching := self._watching.pop(name, None):
            watching.close()
        self.server.query(f"drop database if exists {name} with (force)")
        self.server.query(f"create database {name} template {TEMPLATE} strategy file_copy")

    def filled(self, text: str) -> str:
        """The text with the folder that the server may write to."""
        return text.replace("{scratch}", str(self.scratch))

    def direct(self, user: str, name: str = DIRECT) -> Peer:
        """A connection straight to a database."""
        return Peer(self.server.port, user, Secret(USER_PASSWORD), name)

    def governed(self, user: str, role: str) -> Peer:
        """A connection through dbgate."""
        tunnel, port = self._listening[user, role]
        return Peer(port, tunnel.username, tunnel.password, GOVERNED)

    def state(self, name: str) -> state.State:
        """What is in a database now."""
        if name not in self._watching:
            self._watching[name] = psycopg.connect(
                self.server.dsn(name) + IMPATIENT, autocommit=True
            )
        return state.state_of(self._watching[name].execute(state.READ))

    def superuser(self, sql: str, name: str) -> None:
        """What a case has done after it."""
        with psycopg.connect(self.server.dsn(name), autocommit=True) as connection:
            connection.execute(self.filled(sql).encode())

    def tidy(self) -> None:
        """Remove the files that the server was made to write; see to it that there is a victim."""
        for file in self.scratch.iterdir():
            file.unlink()
        self._victim.close()
        self._victim = self._another_session()

    def _another_session(self) -> psycopg.Connection[tuple[object, ...]]:
        """Somebody else's session, which sleeps, for attacks to end it."""
        return psycopg.connect(self.server.dsn() + " application_name=victim", autocommit=True)

    def stop(self) -> None:
        for connection in (*self._watching.values(), self._victim):
            connection.close()
        if self._world is not None:
            self._world.stop()
        self.server.stop()


@contextmanager
def place(groups: Sequence[Group]) -> Iterator[Place]:
    """A place of its own, stopped and removed at the end."""
    programs.server(tls=True)
    with tempfile.TemporaryDirectory(prefix="dbgate-corpus-") as folder:
        Path(folder).chmod(0o755)
        it = Place(Path(folder))
        try:
            it.start(groups)
            yield it
        finally:
            it.stop()
