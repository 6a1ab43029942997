"""`python -m tests.differential [--minutes N] [--seed S]`: compare for longer, with other seeds each time.

Rounds of conversations, the permissive policy and the refusing one in turn, and each of them once with
the fast path of whole exchanges and once without. A difference is shrunk, printed with its seed and
what was said; the rounds go on, and the exit code is 1 at the end.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from contextlib import ExitStack, nullcontext

from tests.differential.comparison import Comparison
from tests.differential.place import place
from tests.differential.rounds import Different, run, the_long_way

ROUND = 40
"""Conversations of one seed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31))
    asked = parser.parse_args()
    deadline = time.monotonic() + asked.minutes * 60
    differences = rounds = 0
    with ExitStack() as stack:
        where = stack.enter_context(place())
        comparisons = [
            Comparison(where, stack.enter_context(where.gateway(refuses=refuses)), refuses)
            for refuses in (False, True)
        ]
        while time.monotonic() < deadline:
            comparison, seed = comparisons[rounds % 2], asked.seed + rounds // 4
            way = "long way" if rounds // 2 % 2 else "fast path"
            rounds += 1
            try:
                with the_long_way() if way == "long way" else nullcontext():
                    run(comparison, seed, ROUND)
            except Different as exc:
                differences += 1
                print(f"seed {seed}, {comparison.policy}, {way}: {exc}\n", flush=True)
    for comparison in comparisons:
        print(f"{comparison.policy}: {comparison.conversations} conversations")
        for what, count in comparison.seen.most_common():
            print(f"  {count:8} {what}")
    print(f"{differences} differences; seeds from {asked.seed}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
