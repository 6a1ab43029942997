"""What a run ran on, for whoever reads its figures later."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.peers import program
from tests.bench.stack import cores

VERSION = re.compile(r"\d+(?:\.\d+)+")


def facts() -> dict[str, object]:
    """The machine, how busy it was at the start, and the versions of what ran."""
    versions = {
        "PostgreSQL's pgbench": _version("pgbench", "--version"),
        "pgbouncer": _version("pgbouncer", "--version"),
        "haproxy": _version("haproxy", "-v"),
    }
    return {
        "on": f"{cores()} cores of {_processor()}",
        "load": round(os.getloadavg()[0], 1),
        "Linux": platform.release(),
        "Python": platform.python_version(),
        **{name: version for name, version in versions.items() if version},
        "commit": _told(["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str, option: str) -> str:
    path = program(name)
    found = VERSION.search(_told([path, option])) if path else None
    return found[0] if found else ""


def _told(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip()
