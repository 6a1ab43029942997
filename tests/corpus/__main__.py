"""`python -m tests.corpus [--group G]`: run the corpus, or the groups whose name holds G; a table by group.

The exit code is 1 when a case is not as its file says.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.corpus import report, served
from tests.corpus.attacking import Verdict, attacks
from tests.corpus.cases import Group, groups, tools
from tests.corpus.comparing import Compared, harmless
from tests.corpus.place import place


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus")
    parser.add_argument("--group", default="", help="only groups with this in their name")
    asked = parser.parse_args()
    started = time.monotonic()
    hostile, kind = (
        [group for group in every if asked.group in group.name]
        for every in (groups("attacks"), [*tools(), *groups("harmless")])
    )
    verdicts, compared, differences = run(hostile, kind)
    for line in [*report.attacks(verdicts), "", *report.harmless(compared)]:
        print(line)
    every: list[Verdict | Compared] = [*verdicts, *compared]
    wrong = [it for it in every if it.failed]
    for it in wrong:
        print(f"\n{it.case}: {it.failed}\n  " + "\n  ".join(it.case.steps))
    for difference in differences:
        print(f"\nthe server's log: {difference}")
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if wrong or differences else 0


def run(
    hostile: Sequence[Group], kind: Sequence[Group]
) -> tuple[list[Verdict], list[Compared], list[str]]:
    """Run all cases of these groups: what attacks prepare is not there for the harmless ones.

    The third is where the server's log and the audit log differ.
    """
    with place(hostile) as it, attacks(it) as attacking:
        verdicts = [attacking.run(case) for group in hostile for case in group.cases]
        attacking.close()
        differences = [*served.parted(it), *served.miscounted(it)]
    with place(kind) as it, harmless(it) as comparing:
        compared = [comparing.run(case) for group in kind for case in group.cases]
        comparing.close()
        differences += [*served.parted(it), *served.miscounted(it)]
    return verdicts, compared, differences


if __name__ == "__main__":
    sys.exit(main())
