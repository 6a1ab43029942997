"""The ready file: all that a test or script needs, once everything answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from dbgate_broker.dev import files
from dbgate_broker.dev.databases import SAMPLES, Governed
from dbgate_broker.dev.home import Home
from dbgate_broker.dev.people import TOKEN_FILES
from dbgate_broker.dev.ports import Ports
from dbgate_broker.dev.postgres import Cluster
from dbgate_core.errors import UsageError


def document(
    home: Home, ports: Ports, cluster: Cluster, databases: Sequence[Governed]
) -> dict[str, object]:
    """What stands in it. The superuser's DSNs are those of developer mode's own databases alone."""
    return {
        "broker": f"https://127.0.0.1:{ports.broker}",
        "ca_file": str(home.ca_file),
        "issuer": f"http://127.0.0.1:{ports.issuer}",
        "gateway": f"127.0.0.1:{ports.gateway}",
        "databases": [database.name for database in databases],
        "identities": {name: {"id_token_file": str(home.identity(name))} for name in TOKEN_FILES},
        "postgres": {one.name: cluster.dsn(one.dbname).expose() for one in SAMPLES},
        "vault": {
            "addr": f"http://127.0.0.1:{ports.openbao}",
            "token_file": str(home.secret("openbao-token")),
        },
    }


def write(file: Path, found: dict[str, object]) -> None:
    """Write it, whole, with mode 0600: it holds the superuser's password."""
    try:
        files.write(file, json.dumps(found, indent=1).encode())
    except OSError as exc:
        raise UsageError(f"cannot write the ready file {file}: {exc.strerror}") from exc
