"""`make soak [MINUTES=10]`: what must hold under abuse, checked from outside.

1. pgbench with 16 clients and `kill -9` of random ones: afterwards no connection, file
   descriptor, thread or lease is left over.
2. `kill -9` of the broker in mid-load: after its restart, every statement that reached PostgreSQL
   (its own log, log_statement=all) stands in the audit log, the log verifies, and no ephemeral
   role is left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dbgate_broker.catalog.queries import APPLICATION
from tests.bench.paths import DATABASE, Gate, Route, libpq_environment
from tests.bench.tables import prepare
from tests.demo.stage import BIN, DemoFailed, Stage
from tests.soak.load import Crowd

SETTLE_S = 30.0
READING = re.compile(
    rf" soak-user=(v-\S+) soak-app={APPLICATION} LOG:  (?:statement|execute [^:]*): BEGIN"
)
LOGGED = re.compile(r"(?:statement|execute [^:]*): (.*)")
BACKENDS = "select count(*) from pg_stat_activity where usename like 'v-%'"
ROLES = "select count(*) from pg_roles where rolname like 'v-%'"


def broker_pid(stage: Stage) -> int:
    """The broker's process: the child of developer mode that runs dbgate_broker."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                argv = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"dbgate_broker" in argv and str(stage.home).encode() in b" ".join(argv):
                return int(folder.name)
    raise DemoFailed("no broker process")


def resources(pid: int) -> dict[str, int]:
    """What a process holds: file descriptors and threads."""
    proc = Path(f"/proc/{pid}")
    return {
        "fds": len(list((proc / "fd").iterdir())),
        "threads": len(list((proc / "task").iterdir())),
    }


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Until it holds. Raises DemoFailed when it does not within half a minute."""
    deadline = time.monotonic() + SETTLE_S
    while not holds():
        if time.monotonic() > deadline:
            raise DemoFailed(f"not within {SETTLE_S:.0f} s: {what}")
        time.sleep(0.2)
    print(f"    checked: {what}", flush=True)


def first(stage: Stage, query: str) -> int:
    """A number from the governed PostgreSQL itself."""
    return int(stage.superuser(DATABASE, query)[0])


def clients_die(stage: Stage, seconds: float) -> None:
    """Part one."""
    gate = Gate("dbgate", BIN / "dbgate", stage.environment("alice"))
    route = gate.start()
    pid = broker_pid(stage)
    eventually("one backend at rest at most", lambda: first(stage, BACKENDS) <= 1)
    before = resources(pid)
    crowd = Crowd(route, random.Random(1))
    crowd.run(seconds)
    crowd.end()
    print(f"    {crowd.started} clients, {crowd.killed} of them killed", flush=True)
    stage.expect(not crowd.failures, f"no client failed by itself {crowd.failures[:3]}")
    stage.expect(broker_pid(stage) == pid, "the broker is the same process")
    eventually("no backend of a dead client is left", lambda: first(stage, BACKENDS) <= 1)
    eventually(
        f"file descriptors and threads are as before ({before})",
        lambda: resources(pid)["fds"] <= before["fds"] + 4,
    )
    stage.expect(first(stage, ROLES) == 1, "one lease, one role, while the session is open")
    gate.stop()
    eventually("no role after it", lambda: first(stage, ROLES) == 0)


def broker_dies(stage: Stage, seconds: float) -> None:
    """Part two."""
    gate = Gate("dbgate", BIN / "dbgate", stage.environment("alice"))
    crowd = Crowd(gate.start(), random.Random(2))
    crowd.run(seconds)
    old = broker_pid(stage)
    os.kill(old, signal.SIGKILL)
    crowd.end()
    gate.stop()
    eventually("the broker is back", lambda: answers(stage, old))
    eventually("no ephemeral role is left", lambda: first(stage, ROLES) == 0)
    stage.run("carol", ["dbgate", "audit", "verify"], has=["verified"])
    stage.expect(readings_are_recorded(stage), "so are the broker's own readings of the catalog")
    missing = reached(stage) - recorded(stage)
    stage.expect(
        not missing, f"every statement that reached PostgreSQL is recorded {missing.most_common(3)}"
    )


def answers(stage: Stage, old: int) -> bool:
    """Whether a new broker process serves its API."""
    try:
        if broker_pid(stage) == old:
            return False
        stage.run("alice", ["dbgate", "whoami"], quiet=True)
    except DemoFailed:
        return False
    return True


def reached(stage: Stage) -> Counter[str]:
    """Statements in PostgreSQL's own log, by text, of ephemeral users (see the log_line_prefix)."""
    found: Counter[str] = Counter()
    for file in (stage.home / "dev").rglob("*.log"):
        for line in file.read_text(errors="replace").splitlines():
            if f" soak-app={APPLICATION} " in line:
                continue  # the broker's own; `readings_are_recorded` looks at these
            if " soak-user=v-" in line and (match := LOGGED.search(line)):
                found[match[1].strip()] += 1
    if not found:
        raise DemoFailed("PostgreSQL logged no statement")
    print(f"    {found.total()} statements reached PostgreSQL", flush=True)
    return found


def recorded(stage: Stage) -> Counter[str]:
    """Statements in the audit log, by text."""
    return Counter(str(e["text"]).strip() for e in log_entries(stage) if e["kind"] == "statement")


def log_entries(stage: Stage) -> Iterator[dict[str, Any]]:
    """Every entry in the audit log's own files."""
    for file in sorted((stage.home / "dev" / "audit").glob("*.jsonl")):
        for line in file.read_text().splitlines():
            yield json.loads(line)


def readings_are_recorded(stage: Stage) -> bool:
    """Whether each reading of the catalog that PostgreSQL logged has its entry, by database user."""
    logged = Counter(
        match[1]
        for file in (stage.home / "dev").rglob("*.log")
        for line in file.read_text(errors="replace").splitlines()
        if (match := READING.search(line))
    )
    entries = Counter(
        entry["scope"]["db_user"] for entry in log_entries(stage) if entry["kind"] == "catalog_read"
    )
    return bool(logged) and not logged - entries


def log_everything(direct: Route) -> None:
    """Have PostgreSQL write each statement and its user to its own log."""
    for statement in (
        "alter system set log_statement = 'all'",
        "alter system set log_line_prefix = '%m [%p] soak-user=%u soak-app=%a '",
        "select pg_reload_conf()",
    ):
        subprocess.run(["psql", "-Xqc", statement], env=direct.env, check=True, capture_output=True)


def main() -> int:
    """Both parts, in a temporary developer mode."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("MINUTES", "10")))
    options = parser.parse_args()
    with Stage() as stage:
        direct = Route("direct", libpq_environment(stage.ready["postgres"][DATABASE]))
        prepare(direct)
        log_everything(direct)
        for person in ("alice", "carol"):
            stage.run(person, ["dbgate", "login", "--as", person], quiet=True)
        clients_die(stage, options.minutes * 60)
        broker_dies(stage, min(60.0, options.minutes * 6))
    print("soak: all as expected")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DemoFailed as failed:
        print(f"soak failed: {failed}", file=sys.stderr)
        sys.exit(1)
