"""The two databases of developer mode: made, filled and given their access roles."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from dbgate_broker.dev import postgres
from dbgate_broker.dev.access import (
    AccessRoles,
    database_statements,
    role_statements,
    schema_statements,
)
from dbgate_broker.dev.postgres import Cluster
from dbgate_broker.dev.sample.load import load
from dbgate_core.errors import DbgateError
from dbgate_core.secret import Secret


@dataclass(frozen=True, slots=True)
class Governed:
    """A database that the broker stands in front of, ready for Vault.

    `tls` is `verify-full` or `disable`; `ca_file` None means the system's authorities.
    """

    name: str
    environment: str
    host: str
    port: int
    dbname: str
    tls: str
    ca_file: Path | None
    roles: AccessRoles
    vault_password: Secret


@dataclass(frozen=True, slots=True)
class Sample:
    """One of developer mode's own databases."""

    name: str
    dbname: str
    environment: str


SAMPLES: Final = (
    Sample("prod-db", "shop", "production"),
    Sample("dev-db", "shop_dev", "development"),
)


def prepare(cluster: Cluster) -> list[Governed]:
    """Make what is missing of both databases. May be repeated at every start."""
    try:
        with cluster.connect() as connection:
            _close_system_databases(connection)
            for sample in SAMPLES:
                _create(connection, sample)
        return [_prepare(cluster, sample) for sample in SAMPLES]
    except psycopg.Error as exc:
        raise DbgateError(f"the sample databases cannot be made: {one_line(exc)}") from exc


def _close_system_databases(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Objects that a session made elsewhere would keep its user from being dropped."""
    for name in ("postgres", "template1"):
        connection.execute(
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
        )


def _create(connection: psycopg.Connection[tuple[object, ...]], sample: Sample) -> None:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (sample.dbname,))
    if found.fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(sample.dbname))
        )


def _prepare(cluster: Cluster, sample: Sample) -> Governed:
    roles = AccessRoles.of(sample.name)
    with cluster.connect(sample.dbname) as connection:
        run(connection, role_statements(roles))
        run(connection, database_statements(roles, sample.dbname, owner=True))
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        run(connection, schema_statements(roles, "public", roles.admin))
        run(connection, schema_statements(roles, "public", postgres.SUPERUSER))
        if sample.environment != "production":
            _loosen(connection, roles, sample.dbname)
        if load(connection, roles.admin, seed=sample.name):
            run(connection, schema_statements(roles, "public", roles.admin))
        password = new_vault_password(connection, roles)
    tls = "verify-full" if cluster.server.tls else "disable"
    ca_file = cluster.ca_file if cluster.server.tls else None
    return Governed(
        sample.name,
        sample.environment,
        "127.0.0.1",
        cluster.port,
        sample.dbname,
        tls,
        ca_file,
        roles,
        password,
    )


def _loosen(
    connection: psycopg.Connection[tuple[object, ...]], roles: AccessRoles, dbname: str
) -> None:
    """Outside production, who may write may also make tables, and all may make temporary ones."""
    names = {
        "rw": sql.Identifier(roles.readwrite),
        "ro": sql.Identifier(roles.readonly),
        "database": sql.Identifier(dbname),
    }
    for text in (
        "GRANT CREATE ON SCHEMA public TO {rw}",
        "GRANT TEMPORARY ON DATABASE {database} TO {ro}",
    ):
        connection.execute(sql.SQL(text).format(**names))


def new_vault_password(
    connection: psycopg.Connection[tuple[object, ...]], roles: AccessRoles
) -> Secret:
    """A fresh password of the vault user at every start; OpenBao alone keeps it."""
    password = Secret(secrets.token_urlsafe(32))
    postgres.set_password(connection, roles.vault, password)
    return password


def run(
    connection: psycopg.Connection[tuple[object, ...]], statements: Iterable[sql.Composed]
) -> None:
    """Run statements in one transaction."""
    with connection.transaction():
        for statement in statements:
            connection.execute(statement)


def one_line(exc: BaseException) -> str:
    """A server's or library's error on one line."""
    return " ".join(str(exc).split())
