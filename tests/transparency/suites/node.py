"""node-postgres' own integration tests: a file of them is a test."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.bench.paths import Route
from tests.transparency.results import Outcome, Result, Results
from tests.transparency.server import REGRESSION
from tests.transparency.sources import Missing, Sources, fetch

RUN_S = 60.0
TOOLS = ("async", "bluebird", "co", "pg-copy-streams")
"""What the tests need beside the package's own dependencies; versions from its package.json."""
_DONE = re.compile(r"^  (.+) ✔$", re.MULTILINE)


class NodePostgres:
    """node-postgres."""

    name = "node-postgres"
    dbname = REGRESSION

    def run(self, route: Route, folder: Path, sources: Sources) -> Results:
        """Each file in a process of its own, as its Makefile does."""
        if shutil.which("npm") is None:
            raise Missing("npm is not installed")
        package = sources.find(self.name) / "packages" / "pg"
        for part in ("lib", "test"):
            shutil.copytree(package / part, folder / part)
        shutil.copy(package / "package.json", folder / "package.json.orig")
        _install(folder)
        files = sorted((folder / "test" / "integration").rglob("*-tests.js"))
        return {str(file.relative_to(folder)): _node(route, file, folder) for file in files}


def _install(folder: Path) -> None:
    """Its dependencies as npm has them, without the tools of its own development."""
    said = json.loads((folder / "package.json.orig").read_text())
    tools = {name: said["devDependencies"][name] for name in TOOLS}
    kept = {"name": "pg", "version": said["version"], "dependencies": said["dependencies"] | tools}
    (folder / "package.json").write_text(json.dumps(kept))
    fetch("node-postgres", ["npm", "install", "--silent", "--no-audit", "--no-fund"], folder)


def _node(route: Route, file: Path, folder: Path) -> Result:
    try:
        done = subprocess.run(
            ["node", str(file), "postgres://"],
            env=route.env | {"NODE_PATH": str(folder / "node_modules")},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Result(Outcome.FAILED, detail="it did not end")
    passed = "\n".join(sorted(_DONE.findall(done.stdout)))
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
    outcome = Outcome.FAILED if done.returncode else Outcome.PASSED
    return Result(outcome, passed, (lines or [""])[0].strip())
