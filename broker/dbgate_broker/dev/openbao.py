"""The embedded OpenBao: its storage persists, it unseals itself, and no root token ever exists.

A static seal (a key file of mode 0600 in the home) opens it at every start, and declarative
self-initialisation makes one administrator at the first. This suits one machine's developer mode; a
real Vault keeps its seal elsewhere.
"""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dbgate_broker.dev import binaries, children, files
from dbgate_broker.dev.home import Home
from dbgate_broker.dev.ports import Ports
from dbgate_core.secret import Secret

NAME: Final = "openbao"
ADMIN: Final = "dev"
START_S: Final = 60.0
ADMIN_POLICY: Final = (
    'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"] }'
)


@dataclass(frozen=True, slots=True)
class Vault:
    """A running OpenBao and how its administrator logs in."""

    address: str
    admin_password: Secret
    made_file: Path
    """Written once the setup is whole; while it is missing, the next start begins anew."""


async def start(family: children.Children, ports: Ports) -> tuple[Vault, children.Child]:
    """Start it, and wait until it is unsealed and answers."""
    home = family.home
    folder = home.root / NAME
    made = folder / "made"
    if not made.exists():
        shutil.rmtree(folder / "data", ignore_errors=True)  # an initialisation that was cut short
    (folder / "data").mkdir(mode=0o700, exist_ok=True)
    files.keep(home.secret("openbao-seal"), lambda: secrets.token_bytes(32))
    password = files.keep_password(home.secret("openbao-admin"))
    files.write(folder / "openbao.hcl", configuration(home, ports).encode())
    argv = [str(binaries.openbao()), "server", f"-config={folder / 'openbao.hcl'}"]
    program = children.Program(NAME, [*argv, "-log-level=warn"], env={"HOME": str(folder)})
    child = await family.start(program)
    await children.until("OpenBao", lambda: _unsealed(ports.openbao), child, START_S)
    return Vault(f"http://127.0.0.1:{ports.openbao}", password, made), child


def configuration(home: Home, ports: Ports) -> str:
    """Its configuration file (HCL). A JSON string is an HCL string but for `${` and `%{`."""
    folder = home.root / NAME
    admin = {"policy": ADMIN_POLICY}
    return f"""\
# Written by `dbgate dev` at every start.
ui = false
api_addr = "http://127.0.0.1:{ports.openbao}"
cluster_addr = "http://127.0.0.1:{ports.openbao_cluster}"
storage "raft" {{
  path = {_string(folder / "data")}
  node_id = "dbgate-dev"
  performance_multiplier = 1
}}
listener "tcp" {{
  address = "127.0.0.1:{ports.openbao}"
  cluster_address = "127.0.0.1:{ports.openbao_cluster}"
  tls_disable = true
}}
seal "static" {{
  current_key_id = "dev-1"
  current_key = {_string(f"file://{home.secret('openbao-seal')}")}
}}
initialize "admin" {{
  request "policy" {{
    operation = "update"
    path = "sys/policies/acl/dev-admin"
    data = {{ policy = {_string(admin["policy"])} }}
  }}
  request "userpass" {{
    operation = "update"
    path = "sys/auth/userpass"
    data = {{ type = "userpass" }}
  }}
  request "user" {{
    operation = "update"
    path = "auth/userpass/users/{ADMIN}"
    data = {{
      password = {{ eval_type = "string" eval_source = "file" path = {_string(home.secret("openbao-admin"))} }}
      token_policies = ["dev-admin"]
    }}
  }}
}}
"""


def _string(text: str | Path) -> str:
    return json.dumps(str(text)).replace("${", "$${").replace("%{", "%%{")


def _unsealed(port: int) -> bool:
    """Whether it is initialised, unsealed and active (`/v1/sys/health` says 200)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v1/sys/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
