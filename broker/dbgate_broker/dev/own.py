"""`--database NAME=DSN`: a PostgreSQL of the user's own, given access roles and a vault user.

The DSN's user makes, in its own server and repeatably: three groups, a user for OpenBao with a
fresh password, and the groups' privileges on every schema that is not the system's. Nothing is
taken from PUBLIC, and nothing that is there is changed. The DSN's password is used here, once, and
is neither kept nor printed.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from dbgate_broker.dev.access import (
    AccessRoles,
    database_statements,
    role_statements,
    schema_statements,
)
from dbgate_broker.dev.console import say
from dbgate_broker.dev.databases import Governed, new_vault_password, one_line, run
from dbgate_core.errors import Denied, Unreachable, UsageError
from dbgate_core.secret import Secret

CONNECT_S: Final = 5
ENVIRONMENT: Final = "production"
Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """A checked DSN. `tls` and `ca_file` are as the broker's configuration has them."""

    name: str
    dsn: Secret
    host: str
    tls: str
    ca_file: Path | None


def target(name: str, dsn: str) -> Target:
    """Check a DSN without connecting. Raises UsageError, which never holds the DSN.

    The broker connects by TCP, and verifies: sslmode=verify-full, with sslrootcert or the
    system's authorities. A server on this machine's loopback may do without TLS.
    """
    try:
        values = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
    except psycopg.ProgrammingError:
        raise UsageError(
            f"--database {name}: this is no DSN",
            hint="postgresql://user:password@host:5432/dbname",
        ) from None  # its text repeats the DSN
    host = values.get("host", "")
    if not host or host.startswith(("/", "@")) or "," in host:
        raise UsageError(
            f"--database {name}: the DSN must name one host", hint="host=127.0.0.1, no socket"
        )
    tls, ca_file = _tls(name, host, values)
    settled = {"sslmode": tls, "connect_timeout": str(CONNECT_S)}
    if tls == "verify-full":
        settled["sslrootcert"] = str(ca_file) if ca_file else "system"
    return Target(name, Secret(psycopg.conninfo.make_conninfo(dsn, **settled)), host, tls, ca_file)


def _tls(name: str, host: str, values: dict[str, str]) -> tuple[str, Path | None]:
    mode, root = values.get("sslmode", "prefer"), values.get("sslrootcert", "")
    if mode == "verify-full" or root == "system":
        file = Path(root).expanduser().absolute() if root and root != "system" else None
        if file is not None and not file.is_file():
            raise UsageError(f"--database {name}: sslrootcert {file} is not there")
        return "verify-full", file
    if is_loopback(host) and mode in ("disable", "allow", "prefer"):
        return "disable", None
    raise UsageError(
        f"--database {name}: sslmode={mode} does not verify the server {host}",
        hint="add sslmode=verify-full and sslrootcert=FILE (or sslrootcert=system) to the DSN",
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's loopback, by its spelling: names are not looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def prepare(wanted: Target) -> Governed:
    """Make groups, vault user and privileges. May be repeated at every start.

    Raises Unreachable when the server does not let us in, Denied when the user may not make roles.
    """
    roles = AccessRoles.of(wanted.name)
    try:
        connection = psycopg.connect(wanted.dsn.expose(), autocommit=True)
    except psycopg.OperationalError as exc:
        raise Unreachable(
            f"--database {wanted.name}: {_without_secrets(exc, wanted)}",
            hint="try the same DSN with psql",
        ) from None
    with connection:
        return _prepare(connection, wanted, roles)


def _prepare(connection: Connection, wanted: Target, roles: AccessRoles) -> Governed:
    me, dbname, port = (
        connection.info.user,
        connection.info.dbname,
        connection.info.port,
    )
    _check(connection, wanted.name, me)
    try:
        run(connection, role_statements(roles))
        run(connection, database_statements(roles, dbname, owner=False))
        password = new_vault_password(connection, roles)
    except psycopg.errors.InsufficientPrivilege as exc:
        raise Denied(
            f"--database {wanted.name}: {one_line(exc)}",
            hint=f"as a superuser: GRANT pg_signal_backend TO {me} WITH ADMIN OPTION;"
            f" ALTER ROLE {me} CREATEROLE",
        ) from exc
    skipped = _grant(connection, roles, me)
    if not _admin_as(connection, roles, me):
        say(f"{wanted.name}: admin gets privileges on what is there; {me} cannot share its own")
        say(f"{wanted.name}: from PostgreSQL 16 on only a superuser's DSN can")
    if skipped:
        say(f"{wanted.name}: {me} may not grant on {', '.join(skipped[:5])}: left as they are")
    return Governed(
        wanted.name,
        ENVIRONMENT,
        wanted.host,
        port,
        dbname,
        wanted.tls,
        wanted.ca_file,
        roles,
        password,
    )


def _check(connection: Connection, name: str, me: str) -> None:
    row = connection.execute(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row is None or not row[0]:
        raise Denied(
            f"--database {name}: the user {me} may not create roles",
            hint=f"as a superuser: ALTER ROLE {me} CREATEROLE",
        )
    if connection.info.server_version < 140000:
        raise UsageError(f"--database {name}: PostgreSQL 14 or newer is needed")


def _grant(connection: Connection, roles: AccessRoles, me: str) -> list[str]:
    """Privileges in every schema; the schemas where we may not grant, or not everything."""
    rows = connection.execute(
        "SELECT nspname FROM pg_namespace"
        " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
    ).fetchall()
    skipped = []
    for schema in (str(row[0]) for row in rows):
        refused = False
        for statement in schema_statements(roles, schema, me):
            try:
                connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                refused = True
        if refused:
            skipped.append(schema)
    return skipped


def _admin_as(connection: Connection, roles: AccessRoles, me: str) -> bool:
    """Make the admin group a member of the DSN's user, so that it may do what that user may.

    From PostgreSQL 16 on nobody but a superuser has ADMIN OPTION on itself; and who makes a role
    is a member of it, so that the reverse would be a circle.
    """
    grant = sql.SQL("GRANT {} TO {}").format(sql.Identifier(me), sql.Identifier(roles.admin))
    try:
        connection.execute(grant)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidGrantOperation):
        return False
    return True


def _without_secrets(exc: BaseException, wanted: Target) -> str:
    """The library's error, with the password taken out should it ever be in it."""
    text = one_line(exc)
    password = conninfo_to_dict(wanted.dsn.expose()).get("password")
    return text.replace(str(password), "***") if password else text
