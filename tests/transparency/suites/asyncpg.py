"""asyncpg's own tests; those that make servers of their own skip themselves."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bench.paths import Route
from tests.transparency import pytests
from tests.transparency.results import Results
from tests.transparency.server import POSTGRES
from tests.transparency.sources import Sources

IDLE = ("test__sourcecode.py", "test__environment.py")
"""Tests of asyncpg's own source tree and build."""


class Asyncpg:
    """asyncpg."""

    name = "asyncpg"
    dbname = POSTGRES

    def run(self, route: Route, folder: Path, sources: Sources) -> Results:
        """The tests alone, so that they meet the package that is installed, compiled."""
        shutil.copytree(sources.find(self.name) / "tests", folder / "tests")
        ignored = [f"--ignore=tests/{name}" for name in IDLE]
        return pytests.run(folder, route.env, ignored)
