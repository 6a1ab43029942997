"""The broker's configuration for this home, as TOML that `dbgate_broker.config` reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dbgate_broker.config import load
from dbgate_broker.dev import files
from dbgate_broker.dev.access import LEVELS
from dbgate_broker.dev.databases import Governed
from dbgate_broker.dev.home import Home
from dbgate_broker.dev.people import AUDIENCE, CLIENT_ID
from dbgate_broker.dev.ports import Ports
from dbgate_broker.dev.vault_setup import Access, vault_role

Value = str | int | bool | Path | Sequence[str] | dict[str, str]
_PRINCIPALS: Final[tuple[dict[str, Value], ...]] = (
    {"kind": "Workload", "match": {"workload": "ci"}, "name": "ci", "groups": ["ci"]},
    {"kind": "Agent", "match": {"act.sub": "copilot"}, "name": "copilot", "groups": ["agents"]},
)


def write(
    home: Home,
    ports: Ports,
    access: Access,
    databases: Sequence[Governed],
    policy_directory: Path,
) -> None:
    """Write broker.toml (mode 0600); read it back as the broker will. Raises UsageError."""
    text = configuration(home, ports, access, databases, policy_directory)
    files.write(home.configuration, text.encode())
    load(home.configuration)


def configuration(
    home: Home,
    ports: Ports,
    access: Access,
    databases: Sequence[Governed],
    policy_directory: Path,
) -> str:
    """The file's text."""
    lines = ["# Written by `dbgate dev` at every start: what is changed here is lost."]
    lines += _pairs(
        {
            "policy_directory": policy_directory,
            "state_url": f"sqlite:///{home.root / 'state.db'}",
            "masking_key_file": home.secret("masking-key"),
            "developer_mode": True,
        }
    )
    lines += _table("[listen]", _listen(home, ports))
    lines += _table(
        "[audit]", {"directory": home.root / "audit", "signing_key": home.secret("audit-key.pem")}
    )
    lines += _table("[sessions]", {"drain_s": 0})
    lines += _table("[telemetry]", {"metrics_token_file": home.secret("metrics-token")})
    lines += _table("[vault]", _vault(ports, access))
    lines += _table("[[issuers]]", _issuer(ports))
    for principal in _PRINCIPALS:
        lines += _table("[[issuers.principals]]", principal)
    for database in databases:
        lines += _database(database)
    return "\n".join(lines) + "\n"


def _listen(home: Home, ports: Ports) -> dict[str, Value]:
    return {
        "host": "127.0.0.1",
        "api_port": ports.broker,
        "gateway_port": ports.gateway,
        "public_host": "127.0.0.1",
        "tls_certificate": home.root / "ca" / "broker.pem",
        "tls_key": home.root / "ca" / "broker.key",
    }


def _vault(ports: Ports, access: Access) -> dict[str, Value]:
    return {
        "address": f"http://127.0.0.1:{ports.openbao}",
        "role_id": access.role_id,
        "secret_id_file": access.secret_id_file,
    }


def _issuer(ports: Ports) -> dict[str, Value]:
    return {
        "url": f"http://127.0.0.1:{ports.issuer}",
        "audience": AUDIENCE,
        "client_id": CLIENT_ID,
        "algorithms": ["ES256"],
    }


def _database(database: Governed) -> list[str]:
    values: dict[str, Value] = {
        "name": database.name,
        "host": database.host,
        "port": database.port,
        "dbname": database.dbname,
        "environment": database.environment,
        "tls": database.tls,
    }
    if database.ca_file is not None:
        values["ca_file"] = database.ca_file
    lines = _table("[[databases]]", values)
    for level in LEVELS:
        role: dict[str, Value] = {"name": level, "vault_role": vault_role(database.name, level)}
        lines += _table("[[databases.access_roles]]", role)
    return lines


def _table(header: str, values: dict[str, Value]) -> list[str]:
    return ["", header, *_pairs(values)]


def _pairs(values: dict[str, Value]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def _toml(value: Value) -> str:
    """A TOML value. JSON's strings are TOML's basic strings, but for DEL, which needs an escape."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    return "[" + ", ".join(_toml(item) for item in value) + "]"
