"""SQLAlchemy's suite for dialects, with psycopg: reflection, types, transactions, DDL."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import quote

from tests.bench.paths import Route
from tests.transparency import pytests
from tests.transparency.results import Results
from tests.transparency.server import REGRESSION
from tests.transparency.sources import Sources

CONFTEST = """\
import pytest
pytest.register_assert_rewrite("sqlalchemy.testing.assertions")
from sqlalchemy.testing.plugin.pytestplugin import *
"""
SETUP = """\
[sqla_testing]
requirement_cls = sqlalchemy.testing.requirements:SuiteRequirements
profile_file = profiles.txt
[tool:pytest]
"""
SCHEMAS = "create schema test_schema; create schema test_schema_2"
"""What its README wants a PostgreSQL database to hold."""


class SqlAlchemy:
    """SQLAlchemy."""

    name = "sqlalchemy"
    dbname = REGRESSION

    def run(self, route: Route, folder: Path, _sources: Sources) -> Results:
        """The suite of the version that is installed; nothing is fetched."""
        subprocess.run(["psql", "-Xqc", SCHEMAS], env=route.env, check=True, capture_output=True)
        tests = folder / "tests"
        tests.mkdir()
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "setup.cfg").write_text(SETUP)
        (tests / "test_suite.py").write_text("from sqlalchemy.testing.suite import *\n")
        return pytests.run(folder, route.env, [f"--dburi={_url(route)}", "-p", "no:logging"])


def _url(route: Route) -> str:
    user, password = (quote(route.env[name], safe="") for name in ("PGUSER", "PGPASSWORD"))
    place = f"{route.env['PGHOST']}:{route.env['PGPORT']}/{route.env['PGDATABASE']}"
    return f"postgresql+psycopg://{user}:{password}@{place}?sslmode=disable"
