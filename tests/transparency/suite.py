"""What a suite is: a name, and a way to run on one route."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tests.bench.paths import Route
from tests.transparency.results import Results
from tests.transparency.sources import Sources


class Suite(Protocol):
    """One body of tests. Each run finds an empty database `dbname`, and an empty folder."""

    name: str
    dbname: str

    def run(self, route: Route, folder: Path, sources: Sources) -> Results:
        """Run everything on a route. Raises Missing when it cannot be run here."""
        ...
