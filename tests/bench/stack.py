"""What the measurements run on: started when a measurement asks for it, ended together.

Developer mode with the shipped production policy, auditing and masking on, a session of alice's, one of bob's,
whose texts are read, one of carol's, who sees all in clear, and the peers before the same PostgreSQL.
"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import psycopg

from tests.bench import peers, procs, tables
from tests.bench.paths import DATABASE, Gate, Route, libpq_environment
from tests.demo.stage import BIN, Stage

SHIPPED = Path(__file__).parents[2] / "policies" / "default"
DIRECT, DIRECT_TLS, DBGATE = "direct", "direct TLS", "dbgate"
CLEAR = "dbgate, unmasked"
"""A session of carol's, who sees everything in clear."""
READING = "dbgate, texts read"
"""A session of bob's: what every text holds is looked for."""
MAX_CONNECTIONS = 2_400
"""Of PostgreSQL: the idle clients, the active ones, and some more."""
SHARED_BUFFERS = "1GB"
"""Every table fits: a read that goes to the disk measures the disk."""

TEXTS = """
@id("bench-reads-texts")
@free_text("mask")
permit (principal in Group::"dba", action == Action::"select", resource)
when { context.access_role == "readonly" };
"""
"""Beside the shipped rules."""

CLEARS = """
@id("bench-clear")
permit (
  principal in Group::"auditors",
  action in [Action::"connect", Action::"select", Action::"session", Action::"unmask"],
  resource
)
when { context.access_role == "readonly" };
"""

P = TypeVar("P", bound=peers.Peer)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is taken: rounds, and what one of them does."""

    rounds: int = 5
    seconds: int = 3
    statements: int = 4_000
    """Of each of eight clients, where CPU time is counted."""
    connects: int = 200
    wide_rows: int = 1_000_000
    idle: int = 2_000


QUICK = Effort(1, 1, 1_000, 50, 50_000, 200)


class Bench:
    """The parts, by name, each made at its first use."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self._stack = ExitStack()
        self._routes: dict[str, Route] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @functools.cached_property
    def stage(self) -> Stage:
        """Developer mode, its PostgreSQL with room for many clients; alice is signed in."""
        policies = self._folder() / "policies"
        shutil.copytree(SHIPPED, policies, ignore=shutil.ignore_patterns("tests"))
        (policies / "bench.cedar").write_text(TEXTS + CLEARS)
        stage = self._stack.enter_context(Stage("--policy", str(policies)))
        with psycopg.connect(stage.ready["postgres"][DATABASE], autocommit=True) as superuser:
            superuser.execute(f"alter system set max_connections = {MAX_CONNECTIONS}".encode())
            superuser.execute(f"alter system set shared_buffers = '{SHARED_BUFFERS}'".encode())
        stage.stop()
        stage.start_dev()
        for person in ("alice", "bob", "carol"):
            stage.run(person, ["dbgate", "login", "--as", person], quiet=True)
        self._let_plain_in(stage)
        tables.prepare(Route(DIRECT_TLS, libpq_environment(stage.ready["postgres"][DATABASE])))
        return stage

    def wide(self, name: str) -> str:
        """The name of a wide table, once both are there."""
        _ = self._wide_rows
        return name

    @functools.cached_property
    def _wide_rows(self) -> int:
        tables.prepare_wide(self.route(DIRECT_TLS), self.effort.wide_rows)
        return self.effort.wide_rows

    @functools.cached_property
    def server(self) -> int:
        """PostgreSQL's postmaster."""
        query = "select pg_backend_pid()"
        with psycopg.connect(self.stage.ready["postgres"][DATABASE]) as superuser:
            (backend,) = superuser.execute(query).fetchone() or (0,)
            return procs.parent(int(backend))

    def route(self, name: str) -> Route:
        """A way to the server."""
        if name not in self._routes:
            self._routes[name] = self._open(name)
        return self._routes[name]

    def _open(self, name: str) -> Route:
        tls = libpq_environment(self.stage.ready["postgres"][DATABASE])
        plain = {k: v for k, v in tls.items() if k != "PGSSLROOTCERT"} | {"PGSSLMODE": "disable"}
        ways: dict[str, Callable[[], Route]] = {
            DIRECT: lambda: Route(name, plain),
            DIRECT_TLS: lambda: Route(name, tls),
            peers.BOUNCER: lambda: self._peer(peers.Bouncer(self._folder())).start(tls),
            peers.HAPROXY: lambda: self._peer(peers.Haproxy(self._folder())).start(plain),
            DBGATE: lambda: self._dbgate(name, "alice"),
            READING: lambda: self._dbgate(name, "bob"),
            CLEAR: lambda: self._dbgate(name, "carol"),
        }
        return ways[name]()

    def _peer(self, peer: P) -> P:
        self._stack.callback(peer.stop)
        return peer

    def _folder(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="dbgate-bench-")))

    def _dbgate(self, name: str, person: str) -> Route:
        """After the tables: of one made later behind its back, a broker masks every column."""
        _ = self._wide_rows
        gate = Gate(name, BIN / "dbgate", self.stage.environment(person))
        self._stack.callback(gate.stop)
        config = str(self.stage.home / "dev" / "broker.toml")
        return gate.start(procs.with_arguments("dbgate_broker", config))

    @staticmethod
    def _let_plain_in(stage: Stage) -> None:
        """Developer mode lets in nothing but TLS; the direct route and haproxy's last leg are plain."""
        with psycopg.connect(stage.ready["postgres"][DATABASE], autocommit=True) as superuser:
            (file,) = superuser.execute("show hba_file").fetchone() or ("",)
            with Path(file).open("a") as hba:
                hba.write("hostnossl all all 127.0.0.1/32 scram-sha-256\n")
            superuser.execute("select pg_reload_conf()")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))
