"""Where the suites' sources come from: a folder that is named, or fetched once and kept.

Nothing of them is in this repository. What can be had from a package registry is taken there in the
version that is installed; the rest is cloned. PostgreSQL's own is in `regress.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

FETCH_S = 600.0
REPOSITORIES = {
    "psycopg": "https://github.com/psycopg/psycopg",
    "node-postgres": "https://github.com/brianc/node-postgres",
}


class Missing(Exception):
    """A suite cannot be run here; the text says what it lacks."""


@dataclass(frozen=True)
class Sources:
    """The folders that were named, and where to keep what is fetched."""

    named: Mapping[str, Path] = field(default_factory=dict)
    kept: Path = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dbgate-suites"

    def find(self, name: str) -> Path:
        """The source of a suite. Raises Missing when it is neither named nor to be had."""
        if name in self.named:
            return self.named[name]
        place = self.kept / name
        if not place.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            if name in REPOSITORIES:
                fetch(name, ["git", "clone", "--quiet", "--depth=1", REPOSITORIES[name], place])
            else:
                _sdist(name, place)
        return place


def fetch(name: str, command: Sequence[str | Path], folder: Path | None = None) -> None:
    """Run a command that downloads. Raises Missing."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=FETCH_S, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise Missing(f"no source: {said}; give --source {name}=DIR")


def _sdist(name: str, place: Path) -> None:
    """Unpack the source package of the version that is installed."""
    wanted = f"{name}=={version(name)}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
    fetch(name, [*command, "--dest", place.parent, wanted])
    archive = next(place.parent.glob(f"{name}-*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(place.parent, filter="data")
    archive.with_name(archive.name.removesuffix(".tar.gz")).rename(place)
