"""What each command imports, for imports are most of the time that a command line takes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.integration.cli.conftest import World
from tests.integration.cli.fake_gateway import FakeGateway

LOOK = """
import json, sys
from dbgate_cli.app import run
code = run(sys.argv[1:])
sys.stderr.write("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
LOOPS = {"asyncio", "uvloop", "concurrent"}
FACES = {"rich", "keyring", "sqlite3", "email.mime", "logging", "unittest"}


def imported(world: World, *argv: str) -> set[str]:
    """The modules that a command has imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *argv],
        env=world.env(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_the_table_of_commands_alone(world: World, option: str) -> None:
    found = imported(world, option)
    ours = {name for name in found if name.startswith("dbgate")}
    assert ours == {"dbgate_cli", "dbgate_cli.app"}
    heavy = {"typer", "ssl", "msgspec", "http", "dataclasses", "pathlib", "socket"}
    assert not found & (heavy | LOOPS | FACES)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_whoami_imports_what_one_request_needs(world: World, options: list[str]) -> None:
    found = imported(world, "whoami", *options)
    assert not found & ({"typer", "msgspec", "subprocess", "dbgate_cli.running"} | LOOPS | FACES)


@pytest.mark.parametrize(
    "argv", [["exec", "prod-db", "--", "true"], ["query", "prod-db", "select 1"]]
)
def test_a_session_needs_no_loop_and_no_face(
    world: World, gateway: FakeGateway, argv: list[str]
) -> None:
    assert not imported(world, *argv) & (LOOPS | FACES)
    assert not world.broker.open_sessions()


def test_whoami_reads_its_options_where_there_are_others(world: World) -> None:
    assert "typer" in imported(world, "whoami", "--help")
    done = world.run("whoami", "--jsom")
    assert done.returncode == 2
    assert "--jsom" in done.stderr
