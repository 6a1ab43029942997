"""Runs a suite that pytest runs, and reads what it says in JUnit's form."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.transparency.results import Outcome, Result, Results
from tests.transparency.sources import Missing

RUN_S = 3600.0
TEST_S = 60
"""What hangs is a failure; direct runs need seconds."""
_RAN = (0, 1)
"""pytest's exit codes when it ran the tests, whatever they gave; 2 is an error in collecting them."""
_VARIES = re.compile(r"0x[0-9a-f]+|\b\d{4,}\b|v-approle-\S+")


def run(
    folder: Path,
    env: Mapping[str, str],
    arguments: Sequence[str],
    tests: Sequence[str] = ("tests",),
) -> Results:
    """Run pytest in a folder of its own. Raises Missing when it does not come to run a test."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", f"--timeout={TEST_S}"]
    command += ["-o", "junit_family=xunit1", *arguments, *tests]
    with (folder / "log").open("wb") as log:
        done = subprocess.run(
            command, cwd=folder, env=env, stdout=log, stderr=log, timeout=RUN_S, check=False
        )
    if done.returncode not in _RAN or not report.exists():
        raise Missing(f"pytest ended early: {(folder / 'log').read_text()[-500:]}")
    return dict(_read(report))


def _read(report: Path) -> Iterator[tuple[str, Result]]:
    seen: Counter[str] = Counter()
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
        name = f"{case.get('classname')}.{case.get('name')}"
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), _result(case)


def _result(case: ET.Element) -> Result:
    for tag, outcome in (
        ("failure", Outcome.FAILED),
        ("error", Outcome.FAILED),
        ("skipped", Outcome.SKIPPED),
    ):
        found = case.find(tag)
        if found is not None:
            lines = (found.get("message") or found.text or "").strip().splitlines() or [""]
            return Result(outcome, detail=_VARIES.sub("*", lines[0])[:300])
    return Result(Outcome.PASSED)
