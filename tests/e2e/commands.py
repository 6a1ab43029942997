"""What the tests of faults share: commands with a limit, sessions by hand, waiting, processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.demo.stage import BIN, Stage

LIMIT_S = 10.0
"""Nothing may hang for longer (issue A)."""
ROLES = "select rolname from pg_roles where rolname like 'v-%'"


def dbgate(
    stage: Stage, *args: str, person: str = "alice", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line; it may neither hang nor show a stack trace."""
    begun = time.monotonic()
    done = subprocess.run(
        [str(BIN / "dbgate"), *args],
        env=stage.environment(person, token=True) | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    took_s = time.monotonic() - begun
    assert took_s < LIMIT_S, f"hung for {took_s:.1f} s: {args} {done.stderr}"
    assert "--debug" in args or "Traceback" not in done.stderr
    return done


def token_of(stage: Stage, person: str) -> str:
    """A person's ID token."""
    return Path(stage.ready["identities"][person]["id_token_file"]).read_text().strip()


def call(stage: Stage, method: str, path: str, body: Any = None, person: str = "alice") -> Any:
    """One call of the API, below the CLI."""
    host, port = stage.ready["broker"].split("//")[1].rsplit(":", 1)
    context = ssl.create_default_context(cafile=stage.ready["ca_file"])
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=LIMIT_S)
    headers = {
        "Authorization": f"Bearer {token_of(stage, person)}",
        "Content-Type": "application/json",
    }
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        read = answer.read()
    finally:
        connection.close()
    assert answer.status < 300, (answer.status, read)
    return json.loads(read) if read else None


def open_session(stage: Stage, person: str = "alice") -> dict[str, Any]:
    """A session without a command line."""
    return dict(call(stage, "POST", "/v1/sessions", {"database": "prod-db"}, person))


def close_session(stage: Stage, session: str, person: str = "alice") -> None:
    """Close it."""
    call(stage, "DELETE", f"/v1/sessions/{session}", person=person)


def wait_for(holds: Callable[[], Any], limit_s: float = LIMIT_S) -> None:
    """Until it holds, within the limit."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def pid_of(stage: Stage, name: str) -> int:
    """The process of a part of developer mode."""
    return int((stage.home / "dev" / "run" / f"{name}.pid").read_text().split()[0])


@contextmanager
def frozen(stage: Stage, name: str) -> Iterator[None]:
    """A part that hangs: its port is open, and nothing answers."""
    pid = pid_of(stage, name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def answers(stage: Stage) -> bool:
    """Whether the broker serves its API."""
    try:
        call(stage, "GET", "/v1/whoami")
    except (OSError, AssertionError, http.client.HTTPException):
        return False
    return True
