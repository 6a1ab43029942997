"""What OpenBao must hold for the broker, as docs/vault.md says; put right at every start.

1. The administrator logs in (developer mode's own; the broker never sees this token).
2. The database engine, a connection a database, a role an access role.
3. A policy that allows taking, renewing, revoking and listing these leases, and nothing else.
4. The AppRole `dbgate` with a periodic token, and a fresh secret id in a file of mode 0600.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import hvac  # type: ignore[import-untyped]  # it ships no types
import requests
from hvac.exceptions import VaultError  # type: ignore[import-untyped]

from dbgate_broker.dev import files
from dbgate_broker.dev.access import LEVELS
from dbgate_broker.dev.databases import Governed, one_line
from dbgate_broker.dev.home import Home
from dbgate_broker.dev.openbao import ADMIN, Vault
from dbgate_core.errors import DbgateError, Unreachable
from dbgate_core.secret import Secret

MOUNT: Final = "database"
APPROLE: Final = "dbgate"
CALL_S: Final = 15
LOGIN_S: Final = 10.0
LEASE_TTL: Final = "1h"
LEASE_MAX_TTL: Final = "24h"
TOKEN_PERIOD: Final = "1h"  # noqa: S105 - a duration
CONNECTIONS: Final = 8
"""OpenBao's own connections to a database; the engine makes one user at a time anyway."""

Client = Any  # hvac.Client, which is untyped
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Access:
    """How the broker enters: the AppRole's role id, and the file of its secret id."""

    role_id: str
    secret_id_file: Path


def vault_role(database: str, level: str) -> str:
    """The Vault database role of an access role."""
    return f"{database}-{level}"


def setup(vault: Vault, home: Home, databases: Sequence[Governed]) -> Access:
    """Put everything right. Raises Unreachable or DbgateError, naming the call that failed."""
    client = hvac.Client(url=vault.address, timeout=CALL_S, allow_redirects=False)
    _login(client, vault.admin_password)
    files.write(home.secret("openbao-token"), f"{client.token}\n".encode())
    _call("the database engine", lambda: _engine(client))
    for database in databases:
        _call(f"the connection of {database.name}", partial(_connection, client, database))
        for level in LEVELS:
            _call(f"the roles of {database.name}", partial(_role, client, database, level))
    access = _call("the AppRole", lambda: _approle(client, home, databases))
    files.write(vault.made_file, b"")
    return access


def write_admin_token(vault: Vault, home: Home) -> None:
    """Write a fresh administrator token into its file, before the one in it expires."""
    client = hvac.Client(url=vault.address, timeout=CALL_S, allow_redirects=False)
    _login(client, vault.admin_password)
    files.write(home.secret("openbao-token"), f"{client.token}\n".encode())


def policy(databases: Sequence[Governed]) -> str:
    """The broker's policy (docs/vault.md, "policy")."""
    roles = [vault_role(d.name, level) for d in databases for level in LEVELS]
    lines = [f'path "{MOUNT}/creds/{role}" {{ capabilities = ["read"] }}' for role in roles]
    for action in ("renew", "revoke"):
        lines.append(f'path "sys/leases/{action}" {{ capabilities = ["update"] }}')
    lines += [
        f'path "sys/leases/lookup/{MOUNT}/creds/{role}/" {{ capabilities = ["list", "sudo"] }}'
        for role in roles
    ]
    return "\n".join(lines) + "\n"


def connection_url(database: Governed) -> str:
    """OpenBao's way to a database; it puts its user and password in by itself."""
    tls = {"sslmode": database.tls}
    if database.ca_file is not None:
        tls["sslrootcert"] = str(database.ca_file)
    host = f"[{database.host}]" if ":" in database.host else database.host
    query = urlencode({**tls, "connect_timeout": 5}, quote_via=quote)
    return (
        f"postgresql://{{{{username}}}}:{{{{password}}}}@{host}:{database.port}"
        f"/{quote(database.dbname, safe='')}?{query}"
    )


def _login(client: Client, password: Secret) -> None:
    """Just after its first start OpenBao may still be making its administrator."""
    deadline = time.monotonic() + LOGIN_S
    while True:
        try:
            client.auth.userpass.login(ADMIN, password.expose())
            return
        except (VaultError, requests.RequestException) as exc:
            if time.monotonic() > deadline:
                raise Unreachable(
                    "OpenBao does not let its administrator in",
                    hint="its folder may be of another home: remove openbao/ and secrets/openbao-*",
                ) from exc
            time.sleep(0.05)


def _engine(client: Client) -> None:
    if f"{MOUNT}/" not in client.sys.list_mounted_secrets_engines()["data"]:
        client.sys.enable_secrets_engine("database", path=MOUNT)


def _connection(client: Client, database: Governed) -> None:
    client.secrets.database.configure(
        database.name,
        plugin_name="postgresql-database-plugin",
        allowed_roles=[vault_role(database.name, level) for level in LEVELS],
        connection_url=connection_url(database),
        username=database.roles.vault,
        password=database.vault_password.expose(),
        password_authentication="scram-sha-256",  # noqa: S106 - a method's name
        max_open_connections=CONNECTIONS,
        mount_point=MOUNT,
    )


def _role(client: Client, database: Governed, level: str) -> None:
    client.secrets.database.create_role(
        vault_role(database.name, level),
        database.name,
        database.roles.creation(level),
        default_ttl=LEASE_TTL,
        max_ttl=LEASE_MAX_TTL,
        revocation_statements=database.roles.revocation(),
        mount_point=MOUNT,
    )


def _approle(client: Client, home: Home, databases: Sequence[Governed]) -> Access:
    if "approle/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method("approle")
    client.sys.create_or_update_policy(APPROLE, policy(databases))
    client.auth.approle.create_or_update_approle(
        APPROLE,
        token_policies=[APPROLE],
        token_no_default_policy=False,
        token_period=TOKEN_PERIOD,
        secret_id_num_uses=0,
        secret_id_bound_cidrs=["127.0.0.1/32"],
        token_bound_cidrs=["127.0.0.1/32"],
    )
    file = home.secret("openbao-secret-id")
    if file.exists():
        client.auth.approle.destroy_secret_id(APPROLE, file.read_text().strip())
    secret_id = client.auth.approle.generate_secret_id(APPROLE)["data"]["secret_id"]
    files.write(file, f"{secret_id}\n".encode())
    return Access(client.auth.approle.read_role_id(APPROLE)["data"]["role_id"], file)


def _call(what: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except requests.RequestException as exc:
        raise Unreachable(f"OpenBao does not answer while making {what}") from exc
    except VaultError as exc:
        raise DbgateError(f"OpenBao refuses to make {what}: {one_line(exc)}") from exc
