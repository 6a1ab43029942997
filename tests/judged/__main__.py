"""`python -m tests.judged --postgres-source DIR`: judge every text of PostgreSQL's regression scripts.

Each has to be effects that are known, or text that PostgreSQL refuses as well (its message stands in
what the suite expects); anything else has to have its reason in reasons.toml. Exit code 0 when all
have, and no reason is left over.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dbgate_core.errors import DbgateError
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.effects import Action
from tests.judged.reasons import reasons
from tests.judged.recorder import texts_of

REGRESS = Path("src/test/regress")
AT_ONCE = 2
SHOWN_CHARS = 90

Said = tuple[str, str, str]
"""The script, what is said of a text of it, and the text."""


def main(arguments: Sequence[str]) -> int:
    """Judge and print; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.judged", description=__doc__)
    parser.add_argument("--postgres-source", metavar="DIR", type=Path, required=True)
    folder = parser.parse_args(arguments).postgres_source / REGRESS
    scripts = sorted((folder / "sql").glob("*.sql"))
    if not scripts:
        parser.error(f"no scripts in {folder / 'sql'}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = dict(zip(scripts, pool.map(texts_of, scripts), strict=True))
    said = [each for script, texts in sent.items() for each in _judged(folder, script, texts)]
    print(f"{sum(map(len, sent.values()))} texts of {len(scripts)} scripts")
    return _report(said)


def _judged(folder: Path, script: Path, texts: Sequence[str]) -> Iterator[Said]:
    """What is said of the texts of a script that is no effect, and not what PostgreSQL says."""
    wanted = "".join(
        file.read_text(errors="replace")
        for file in sorted((folder / "expected").glob(f"{script.stem}*.out"))
    )
    for text in texts:
        for said in _of(text, wanted):
            yield script.stem, said, text


def _of(text: str, wanted: str) -> list[str]:
    try:
        found = analyse(text).effects
    except DbgateError as exc:
        refused_too = f"ERROR:  {exc.message}" in wanted
        return [] if refused_too else [f"refused: {exc.message}"]
    return [f"unknown: {each.object}" for each in found if each.action is Action.UNKNOWN]


def _report(said: Sequence[Said]) -> int:
    known = reasons()
    counts: Counter[str] = Counter()
    unknown: list[Said] = []
    for script, what, text in said:
        why = next((each.why for each in known if each.covers(script, what)), None)
        if why is None:
            unknown.append((script, what, text))
        else:
            counts[why] += 1
    for why, count in counts.most_common():
        print(f"{count:5} {why}")
    for script, what, text in unknown:
        print(f"no reason: {script}: {what}: {' '.join(text.split())[:SHOWN_CHARS]}")
    idle = [each for each in known if not counts[each.why]]
    for each in idle:
        print(f"left over: {each.what}: {each.why}")
    return 1 if unknown or idle else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
