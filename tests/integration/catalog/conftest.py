"""A PostgreSQL of its own for the catalog and masking tests, on a free loopback port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import programs
from tests.integration.catalog.corpus import SCHEMA, STAND_INS

PASSWORD = "only-for-this-test"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _owner() -> dict[str, int | list[int]]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The DSN of the superuser of a server with the corpus' schema."""
    found = programs.server()
    base = Path(tempfile.mkdtemp(prefix="dbgate-catalog-"))
    owner = _owner()
    if owner:
        os.chown(base, int(str(owner["user"])), int(str(owner["group"])))
    (base / "pw").write_text(PASSWORD)
    (base / "pw").chmod(0o644)
    environment = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"}

    def run(*command: str) -> None:
        subprocess.run(
            command, check=True, cwd=base, env=environment, stdout=subprocess.DEVNULL, **owner
        )  # type: ignore[call-overload]  # the owner's keywords, or none

    port = _free_port()
    data = str(base / "data")
    options = (
        f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
    )
    run(found.program("initdb"), "-D", data, "-U", "postgres", "--auth=scram-sha-256", "--no-sync",
        f"--pwfile={base / 'pw'}", "--encoding=UTF8", "--locale=C")  # fmt: skip
    run(
        found.program("pg_ctl"),
        "-D",
        data,
        "-w",
        "-t",
        "30",
        "-l",
        str(base / "log"),
        "-o",
        options,
        "start",
    )
    try:
        dsn = f"host=127.0.0.1 port={port} user=postgres password={PASSWORD} dbname=postgres sslmode=disable"
        with psycopg.connect(dsn, autocommit=True) as connection:
            available = connection.execute("SELECT name FROM pg_available_extensions").fetchall()
            for statement in SCHEMA:
                name = statement.removeprefix("CREATE EXTENSION ")
                lacks = name != statement and (name,) not in available
                connection.execute(STAND_INS.get(name, "SELECT") if lacks else statement)
        yield dsn
    finally:
        run(found.program("pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(base, ignore_errors=True)
