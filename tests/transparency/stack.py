"""The two routes that every suite takes: direct, and through dbgate's whole path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.bench.paths import Route
from tests.demo.stage import Stage
from tests.e2e.tunnel import tunnel
from tests.transparency.server import DBNAME, Spoilable, spoilable

DATABASE = "suites"
PERSON = "alice"


@dataclass(frozen=True)
class Stack:
    """A server, and the routes to it. Both end as the same database user, a superuser."""

    server: Spoilable
    direct: Route
    through: Route

    def renew(self) -> None:
        """Give the next run the database that the last one got."""
        self.server.renew_database()


@contextmanager
def stack() -> Iterator[Stack]:
    """Start the server, developer mode with the permissive policy, and one tunnel as admin."""
    with spoilable() as server:
        options = ("--policy", "permissive", "--database", f"{DATABASE}={server.broker_dsn}")
        with (
            Stage(*options) as stage,
            tunnel(stage, PERSON, DATABASE, "--role", "admin") as opened,
        ):
            through = Route("dbgate", opened.env)
            user = _ephemeral_superuser(opened.dsn, server)
            direct = through.env | {"PGHOST": "127.0.0.1", "PGPORT": str(server.port)}
            direct |= {"PGUSER": user, "PGDATABASE": DBNAME}
            yield Stack(server, Route("direct", direct), through)
            _as_it_was(user, server)


def _ephemeral_superuser(dsn: str, server: Spoilable) -> str:
    """Make the session's database user a superuser, as PostgreSQL's own suite demands; its name."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT session_user").fetchone()
    assert row is not None
    user = str(row[0])
    name = sql.Identifier(user)
    server.execute(sql.SQL("ALTER ROLE {} SUPERUSER CREATEDB CREATEROLE").format(name))
    server.execute(sql.SQL("ALTER ROLE {} RESET role").format(name))
    return user


def _as_it_was(user: str, server: Spoilable) -> None:
    """Take the rights back and what it owns away: or dbgate could not drop it at the session's end."""
    server.renew_database()
    server.execute(sql.SQL("ALTER ROLE {} NOSUPERUSER").format(sql.Identifier(user)))
