"""The proof that a database user is gone: PostgreSQL refuses its password."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import Credentials

DEADLINE_S: Final = 2.0

log = logging.getLogger(__name__)

Proof = Callable[[DatabaseConfig, Credentials], Awaitable[bool]]
"""Whether a login is refused. Never raises; a database that does not answer refuses, too."""


async def login_refused(database: DatabaseConfig, credentials: Credentials) -> bool:
    """Try to log in with a revoked user. False only when PostgreSQL lets it in.

    It is asked after Vault has said that it removed the user, and so has reached PostgreSQL: this
    finds revocation statements that do not do what they should.
    """
    try:
        async with asyncio.timeout(DEADLINE_S):
            connection = await psycopg.AsyncConnection.connect(**_parameters(database, credentials))
    except (psycopg.Error, OSError, TimeoutError):
        return True
    await connection.close()
    log.error(
        "PostgreSQL %s still lets the revoked user %s in: compare Vault's revocation statements"
        " with docs/vault.md",
        database.name,
        credentials.username,
    )
    return False


def _parameters(database: DatabaseConfig, credentials: Credentials) -> dict[str, Any]:
    """libpq's connection parameters."""
    parameters: dict[str, Any] = {
        "host": database.host,
        "port": database.port,
        "dbname": database.dbname,
        "user": credentials.username,
        "password": credentials.password.expose(),
        "sslmode": "disable",
        "connect_timeout": int(DEADLINE_S),
        "application_name": "dbgate-revocation-check",
    }
    if database.tls == "verify-full":  # libpq refuses "system" together with "disable"
        ca_file = str(database.ca_file) if database.ca_file else "system"
        parameters |= {"sslmode": "verify-full", "sslrootcert": ca_file}
    return parameters
