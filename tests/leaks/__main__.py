"""`python -m tests.leaks [GROUP ...]`: the corpus against a real server, by group; 1 when anything came through."""

from __future__ import annotations

import sys
import time

from tests.leaks.corpus import attempts, harmless
from tests.leaks.place import leaks_place
from tests.leaks.results import run_attempts, run_harmless, table
from tests.leaks.trial import Trial


def main() -> int:
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
