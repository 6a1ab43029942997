"""Where both ways lead: two databases made alike on one server, a gateway with a real guard before one.

Two, because a NOTIFY reaches everybody in a database, and because what one run makes of it the other
must find as it was. Made from one template, their relations have the same OIDs.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import psycopg

from dbgate_broker.catalog import CatalogService
from dbgate_broker.gateway.seams import ConnectionFacts, Credentials, LiveGuard
from dbgate_broker.guards import ConnectionGuards
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.testing.gateway import FixedTunnel, FixedTunnels
from dbgate_broker.testing.sessions import NoHolds
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision, Verdict
from dbgate_core.masking.key import MaskKey
from dbgate_core.policy import Policies
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.secret import Secret
from dbgate_core.sql.analysis import Analysis
from tests import programs
from tests.integration.cli import authority
from tests.integration.gateway.world import USER_PASSWORD, TlsPostgres, World, database
from tests.unit.guard.doubles import Approvals

POLICIES = Path(__file__).parents[2] / "policies"
FORBIDDEN = "forbidden"
"""The table that the policy of the second comparison refuses."""
DIRECT, GOVERNED = "one", "two"
ROLE = f"create role ephemeral login password '{USER_PASSWORD}'"
PREPARE = (
    "create table items (id int primary key, name text not null)",
    "insert into items select n, 'item ' || n from generate_series(1, 50) n",
    f"create table {FORBIDDEN} (id int)",
    "create table closed (id int)",
    "create function fails_on_start() returns trigger language plpgsql as"
    " $$ begin raise exception 'no copy today'; end $$",
    "create trigger closed before insert on closed execute function fails_on_start()",
    "create function opens(name refcursor) returns refcursor language plpgsql as"
    " $$ begin open name for select id from items order by id; return name; end $$",
    "create function says(word text) returns text language plpgsql as"
    " $$ begin raise notice 'said %', word; return word; end $$",
    "grant select on all tables in schema public to ephemeral",
    "grant insert on closed to ephemeral",
    "create schema play authorization ephemeral",
)


class Everything:
    """The permissive policy; it refuses what names the forbidden table, when told to.

    `rules` are more rules beside it.
    """

    def __init__(self, *, refuses: bool, rules: str = "") -> None:
        files = {f.name: f.read_text() for f in (POLICIES / "permissive").glob("*.cedar")}
        files["more.cedar"] = rules
        self._policies = Policies.load(files, (POLICIES / "schema.cedarschema").read_text())
        self._refuses = refuses
        self.version = self._policies.version

    def fixed(self) -> Everything:
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
        if self._refuses and FORBIDDEN in {r.name for r in analysis.reads | analysis.writes}:
            return Decision(Verdict.DENY, (FORBIDDEN,), "not this table")
        return self._policies.statement(
            principal, database, access_role, analysis, approved=approved, reasoned=reasoned
        )


class Ledger:
    """A log that keeps count alone: what began must end, once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._next = 0
        self.open: set[object] = set()
        self.kinds: Counter[str] = Counter()

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        with self._lock:
            self._next += 1
            self.kinds[kind] += 1
            if kind == "statement":
                self.open.add(self._next)
            elif kind == "statement_end":
                self.open.remove(fields["begin"])
            return self._next


class GuardedTunnel(FixedTunnel):
    """A tunnel whose guards are those of the product."""

    def __init__(self, server: TlsPostgres, ca: Path, policy: Everything, ledger: Ledger) -> None:
        where = database(server, ca, dbname=GOVERNED)
        super().__init__(where, Credentials("ephemeral", Secret(USER_PASSWORD)))
        alice = Principal(PrincipalKind.USER, "alice", "https://issuer", "1", frozenset())
        self._session = GuardedSession(self.session_id, alice, where, "admin", Approvals())
        key = MaskKey(b"k" * 32)
        self._made_by = ConnectionGuards(CatalogService(), policy, ledger, key, NoHolds())

    async def guard(self, connection: ConnectionFacts) -> LiveGuard:
        self.facts.append(connection)
        return await self._made_by.guard(self._session, connection, self._credentials)

    async def refresh(self, guard: LiveGuard) -> None:
        self.refreshed += 1
        await self._made_by.refresh(guard, self._session, self._credentials)


class Place:
    """Both ways, for as long as it is open."""

    def __init__(self, base: Path, folder: Path, prepare: Iterable[str], rules: str) -> None:
        self._prepare, self._rules = prepare, rules
        self._ca, self._leaf = authority.make(folder)
        self.server = TlsPostgres(base, self._leaf)
        self.ledger = Ledger()

    def start(self) -> None:
        self.server.start()
        for sql in (ROLE, *self._prepare):
            self.server.query(sql)
        for name in (DIRECT, GOVERNED):
            self.server.query(f"create database {name} template postgres")

    def run(self, dbname: str, sql: str) -> None:
        """Run a statement in one of the databases, as the superuser."""
        with psycopg.connect(self.server.dsn(dbname), autocommit=True) as connection:
            connection.execute(sql.encode())

    @contextmanager
    def gateway(self, *, refuses: bool = False) -> Iterator[World]:
        """A gateway before one of the databases."""
        world = World(self.server, self._ca, self._leaf)
        policy = Everything(refuses=refuses, rules=self._rules)
        world.tunnel = GuardedTunnel(self.server, self._ca, policy, self.ledger)
        world.tunnels = FixedTunnels(world.tunnel)
        world.start()
        try:
            yield world
        finally:
            world.stop()
        assert not self.ledger.open, "statements that began and never ended"


@contextmanager
def place(prepare: Iterable[str] = PREPARE, rules: str = "") -> Iterator[Place]:
    """A server of its own, stopped and removed at the end.

    `prepare` makes what both databases hold, `rules` stand beside the permissive policy.
    """
    programs.server(tls=True)
    with tempfile.TemporaryDirectory(prefix="dbgate-differential-") as folder:
        base = Path(folder) / "server"
        base.mkdir()
        Path(folder).chmod(0o755)
        it = Place(base, Path(folder), prepare, rules)
        try:
            it.start()
            yield it
        finally:
            it.server.stop()
