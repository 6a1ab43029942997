"""The other commands: approvals, lists, the audit log, and the table of exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from dbgate_core import errors
from dbgate_core.contract import AskAccess
from tests.integration.cli.conftest import World
from tests.integration.cli.fake_gateway import FakeGateway
from tests.integration.cli.fake_issuer import FakeIssuer

ERRORS: list[tuple[errors.DbgateError, int]] = [
    (errors.DbgateError("broken"), 1),
    (errors.UsageError("malformed"), 2),
    (errors.NotFound("no such thing"), 2),
    (errors.NotSignedIn("expired"), 3),
    (errors.Denied("no", rule="some-rule", hint="ask"), 4),
    (errors.ApprovalNeeded("pending"), 5),
    (errors.Unreachable("vault is sealed"), 6),
    (errors.AuditUnavailable("the log is full"), 6),
    (errors.VerificationFailed("changed"), 7),
    (errors.LimitExceeded("too much"), 1),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda e: str(e))
def test_the_table_of_exit_codes(world: World, error: errors.DbgateError, code: int) -> None:
    world.broker.fail = lambda method, path: error
    done = world.run("databases")
    assert done.returncode == code
    assert done.stdout == ""
    assert f"dbgate: error: {error.message}" in done.stderr
    assert "Traceback" not in done.stderr
    if error.rule:
        assert error.rule in done.stderr
    if error.hint:
        assert f"dbgate: hint: {error.hint}" in done.stderr


@pytest.mark.parametrize(
    "args",
    [["nosuch"], ["connect"], ["connect", "prod-db", "--nosuch"], ["audit"], ["audit", "nosuch"],
     ["query", "prod-db", "--format", "xml", "select 1"], ["login", "--store", "paper"],
     ["request-approval", "prod-db", "--for", "soon", "--reason", "x"],
     ["audit", "search", "--since", "yesterday"], ["audit", "search", "--limit", "0"],
     ["audit", "verify", "--log", "x"], ["connect", "prod-db", "--wait=x", "--no-client"],
     ["sessions", "show", ".."], ["dev", "--database", "nothing"]],
)  # fmt: skip
def test_wrong_usage_ends_with_2(world: World, args: list[str]) -> None:
    done = world.run(*args)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_no_broker_configured(world: World) -> None:
    done = world.run("whoami", DBGATE_BROKER="")
    assert done.returncode == 2
    assert "DBGATE_BROKER" in done.stderr
    assert world.run("whoami", DBGATE_BROKER="http://127.0.0.1:1").returncode == 2


def test_a_broker_that_does_not_answer(world: World) -> None:
    done = world.run("whoami", DBGATE_BROKER="https://127.0.0.1:1")
    assert done.returncode == 6
    assert "127.0.0.1:1" in done.stderr


def test_a_broker_that_is_not_the_one_of_the_ca(world: World, tmp_path: Path) -> None:
    from tests.integration.cli import authority

    other, _ = authority.make(tmp_path)
    done = world.run("whoami", DBGATE_CA_FILE=str(other))
    assert done.returncode == 6
    assert "is not trusted" in done.stderr
    assert "set DBGATE_CA_FILE" in done.stderr
    assert world.broker.calls == []
    assert world.run("whoami", DBGATE_CA_FILE="/nowhere.pem").returncode == 2


def test_databases(world: World) -> None:
    done = world.run("databases")
    assert done.returncode == 0, done.stderr
    assert "prod-db" in done.stdout
    assert "readwrite (dba:1)" in done.stdout
    listed = [json.loads(line) for line in world.run("databases", "--json").stdout.splitlines()]
    assert [d["name"] for d in listed] == ["prod-db"]


def test_without_a_grant_connect_says_the_rule_and_what_to_type(
    world: World, gateway: FakeGateway
) -> None:
    done = world.run("connect", "prod-db", "--role", "readwrite", "--", "-c", "select 1")
    assert done.returncode == 5
    assert "production-writes" in done.stderr
    assert "dbgate request-approval prod-db --role readwrite" in done.stderr
    assert not world.broker.requests


def test_with_wait_it_asks_waits_and_goes_on(world: World, gateway: FakeGateway) -> None:
    process = world.start(
        "exec", "prod-db", "--role", "readwrite", "--wait", "--reason", "TICKET-1", "--for", "30m",
        "--", "echo", "done", "--wait",
    )  # fmt: skip
    request = world.broker.await_request()
    world.broker.decide(request, "approved")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "done --wait\n"), err
    asked = next(b for b in world.broker.bodies if isinstance(b, AskAccess))
    assert (asked.reason, asked.duration_s, asked.access_role) == ("TICKET-1", 1800, "readwrite")


@pytest.mark.parametrize("state", ["denied", "expired", "withdrawn"])
def test_a_request_that_is_not_approved_ends_the_wait_with_5(
    world: World, gateway: FakeGateway, state: str
) -> None:
    process = world.start(
        "exec", "prod-db", "--role", "readwrite", "--wait=1m", "--reason", "x", "--", "true"
    )
    world.broker.decide(world.broker.await_request(), state)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 5
    assert state in err
    assert "bob: looked at it" in err


def test_a_wait_ends_in_time(world: World, gateway: FakeGateway) -> None:
    done = world.run(
        "exec", "prod-db", "--role", "readwrite", "--wait=1s", "--reason", "x", "--", "true"
    )
    assert done.returncode == 5
    assert "still pending" in done.stderr


def test_a_wait_needs_a_reason(world: World, gateway: FakeGateway) -> None:
    done = world.run("exec", "prod-db", "--role", "readwrite", "--wait", "--", "true")
    assert done.returncode == 2
    assert "reason" in done.stderr


def test_a_wait_survives_a_restart_of_the_broker(world: World, gateway: FakeGateway) -> None:
    failures = [errors.Unreachable("restarting")]
    world.broker.fail = lambda method, path: (
        failures.pop() if failures and path.startswith("/v1/requests/") else None
    )
    process = world.start(
        "request-approval", "prod-db", "--role", "readwrite", "--reason", "x", "--wait", "--json"
    )
    world.broker.decide(world.broker.await_request(), "approved")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert json.loads(out)["state"] == "approved"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wait_can_be_interrupted(
    world: World, gateway: FakeGateway, number: signal.Signals
) -> None:
    process = world.start(
        "exec", "prod-db", "--role", "readwrite", "--wait", "--reason", "x", "--", "true"
    )
    world.broker.await_request()
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert "Traceback" not in err


def test_a_statement_is_asked_for_exactly_as_given(world: World, tmp_path: Path) -> None:
    text = "  delete from orders\r\n where id = 7; -- é\n"
    file = tmp_path / "fix.sql"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    for args in (["--statement", text], ["--statement-file", str(file)]):
        done = world.run("request-approval", "prod-db", *args, "--reason", "x", "--json")
        assert json.loads(done.stdout)["statement"] == text
        assert json.loads(done.stdout)["access_role"] == "readonly"


def test_a_request_is_listed_shown_approved_and_denied(world: World) -> None:
    for _ in range(3):
        world.run("request-approval", "prod-db", "--reason", "TICKET-9")
    listed = world.run("requests", "list")
    assert "TICKET-9" in listed.stdout
    assert "readwrite" in listed.stdout
    lines = world.run("requests", "list", "--json").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["r1", "r2", "r3"]
    assert "approved" in world.run("approve", "r1", "--comment", "ok").stdout
    assert world.broker.bodies[-1] == {"comment": "ok"}
    assert "denied" in world.run("deny", "r2", "--json").stdout
    assert "withdrawn" in world.run("requests", "withdraw", "r3").stdout
    shown = world.run("requests", "show", "r1").stdout
    assert "looked at it" in shown
    assert world.run("approve", "r9").returncode == 2


def test_text_of_others_cannot_drive_the_terminal(world: World) -> None:
    evil = "looks fine\x1b[2K\x1b[1Aapproved\u202e\r"
    world.run("request-approval", "prod-db", "--reason", evil)
    for args in (["requests", "list"], ["requests", "show", "r1"]):
        out = world.run(*args).stdout
        assert "looks fine" in out
        assert not {"\x1b", "\u202e", "\r"} & set(out)
    assert json.loads(world.run("requests", "show", "r1", "--json").stdout)["reason"] == evil


def test_sessions_are_listed_shown_and_killed(world: World, gateway: FakeGateway) -> None:
    process = world.start("connect", "prod-db", "--no-client", "--json", "--agent", "copilot")
    assert process.stdout is not None
    process.stdout.readline()
    assert '"copilot"' in world.run("sessions", "list").stdout
    assert json.loads(world.run("sessions", "show", "s1", "--json").stdout)["state"] == "open"
    killed = world.run("sessions", "kill", "s1", "--reason", "lost laptop")
    assert killed.returncode == 0, killed.stderr
    assert world.broker.sessions["s1"].close_reason == "lost laptop"
    process.terminate()
    process.communicate(timeout=20)


def entry(index: int, **values: object) -> dict[str, object]:
    scope = {
        "session": "s1",
        "who": {"kind": "Agent", "name": "copilot", "on_behalf_of": {"name": "alice"}},
        "database": "prod-db",
        "access_role": "readonly",
    }
    return {"index": index, "time": "2026-11-23T20:00:00Z", "scope": scope, **values}


def test_audit_search_gives_one_line_a_statement(world: World) -> None:
    world.broker.entries = [
        entry(1, kind="statement_began", text="select *\nfrom orders", verdict="allow"),
        entry(2, kind="statement_ended", begin=1, rows=7, status="ok", sqlstate="",
              masked=[{"column": "email"}]),
        entry(3, kind="statement_began", text="drop table orders", verdict="hold",
              policies=["no-drop"]),
    ]  # fmt: skip
    done = world.run("audit", "search", "--database", "prod-db", "--since", "2h")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert "select * from orders [masked email]" in lines[1]
    assert "copilot for alice" in lines[1]
    assert "hold" in lines[2]
    assert "rule no-drop" in lines[2]
    raw = world.run("audit", "search", "--json", "--limit", "3").stdout.splitlines()
    assert [json.loads(line)["index"] for line in raw] == [1, 2, 3]
    assert len(world.run("audit", "search", "--json", "--limit", "1").stdout.splitlines()) == 1
    assert world.run("audit", "show", "s1").stdout == done.stdout


def test_a_reader_that_goes_away_ends_it_quietly(world: World) -> None:
    world.broker.entries = [entry(i, kind="note", text="x" * 5000) for i in range(60)]
    process = world.start("audit", "search", "--json")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    assert process.wait(10) in (1, 141)


def test_doctor_says_what_is_wrong(world: World) -> None:
    world.broker.gateway_port = 1
    done = world.run("doctor", "--json")
    found = {f["check"]: f for f in map(json.loads, done.stdout.splitlines())}
    assert found["broker"]["ok"]
    assert found["signed in"]["ok"]
    assert not found["gateway"]["ok"]
    assert done.returncode == 6


def test_a_proxy_of_the_environment_is_not_used_and_doctor_says_so(world: World) -> None:
    proxy = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:1")
    assert world.run("whoami", **proxy).returncode == 0
    found = map(json.loads, world.run("doctor", "--json", **proxy).stdout.splitlines())
    assert ["HTTPS_PROXY" in f["found"] for f in found if f["check"] == "proxy"] == [True]


def test_doctor_when_all_is_well(world: World, gateway: FakeGateway, issuer: FakeIssuer) -> None:
    done = world.run("doctor", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout
    assert [f["check"] for f in found if f["ok"]] == [
        "settings", "psql", "tunnel", "login store", "compiled module", "broker", "gateway", "issuer",
        "signed in",
    ]  # fmt: skip


def test_doctor_says_what_to_do_about_a_login_that_is_missing(
    world: World, gateway: FakeGateway, issuer: FakeIssuer
) -> None:
    done = world.run("doctor", DBGATE_ID_TOKEN="")
    assert done.returncode == 3
    assert "dbgate: hint: signed in: dbgate login" in done.stderr


def test_doctor_without_a_broker(world: World) -> None:
    done = world.run("doctor", DBGATE_BROKER="")
    assert done.returncode == 2
    assert "DBGATE_BROKER" in done.stderr


def test_serve_reads_the_file_that_it_is_given(world: World) -> None:
    done: subprocess.CompletedProcess[str] = world.run("serve")
    assert done.returncode == 2
    assert "--config" in done.stderr
