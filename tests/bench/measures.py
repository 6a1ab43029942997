"""What is measured on each route, and on the command line."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from pathlib import Path

from tests.bench.paths import Route

SCALE = 10
WIDE_ROWS = 1_000_000
WIDE_GIGABYTES = {"COPY": 0.203, "SELECT": 0.235}
"""What its rows take on the wire: CopyData and DataRow."""
SETUP = f"""
drop table if exists bench_wide;
create table bench_wide as
  select md5(i::text) c1, md5((i+1)::text) c2, md5((i+2)::text) c3, md5((i+3)::text) c4,
         md5((i+4)::text) c5, i::text c6, (i*7)::text c7, (i%100)::text c8, 'x' c9, 'value ' || i c10
  from generate_series(1, {WIDE_ROWS}) i;
grant select on pgbench_accounts, bench_wide to public;
vacuum analyze bench_wide;
"""
LATENCY = re.compile(r"latency average = ([\d.]+) ms")
RATE = re.compile(r"tps = ([\d.]+)")


def prepare(superuser: Route) -> None:
    """Make the tables the measures read, past dbgate."""
    subprocess.run(
        ["pgbench", "-i", "-q", "-s", str(SCALE)],
        env=superuser.env,
        check=True,
        capture_output=True,
    )
    for statement in SETUP.split(";\n"):
        if statement.strip():
            subprocess.run(
                ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", statement],
                env=superuser.env,
                check=True,
                capture_output=True,
            )


def select_only(route: Route, mode: str, clients: int, seconds: int) -> dict[str, float]:
    """pgbench's built-in select: transactions a second and milliseconds each."""
    whole = seconds + clients // 16  # pgbench's clock runs while its clients connect
    done = subprocess.run(
        shlex.split(f"pgbench -n -S -M {mode} -c {clients} -j 1 -T {whole} -s {SCALE}"),
        env=route.env,
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        "tps": float(RATE.findall(done.stdout)[-1]),
        "latency_ms": float(LATENCY.findall(done.stdout)[-1]),
    }


def bulk_copy(route: Route) -> dict[str, float]:
    """COPY of a million rows of ten columns out through psql."""
    return _rows(route, "\\copy bench_wide to /dev/null")


def bulk_select(route: Route) -> dict[str, float]:
    """SELECT of a million rows of ten columns, fetched in portions, into nothing."""
    return _rows(route, "\\set FETCH_COUNT 10000 \\\\ select * from bench_wide;", "-o", "/dev/null")


def _rows(route: Route, command: str, *options: str) -> dict[str, float]:
    begun = time.perf_counter()
    subprocess.run(
        ["psql", "-XAtq", *options],
        input=command.replace(" \\\\ ", "\n") + "\n",
        env=route.env,
        check=True,
        capture_output=True,
        text=True,
    )
    return {"rows_per_s": WIDE_ROWS / (time.perf_counter() - begun)}


def command_line(argv: list[str], env: dict[str, str]) -> dict[str, float]:
    """Wall time of one command, in milliseconds."""
    begun = time.perf_counter()
    subprocess.run(argv, env=env, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return {"ms": (time.perf_counter() - begun) * 1000}


def cpu_seconds(pid: int) -> float:
    """User and system CPU time that a process has used (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
