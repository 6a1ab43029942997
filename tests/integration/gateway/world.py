"""A real PostgreSQL with TLS, a gateway before it, and the command line's own listener before that."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import uvloop

from dbgate_broker.config import AccessRoleConfig, DatabaseConfig
from dbgate_broker.dev.binaries import Server
from dbgate_broker.gateway import Gateway, Limits
from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.testing.gateway import DiaryGuard, FixedTunnel, FixedTunnels
from dbgate_cli.proxy import Target
from dbgate_cli.tunnel import Tunnel as Listener
from dbgate_core.secret import Secret
from tests.integration.cli import authority
from tests.integration.credentials.servers import Postgres, wait_until

T = TypeVar("T")
USER_PASSWORD = "ephemeral-secret-5d1c"
LIMIT_S = 20.0
ROWS = 1_000


class TlsPostgres(Postgres):
    """The server with TLS on, a user, and a table."""

    def __init__(self, base: Path, leaf: Path, server: Server | None = None) -> None:
        super().__init__(base, server)
        data = base / "data"
        for name in ("server.crt", "server.key"):
            (data / name).write_bytes(leaf.read_bytes())
            (data / name).chmod(0o600)
            if self._owner:
                os.chown(data / name, self._owner["user"], self._owner["group"])
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write("ssl = on\nmax_connections = 40\n")

    def prepare(self) -> None:
        """Make the ephemeral user and what it reads and writes."""
        for sql in (
            f"create role ephemeral login password '{USER_PASSWORD}'",
            "create table items (id int primary key, name text not null)",
            f"insert into items select n, 'item ' || n from generate_series(1, {ROWS}) n",
            "create table sink (id int, name text)",
            "create function fails_on_start() returns trigger language plpgsql as"
            " $$ begin raise exception 'no copy today'; end $$",
            "create table closed (id int)",
            "create trigger closed before insert on closed execute function fails_on_start()",
            "grant all on all tables in schema public to ephemeral",
            "grant create on schema public to ephemeral",
        ):
            self.query(sql)

    def running(self) -> list[str]:
        """What the ephemeral user's backends run now."""
        rows = self.query(
            "select query from pg_stat_activity where usename = 'ephemeral' and state = 'active'"
        )
        return [row[0] for row in rows]

    def backends(self) -> int:
        """How many backends the ephemeral user has."""
        rows = self.query("select count(*) from pg_stat_activity where usename = 'ephemeral'")
        return int(rows[0][0])


def database(server: Postgres, ca: Path, **changes: Any) -> DatabaseConfig:
    settings: dict[str, Any] = {
        "name": "prod-db",
        "host": "127.0.0.1",
        "port": server.port,
        "dbname": "postgres",
        "environment": "production",
        "ca_file": ca,
        "access_roles": [AccessRoleConfig(name="readonly", vault_role="r")],
    }
    return DatabaseConfig(**(settings | changes))


class World:
    """A loop in a thread with a gateway and listeners; tests talk to it over sockets."""

    def __init__(self, server: TlsPostgres, ca_file: Path, leaf: Path) -> None:
        self.server = server
        self.ca_file = ca_file
        self.leaf = leaf
        self.tunnel = FixedTunnel(
            database(server, ca_file), Credentials("ephemeral", Secret(USER_PASSWORD))
        )
        self.tunnels = FixedTunnels(self.tunnel)
        self.port = 0
        self.local = 0
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._listeners: list[Listener] = []
        self.gateway: Gateway
        self.failures: list[tuple[str, str]] = []

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop's thread; its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    def soon(self, work: Callable[[], None]) -> None:
        """Call in the loop's thread."""
        self._loop.call_soon_threadsafe(work)

    def start(self, limits: Limits | None = None) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.leaf)
        self.gateway = Gateway(
            self.tunnels,
            context,
            limits=limits,
            on_failure=lambda database, exc: self.failures.append((database, exc.code)),
        )
        self.port = self.call(self.gateway.start("127.0.0.1", 0))
        self.local = self.listen(self.tunnel)

    def client_tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    def target(self, tunnel: FixedTunnel) -> Target:
        return Target("127.0.0.1", self.port, tunnel.database.name, tunnel.session_id, tunnel.token)

    def listen(self, tunnel: FixedTunnel) -> int:
        """A listener of the command line for this tunnel; its port."""
        listener = Listener(self.target(tunnel), self.client_tls())
        self._listeners.append(listener)
        return listener.listen_on(0)

    def stop(self) -> None:
        async def close() -> None:
            await self.gateway.stop()
            await self._loop.shutdown_default_executor()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            if rest:
                await asyncio.wait(rest, timeout=5)

        for listener in self._listeners:
            listener.close()
        self.call(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def dsn(self, **changes: object) -> str:
        parts: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.local,
            "user": self.tunnel.username,
            "password": self.tunnel.password.expose(),
            "dbname": "postgres",
            "connect_timeout": 10,
        }
        return " ".join(f"{key}={value}" for key, value in (parts | changes).items())

    def connect(self, **changes: Any) -> psycopg.Connection[tuple[Any, ...]]:
        autocommit = bool(changes.pop("autocommit", True))
        return psycopg.connect(self.dsn(**changes), autocommit=autocommit)

    def settled(self) -> None:
        """Wait until every connection is closed, on both sides, and look at the books."""
        wait_until(lambda: self.gateway.connections == 0, LIMIT_S, "the connections' end")
        wait_until(lambda: self.server.backends() == 0, LIMIT_S, "the backends' end")
        assert not self.tunnel.attached
        assert [guard.closings for guard in self.tunnel.guards] == [1] * len(self.tunnel.guards)
        for guard in self.tunnel.guards:
            assert all(noted.outcome is not None for noted in guard.notes)

    @property
    def guard(self) -> DiaryGuard:
        """The newest connection's diary."""
        return self.tunnel.guards[-1]


@contextmanager
def world(server: TlsPostgres, ca_file: Path, leaf: Path) -> Iterator[World]:
    """A world per test; at its end everything must have been closed once."""
    it = World(server, ca_file, leaf)
    it.start()
    try:
        yield it
        it.settled()
    finally:
        it.stop()


__all__ = ["TlsPostgres", "World", "authority", "database", "world"]
