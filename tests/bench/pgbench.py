"""pgbench on a route: its built-in select of one account."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from tests.bench.paths import Route
from tests.bench.tables import SCALE

MODES = ("simple", "extended", "prepared")
SAID_CHARS = 300
"""Of its last words, in the report."""
RATE = re.compile(r"tps = ([\d.]+)")


class Failed(Exception):
    """pgbench ended with an error: a client of its was refused, or cut off."""


def run(route: Route, options: str) -> str:
    """Run it with these options; give its report. Raises Failed."""
    done = subprocess.run(
        shlex.split(f"pgbench -n -S -j 1 -s {SCALE} {options}"),
        env=route.env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(" ".join(done.stderr.split())[-SAID_CHARS:])
    return done.stdout


def transactions_per_s(route: Route, mode: str, clients: int, seconds: int) -> float:
    """Without the time that connecting takes."""
    whole = seconds + clients // 16  # pgbench's clock runs while its clients connect
    return float(RATE.findall(run(route, f"-M {mode} -c {clients} -T {whole}"))[-1])


def latencies_us(route: Route, mode: str, clients: int, seconds: int) -> list[int]:
    """Of every transaction, in order of size."""
    with tempfile.TemporaryDirectory(prefix="dbgate-bench-") as folder:
        run(route, f"-M {mode} -c {clients} -T {seconds} --log --log-prefix={folder}/log")
        lines = [line for file in Path(folder).iterdir() for line in file.open()]
    return sorted(int(line.split()[2]) for line in lines)


def percentile(values: list[int], share: float) -> float:
    """Of sorted values; infinite when there are none, for then nothing was answered at all."""
    return float(values[min(len(values) - 1, int(len(values) * share))]) if values else float("inf")
