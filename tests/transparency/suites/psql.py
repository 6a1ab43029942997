"""psql and its scripts: both streams and the exit code, in the order they come."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.bench.paths import Route
from tests.transparency.results import Outcome, Result, Results
from tests.transparency.server import REGRESSION
from tests.transparency.sources import Sources

RUN_S = 120.0
SCRIPTS = Path(__file__).parent / "scripts" / "psql"
SWITCHES = {
    "plain": ["-X", "-a"],
    "verbose": ["-X", "-a", "-v", "VERBOSITY=verbose"],
    "stop": ["-X", "-q", "-v", "ON_ERROR_STOP=1"],
    "single": ["-X", "-q", "-1"],
    "rows": ["-X", "-A", "-t", "-v", "FETCH_COUNT=7"],
}
_BACKEND = re.compile(r"PID \d+")


class Psql:
    """psql, with all sets of switches or some."""

    name = "psql"
    dbname = REGRESSION

    def __init__(self, *switches: str) -> None:
        self._switches = switches or tuple(SWITCHES)

    def run(self, route: Route, folder: Path, _sources: Sources) -> Results:
        """Every script with every set of switches, each in a schema of its own."""
        return {
            f"{script.stem}-{switches}": _psql(route, script, SWITCHES[switches], folder)
            for script in sorted(SCRIPTS.glob("*.sql"))
            for switches in self._switches
        }


def _psql(route: Route, script: Path, options: list[str], folder: Path) -> Result:
    env = route.env | {"PGOPTIONS": "-c search_path=scratch,public", "PGAPPNAME": "psql"}
    clean = "drop schema if exists scratch cascade; create schema scratch"
    subprocess.run(["psql", "-Xqc", clean], env=env, capture_output=True, check=True)
    done = subprocess.run(
        ["psql", *options, "-f", str(script)],
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    output = _BACKEND.sub("PID", done.stdout.replace(str(script), script.name))
    return Result(Outcome.PASSED, f"{output}\nexit {done.returncode}")
