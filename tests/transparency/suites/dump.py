"""pg_dump and pg_restore: the same dumps, and what is restored dumps the same again."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.bench.paths import Route
from tests.transparency.results import Outcome, Result, Results
from tests.transparency.server import REGRESSION
from tests.transparency.sources import Sources

RUN_S = 300.0
SAMPLE = Path(__file__).parent / "scripts" / "sample.sql"
FORMS = {
    "plain": [],
    "inserts": ["--inserts", "--rows-per-insert=50"],
    "columns": ["--column-inserts", "--no-owner"],
    "schema": ["--schema-only"],
    "data": ["--data-only", "--disable-triggers"],
    "table": ["-t", "shop.orders"],
}
ARCHIVES = {"custom": ["-Fc"], "directory": ["-Fd", "-j", "2"], "tar": ["-Ft"]}
_KEY = re.compile(r"^\\(?:un)?restrict .*\n", re.MULTILINE)
"""Made anew for each dump, against hostile servers."""


class Dump:
    """pg_dump and pg_restore, in all archive forms or some."""

    name = "pg_dump"
    dbname = REGRESSION

    def __init__(self, *archives: str) -> None:
        self._archives = archives or tuple(ARCHIVES)

    def run(self, route: Route, folder: Path, _sources: Sources) -> Results:
        """Fill the database, dump it in every form, lose it, restore it, dump it again."""
        results = {
            "fill": _run(route, ["psql", "-Xqb", "-v", "ON_ERROR_STOP=1", "-f", str(SAMPLE)])
        }
        for form, options in FORMS.items():
            results[form] = _run(route, ["pg_dump", *options])
        for form in self._archives:
            archive = str(folder / form)
            results[f"{form}-dump"] = _run(route, ["pg_dump", *ARCHIVES[form], "-f", archive])
            _run(route, ["psql", "-Xqc", "drop schema shop cascade"])
            jobs = [] if form == "tar" else ["-j", "2"]
            restore = ["pg_restore", "--exit-on-error", *jobs, "-d", route.env["PGDATABASE"]]
            results[f"{form}-restore"] = _run(route, [*restore, archive])
            results[f"{form}-again"] = _run(route, ["pg_dump"])
        _run(route, ["psql", "-Xqc", "select lo_from_bytea(4711, '\\x0102ff')"])
        results["large-objects"] = _run(route, ["pg_dump"])
        return results


def _run(route: Route, command: list[str]) -> Result:
    done = subprocess.run(
        command, env=route.env, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    outcome = Outcome.FAILED if done.returncode else Outcome.PASSED
    return Result(
        outcome, _KEY.sub("", done.stdout + done.stderr), (done.stderr.splitlines() or [""])[0]
    )
