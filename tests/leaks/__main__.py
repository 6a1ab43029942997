"""`python -m tests.leaks [GROUP ...]`: the corpus against a real server, by group; 1 when anything came through.

`python -m tests.leaks drawn FIRST SECONDS`: cases drawn from a grammar, from that number on, for so long.
"""

from __future__ import annotations

import sys
import time

from tests.leaks.corpus import attempts, harmless
from tests.leaks.place import leaks_place
from tests.leaks.results import run_attempts, run_drawn, run_harmless, table
from tests.leaks.trial import Trial


def drawn(first: int, seconds: float) -> int:
    """Drawn cases until the time is over."""
    end = time.monotonic() + seconds
    number, steps, found = first, 0, list[str]()
    with leaks_place() as (where, world, traces):
        trial = Trial(where, world, traces)
        while time.monotonic() < end:
            more, leaks = run_drawn(trial, [number])
            number, steps, found = number + 1, steps + more, found + leaks
        trial.close()
    print(f"{number - first} cases from {first} on, {steps} statements, {len(found)} leaks")
    print(*found, sep="\n")
    return 1 if found else 0


def main() -> int:
    if sys.argv[1:2] == ["drawn"]:
        return drawn(int(sys.argv[2]), float(sys.argv[3]))
    only = set(sys.argv[1:])
    start = time.monotonic()
    with leaks_place() as (where, world, traces):
        trial = Trial(where, world, traces)
        tried = run_attempts(trial, (c for c in attempts() if not only or c.group in only))
        kept = run_harmless(trial, (c for c in harmless() if not only or c.group in only))
        trial.close()
    print(table("attempts", "leaks", tried), "", table("harmless", "changed", kept), sep="\n")
    wrong = False
    for group in (*tried.values(), *kept.values()):
        for label, found in (
            ("WRONG", group.wrong),
            ("shows nothing without dbgate either", group.vacuous),
            ("marked open, and closed", group.closed),
        ):
            for line in found:
                wrong = True
                print(f"{label}: {line}")
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
