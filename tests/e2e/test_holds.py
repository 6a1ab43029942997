"""A held statement in psql and dbgate query, decided from another terminal."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.stage import Stage
from tests.e2e.commands import LIMIT_S, dbgate, wait_for
from tests.e2e.tunnel import Tunnel, tunnel

pytestmark = pytest.mark.e2e

TOUCH = "update products set price = price"
"""Every row: held by the rule production-every-row."""


@pytest.fixture(scope="module", autouse=True)
def _nothing_pending(stage: Stage) -> None:
    """Other tests, on the stage that all share, leave requests that nobody decided."""
    for request in listed(stage):
        dbgate(stage, "deny", str(request["id"]), person="bob")
    assert listed(stage) == []


@pytest.fixture(scope="module")
def writing(stage: Stage) -> Iterator[Tunnel]:
    """Alice's session as readwrite, whose statements wait."""
    demand_readwrite(stage)
    with tunnel(stage, "alice", "prod-db", "--role", "readwrite", "--hold", "5m") as opened:
        yield opened


def demand_readwrite(stage: Stage) -> None:
    """Let alice have the access role readwrite, unless she has it."""
    argv = ("request-approval", "prod-db", "--role", "readwrite", "--reason", "T-1")
    if dbgate(stage, *argv).returncode == 0:
        dbgate(stage, "approve", pending(stage), person="bob")


def listed(stage: Stage, state: str = "pending") -> list[dict[str, object]]:
    """Alice's requests as bob sees them, the newest first."""
    out = dbgate(stage, "requests", "list", "--state", state, "--json", person="bob").stdout
    found = [json.loads(line) for line in out.splitlines()]
    return [request for request in found if request["requester"]["name"] == "alice"]


def pending(stage: Stage) -> str:
    """The one request that is pending, once it is there."""
    wait_for(lambda: listed(stage))
    return str(listed(stage)[0]["id"])


def started(opened: Tunnel, *commands: str) -> subprocess.Popen[str]:
    argv = ["psql", "-XAt"]
    for command in commands:
        argv += ["-c", command]
    return subprocess.Popen(
        argv,
        env=opened.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_psql_goes_on_by_itself_once_another_person_approves(stage: Stage, writing: Tunnel) -> None:
    text = f"{TOUCH} returning 1"
    waiting = started(writing, text)
    request = pending(stage)
    shown = dbgate(stage, "requests", "show", request, person="bob").stdout
    assert text in shown
    assert "updating every row of the table public.products" in shown
    assert "rows, as the planner expects: " in shown
    own = dbgate(stage, "approve", request)
    assert own.returncode == 4, own.stderr
    assert dbgate(stage, "approve", request, person="bob").returncode == 0
    out, err = waiting.communicate(timeout=LIMIT_S)
    assert waiting.returncode == 0, err
    assert "UPDATE" in out
    assert f"dbgate approve {request}" in err
    again = started(writing, text)
    assert pending(stage) != request
    again.send_signal(signal.SIGINT)
    assert "canceling statement due to user request" in again.communicate(timeout=LIMIT_S)[1]
    wait_for(lambda: not listed(stage))


def test_a_denial_and_the_way_on(stage: Stage, writing: Tunnel) -> None:
    waiting = started(writing, TOUCH, "select 'still here'")
    request = pending(stage)
    dbgate(stage, "deny", request, "--comment", "not today", person="bob")
    out, err = waiting.communicate(timeout=LIMIT_S)
    assert f"request {request} was denied by bob: not today" in err
    assert "still here" in out


def test_who_leaves_takes_it_back(stage: Stage, writing: Tunnel) -> None:
    waiting = started(writing, TOUCH)
    request = pending(stage)
    waiting.kill()
    waiting.communicate(timeout=LIMIT_S)
    wait_for(lambda: not listed(stage))
    assert listed(stage, "withdrawn")[0]["id"] == request
    late = dbgate(stage, "approve", request, person="bob")
    assert late.returncode != 0


def test_the_approval_of_one_text_runs_no_other(stage: Stage, writing: Tunnel) -> None:
    waiting = started(writing, TOUCH)
    request = pending(stage)
    other = started(writing, f"{TOUCH} + 1")
    wait_for(lambda: len(listed(stage)) == 2)
    dbgate(stage, "approve", request, person="bob")
    assert waiting.communicate(timeout=LIMIT_S)[0].startswith("UPDATE")
    assert other.poll() is None
    dbgate(stage, "deny", pending(stage), person="bob")
    assert "denied by bob" in other.communicate(timeout=LIMIT_S)[1]


def test_without_hold_it_is_refused_at_once(stage: Stage) -> None:
    done = dbgate(stage, "query", "prod-db", TOUCH, "--role", "readwrite")
    assert done.returncode == 4, done.stderr
    assert "request-approval" in done.stderr
    assert listed(stage) == []


def test_a_file_that_was_approved_beforehand_runs_once_as_psql_sends_it(
    stage: Stage, tmp_path: Path
) -> None:
    demand_readwrite(stage)
    file = tmp_path / "fix.sql"
    file.write_bytes(b"update products\r\n  set price = price;\r\n")
    ask = ("request-approval", "prod-db", "--role", "readwrite", "--reason", "T-2")
    assert dbgate(stage, *ask, "--statement-file", str(file)).returncode == 0
    dbgate(stage, "approve", pending(stage), person="bob")
    with tunnel(stage, "alice", "prod-db", "--role", "readwrite", "--hold", "0") as opened:
        run = ("-XAt", "-v", "ON_ERROR_STOP=1", "-f", str(file))
        once = opened.psql(options=run)
        assert once.stdout.startswith("UPDATE"), once.stderr
        again = opened.psql(options=run)
        assert "request-approval" in again.stderr
        assert again.stdout == ""


def test_every_step_is_on_record(stage: Stage, writing: Tunnel) -> None:
    session = writing.event["session"]
    out = dbgate(stage, "audit", "show", str(session), "--json", person="carol").stdout
    entries = [json.loads(line) for line in out.splitlines()]
    ended = {e["outcome"] for e in entries if e["kind"] == "statement_hold_ended"}
    assert {"approved", "denied", "withdrawn"} <= ended
    held, over = (
        [e["request"] for e in entries if e["kind"] == kind]
        for kind in ("statement_held", "statement_hold_ended")
    )
    assert sorted(held) == sorted(over)
    ran = [e for e in entries if e["kind"] == "statement" and e.get("request")]
    assert ran
