"""A PostgreSQL of the test's own."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psycopg

from tests import programs

USER: Final = "session"
START_S: Final = 20.0


class Server:
    """PostgreSQL on a free loopback port, with one SCRAM role `session`."""

    def __init__(self, password: str) -> None:
        self._programs = programs.server()
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
            [self._programs.program("postgres"), "-D", str(data), "-p", str(self.port),
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
            [self._programs.program(program), *args],
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
