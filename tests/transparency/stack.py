"""The two routes that every suite takes: direct, and through dbgate's whole path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.bench.paths import Route
from tests.demo.stage import Stage
from tests.e2e.tunnel import tunnel
from tests.transparency.server import Spoilable, spoilable

PERSON = "alice"


@dataclass(frozen=True)
class Stack:
    """A server, and both routes to each of its databases.

    They end as the same database user, a superuser.
    """

    server: Spoilable
    direct: Mapping[str, Route]
    through: Mapping[str, Route]


@contextmanager
def stack(dbnames: Sequence[str]) -> Iterator[Stack]:
    """Start the server, developer mode with the permissive policy, a tunnel a database as admin."""
    with spoilable() as server, ExitStack() as opened:
        options = ["--policy", "permissive"]
        for dbname in dbnames:
            server.renew_database(dbname)
            options += ["--database", f"suites-{dbname}={server.broker_dsn(dbname)}"]
        stage = opened.enter_context(Stage(*options))
        routes = {
            dbname: opened.enter_context(_routes(stage, server, dbname)) for dbname in dbnames
        }
        yield Stack(
            server,
            {dbname: direct for dbname, (direct, _) in routes.items()},
            {dbname: through for dbname, (_, through) in routes.items()},
        )


@contextmanager
def _routes(stage: Stage, server: Spoilable, dbname: str) -> Iterator[tuple[Route, Route]]:
    """The direct route, and the one through a tunnel."""
    with tunnel(stage, PERSON, f"suites-{dbname}", "--role", "admin") as opened:
        user = _ephemeral_superuser(opened.dsn, server)
        through = opened.env
        direct = through | {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": user}
        yield Route("direct", direct), Route("dbgate", through)
        server.renew_database(dbname)
        # What is a superuser's, or owns things elsewhere, could not be dropped at the session's end.
        server.execute(sql.SQL("ALTER ROLE {} NOSUPERUSER").format(sql.Identifier(user)))


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
