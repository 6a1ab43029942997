"""pgbench in every mode: each must process all its transactions, without an error."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.bench.paths import Route
from tests.transparency.results import Outcome, Result, Results
from tests.transparency.server import REGRESSION
from tests.transparency.sources import Sources

RUN_S = 300.0
MODES = ("simple", "extended", "prepared")
COUNT = ["-n", "-t", "20", "-c", "4", "-j", "2"]
SCRIPTS = {
    "pipeline": """\
\\set a random(1, 1000)
\\startpipeline
select abalance from pgbench_accounts where aid = :a;
update pgbench_accounts set abalance = abalance + 1 where aid = :a;
select count(*) from pgbench_branches;
\\endpipeline
""",
    "pipeline-transaction": """\
\\startpipeline
begin;
insert into pgbench_history (tid, bid, aid, delta, mtime) values (1, 1, 1, 1, now());
select 1;
commit;
\\endpipeline
""",
    "gset": """\
\\set a random(1, 1000)
select abalance as b from pgbench_accounts where aid = :a \\gset
select 1 \\; select :b + 1 as c \\gset
\\if :c > 0
select :c;
\\endif
""",
    "rollback": """\
begin;
update pgbench_tellers set tbalance = 1 where tid = 1;
rollback;
""",
}
SIMPLE_ONLY = frozenset({"gset"})
"""A combined query (`\\;`) is for the simple protocol."""
EXTENDED_ONLY = frozenset({"pipeline", "pipeline-transaction"})
_FIGURES = re.compile(
    r"number of (?:transactions actually processed|failed transactions): [\d/]+|\w*error.*", re.I
)


class Pgbench:
    """pgbench, in all modes or some."""

    name = "pgbench"
    dbname = REGRESSION

    def __init__(self, *modes: str) -> None:
        self._modes = modes or MODES

    def run(self, route: Route, folder: Path, _sources: Sources) -> Results:
        """Its tables, its own scripts, and ours with pipelines."""
        results = {"initialize": _pgbench(route, ["-i", "-q", "-s", "1", "--foreign-keys"])}
        for test, options in self._tests(folder):
            results[test] = _pgbench(route, [*COUNT, *options])
        return results

    def _tests(self, folder: Path) -> Iterator[tuple[str, list[str]]]:
        for mode in self._modes:
            for builtin in ("tpcb-like", "simple-update", "select-only"):
                yield f"{mode}-{builtin}", ["-M", mode, "-b", builtin]
            yield f"{mode}-connect", ["-M", mode, "-C", "-b", "select-only"]
            for name, text in SCRIPTS.items():
                if name not in (EXTENDED_ONLY if mode == "simple" else SIMPLE_ONLY):
                    file = folder / f"{name}.sql"
                    file.write_text(text)
                    yield f"{mode}-{name}", ["-M", mode, "-f", str(file)]


def _pgbench(route: Route, options: list[str]) -> Result:
    done = subprocess.run(
        ["pgbench", *options],
        env=route.env,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    figures = "\n".join(_FIGURES.findall(done.stdout + done.stderr))
    outcome = Outcome.FAILED if done.returncode or "error" in done.stderr else Outcome.PASSED
    return Result(outcome, figures, (done.stderr.splitlines() or [""])[-1])
