"""The command line as a program, between a fake broker and gateway and a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dbgate_cli.token_store import TokenStore
from tests.integration.cli import authority
from tests.integration.cli.fake_broker import FakeBroker
from tests.integration.cli.fake_gateway import FakeGateway
from tests.integration.cli.fake_issuer import FakeIssuer
from tests.integration.cli.server import Server

PASSWORD = "one-time-password-7f3a"
LIMIT_S = 30.0
COMMAND = [sys.executable, "-m", "dbgate_cli.app"]


@dataclass
class World:
    """Everything that one test needs."""

    broker: FakeBroker
    home: Path
    ca_file: Path
    leaf: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def env(self, **extra: str) -> dict[str, str]:
        """A command's environment: signed in by token, all state in the test's folder."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBGATE_", "PG"))}
        return kept | {
            "DBGATE_HOME": str(self.home),
            "DBGATE_BROKER": self.broker.url,
            "DBGATE_CA_FILE": str(self.ca_file),
            "DBGATE_ID_TOKEN": self.broker.token,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PSQLRC": "/dev/null",
            "BROWSER": "",
            **extra,
        }

    def run(self, *args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*COMMAND, *args],
            env=self.env(**env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def start(self, *args: str, group: bool = False, **env: str) -> subprocess.Popen[str]:
        """Start a command that goes on."""
        process = subprocess.Popen(
            [*COMMAND, *args],
            env=self.env(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=group,
        )
        self.started.append(process)
        return process

    def stop(self) -> None:
        """End what a failed test left."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=10)
        TokenStore(self.home).remove(self.broker.url)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    server = Server(PASSWORD)
    yield server
    server.stop()


@pytest.fixture
def world(certificates: tuple[Path, Path], tmp_path: Path) -> Iterator[World]:
    broker = FakeBroker(certificates[1])
    found = World(broker, tmp_path / "home", *certificates)
    yield found
    found.stop()
    broker.stop()


@pytest.fixture
def gateway(world: World, postgres: Server) -> Iterator[FakeGateway]:
    found = FakeGateway(world.leaf, world.broker, ("127.0.0.1", postgres.port))
    world.broker.gateway_port = found.port
    yield found
    found.stop()


@pytest.fixture
def issuer(world: World) -> Iterator[FakeIssuer]:
    found = FakeIssuer()
    world.broker.issuer = found.url
    yield found
    found.stop()
