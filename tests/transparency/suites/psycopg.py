"""psycopg 3's own tests: all that need a server and no wait."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from psycopg.conninfo import make_conninfo

from tests.bench.paths import Route
from tests.transparency import pytests
from tests.transparency.results import Results
from tests.transparency.server import REGRESSION
from tests.transparency.sources import Sources

MARKS = "not slow and not timing and not flakey and not gevent and not dns"
"""What waits on the clock says nothing on a shared machine; names are looked up without us."""
IDLE = ("test_typing.py", "test_module.py", "scripts", "crdb")
"""Tests of psycopg's own source tree, and of another server."""


class Psycopg:
    """psycopg."""

    name = "psycopg"
    dbname = REGRESSION

    def run(self, route: Route, folder: Path, sources: Sources) -> Results:
        """The tests alone, so that they meet the package that is installed."""
        source = sources.find(self.name)
        shutil.copytree(source / "tests", folder / "tests")
        shutil.copy(source / "pyproject.toml", folder)
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
        ignored = [f"--ignore=tests/{name}" for name in IDLE]
        return pytests.run(folder, env, ["-m", MARKS, f"--test-dsn={dsn(route)}", *ignored])


def dsn(route: Route) -> str:
    """The route as libpq's string."""
    return make_conninfo(
        host=route.env["PGHOST"],
        port=route.env["PGPORT"],
        user=route.env["PGUSER"],
        password=route.env["PGPASSWORD"],
        dbname=route.env["PGDATABASE"],
        sslmode="disable",
        gssencmode="disable",
    )
