"""Installs npm oidc-provider once, beside the virtual environment, and runs it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
CACHE: Final = Path(sys.prefix) / "oidc-provider"
INSTALL_S: Final = 90.0
START_S: Final = 20.0
OLDEST_NODE: Final = 20


def installed() -> Path:
    """The folder with the provider's packages. Skips the test, and says why, when it cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node is {version.strip()}, oidc-provider wants {OLDEST_NODE} or newer")
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(npm)
        shutil.copy(HERE / "provider.mjs", CACHE)
    return CACHE


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
    done.write_text(wanted)


class Provider:
    """A running provider; `url` is its issuer."""

    def __init__(self, folder: Path, *, id_token_s: int = 600) -> None:
        self._process = subprocess.Popen(
            ["node", "provider.mjs"],
            cwd=folder,
            env=os.environ | {"ID_TOKEN_S": str(id_token_s)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        killer = threading.Timer(START_S, self._process.kill)
        killer.start()
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        killer.cancel()
        if not self.url:
            self.stop()
            raise RuntimeError("oidc-provider did not start")

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
