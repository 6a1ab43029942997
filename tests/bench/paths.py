"""Ways to one and the same PostgreSQL, as libpq's environment takes them."""

from __future__ import annotations

import json
import os
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
    """A way to the server: its name, the libpq environment that takes it, and its relays.

    `relays` are process ids by the part they play; the client and the server are none.
    """

    name: str
    env: dict[str, str]
    relays: tuple[tuple[str, int], ...] = ()


def own_environment() -> dict[str, str]:
    """The caller's environment without libpq's variables."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")}


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
    found = {names[k]: str(v) for k, v in values.items() if k in names and v is not None}
    return own_environment() | found


def url_environment(url: str) -> dict[str, str]:
    """The libpq environment of a `postgresql://` URL."""
    parts = urlsplit(url)
    env = own_environment() | {
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


class Gate:
    """dbgate's whole path: a `dbgate connect --no-client`, kept open; `name` is its route's."""

    def __init__(self, name: str, dbgate: Path, env: dict[str, str]) -> None:
        self._name = name
        self._dbgate = dbgate
        self._env = env
        self._process: subprocess.Popen[str] | None = None

    def start(self, broker: int = 0) -> Route:
        """Open the tunnel; give the route through it. `broker` is its broker's process id."""
        self._process = subprocess.Popen(
            [str(self._dbgate), "connect", DATABASE, "--no-client", "--json"],
            env=self._env,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        event: dict[str, Any] = json.loads(self._process.stdout.readline())
        relays = (("tunnel", self._process.pid), ("broker", broker)) if broker else ()
        route = Route(self._name, url_environment(event["dsn"]), relays)
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
