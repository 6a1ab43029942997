"""The command line's wall times, beside a bare interpreter's in the same round."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from tests.bench.paths import DATABASE
from tests.bench.stack import Bench
from tests.bench.work import Figures, Goal, Line, Taken, Work, median, ratio
from tests.demo.stage import BIN

DBGATE = str(BIN / "dbgate")
BARE = "python -c pass"
COMMANDS: Mapping[str, Sequence[str]] = {
    BARE: (sys.executable, "-c", "pass"),
    "dbgate --help": (DBGATE, "--help"),
    "dbgate --version": (DBGATE, "--version"),
    "dbgate whoami": (DBGATE, "whoami"),
    "dbgate connect, select 1": (DBGATE, "connect", DATABASE, "--", "-c", "select 1"),
}
GOALS: Mapping[str, Goal] = {"dbgate --help": Goal(60), "dbgate --version": Goal(60)} | {
    "dbgate whoami": Goal(120)
}
OF_BARE = Goal(4)
TIMES = 5


def take(bench: Bench, subject: str) -> Figures:
    """Milliseconds of a run, the middle one of some, with modules compiled as pip leaves them."""
    env = bench.stage.environment("alice")
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    _run(COMMANDS[subject], env)
    return {"ms": statistics.median(_run(COMMANDS[subject], env) for _ in range(TIMES))}


def _run(argv: Sequence[str], env: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(argv, env=env, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000


def lines(taken: Taken) -> list[Line]:
    """Each command; those that do nothing also as a multiple of the interpreter's own start."""
    bare = {BARE: median(taken, BARE, "ms")}
    found = [
        Line(name, median(taken, name, "ms"), "ms", GOALS.get(name), bare)
        for name in COMMANDS
        if name != BARE
    ]
    return found + [
        Line(f"{name} / {BARE}", ratio(taken, name, BARE, "ms"), "x", OF_BARE)
        for name in ("dbgate --help", "dbgate --version")
    ]


WORKS = (Work("commands", tuple(COMMANDS), take, lines, rounds=3),)
