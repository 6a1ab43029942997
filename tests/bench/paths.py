"""The ways to one and the same PostgreSQL: direct, through pgbouncer, through dbgate."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg.conninfo

DATABASE = "prod-db"
WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Route:
    """A way to the server: its name and the libpq environment that takes it."""

    name: str
    env: dict[str, str]


def libpq_environment(dsn: str) -> dict[str, str]:
    """The `PG*` variables that mean the same as a DSN, over the caller's own environment."""
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
    }
    values = psycopg.conninfo.conninfo_to_dict(dsn)
    base = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return base | {names[k]: str(v) for k, v in values.items() if k in names and v is not None}


class Bouncer:
    """pgbouncer in session mode, TLS on both sides; the same user as the direct route."""

    def __init__(self, folder: Path, dsn: str, port: int) -> None:
        self._folder = folder
        self._env = libpq_environment(dsn)
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def available() -> bool:
        """Whether the program is installed."""
        return shutil.which("pgbouncer") is not None

    def start(self) -> Route:
        """Start it; give the route through it."""
        env = self._env
        self._certificate()
        (self._folder / "users.txt").write_text(f'"{env["PGUSER"]}" "{env["PGPASSWORD"]}"\n')
        (self._folder / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"* = host={env['PGHOST']} port={env['PGPORT']}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self._port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {self._folder}/users.txt\n"
            "pool_mode = session\nmax_client_conn = 500\ndefault_pool_size = 100\n"
            f"client_tls_sslmode = require\nclient_tls_key_file = {self._folder}/key.pem\n"
            f"client_tls_cert_file = {self._folder}/cert.pem\nserver_tls_sslmode = require\n"
            "ignore_startup_parameters = extra_float_digits\nlogfile =\n"
        )
        for file in (self._folder, *self._folder.iterdir()):
            file.chmod(0o755 if file.is_dir() else 0o644)
        user = (
            {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        )
        self._process = subprocess.Popen(
            ["pgbouncer", "-q", str(self._folder / "pgbouncer.ini")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **user,  # type: ignore[call-overload]
        )
        own = {k: v for k, v in env.items() if k != "PGSSLROOTCERT"}  # its certificate is its own
        own |= {"PGHOST": "127.0.0.1", "PGPORT": str(self._port), "PGSSLMODE": "require"}
        route = Route("pgbouncer TLS/TLS", own)
        wait_for(route)
        return route

    def _certificate(self) -> None:
        subprocess.run(
            shlex.split(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
                " -subj /CN=localhost -keyout key.pem -out cert.pem"
            ),
            cwd=self._folder,
            check=True,
            capture_output=True,
        )

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


class Gate:
    """dbgate's whole path: `dbgate connect --no-client` of alice, kept open."""

    def __init__(self, dbgate: Path, env: dict[str, str]) -> None:
        self._dbgate = dbgate
        self._env = env
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Route:
        """Open the tunnel; give the route through it."""
        self._process = subprocess.Popen(
            [str(self._dbgate), "connect", DATABASE, "--no-client", "--json"],
            env=self._env,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        event: dict[str, Any] = json.loads(self._process.stdout.readline())
        route = Route("dbgate", url_environment(event["dsn"]))
        wait_for(route)
        return route

    @property
    def pid(self) -> int:
        """The process that holds the tunnel; only after `start`."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Close the session."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)


def url_environment(url: str) -> dict[str, str]:
    """The libpq environment of a `postgresql://` URL."""
    parts = urlsplit(url)
    base = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    env = base | {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        "PGSSLMODE": "disable",
        "PGGSSENCMODE": "disable",
    }
    for name, values in parse_qs(parts.query).items():
        if name == "sslmode":
            env["PGSSLMODE"] = values[0]
    return env


def wait_for(route: Route) -> None:
    """Until the route answers `select 1`. Raises TimeoutError after half a minute."""
    deadline = time.monotonic() + WAIT_S
    while True:
        done = subprocess.run(
            ["psql", "-Atqc", "select 1"],
            env=route.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.stdout.strip() == "1":
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{route.name} does not answer: {done.stderr}")
        time.sleep(0.1)
