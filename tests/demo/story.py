"""`make demo`: dbgate's main job, played by its users on real parts, each step checked.

Run it with the interpreter of the environment that dbgate is installed in.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.demo.stage import DemoFailed, Stage, parse

LIMIT_S = 60.0
EPHEMERAL = "select rolname from pg_roles where rolname like 'v-%' order by 1"


def look_and_be_masked(stage: Stage) -> None:
    """Alice signs in and reads production: what is sensitive arrives masked."""
    stage.scene("alice, a developer, signs in (OIDC authorization code + PKCE)")
    stage.run("alice", ["dbgate", "login", "--as", "alice"], has=["alice"])
    stage.run("alice", ["dbgate", "databases"], has=["prod-db", "production", "dev-db"])
    stage.scene("she reads production with plain psql; nothing was configured to be masked")
    clear = stage.superuser("prod-db", "select email from customers order by id limit 3")
    query = "select id, full_name, email, phone, country from customers order by id limit 3"
    out = stage.run("alice", ["dbgate", "connect", "prod-db", "--", "-c", query], lacks=clear)
    stage.expect("@" in out and "*" in out, "e-mail addresses are masked, and still look like some")


def ephemeral_user(stage: Stage) -> None:
    """A session's database user exists while it is open, and not after."""
    stage.scene("the database user of a session lives only as long as the session")
    before = stage.superuser("prod-db", EPHEMERAL)
    tunnel = stage.start("alice", ["dbgate", "connect", "prod-db", "--no-client", "--json"])
    assert tunnel.stdout is not None
    event = json.loads(tunnel.stdout.readline())
    stage.expect(event["event"] == "ready", f"a local tunnel listens on port {event['port']}")
    during = set(stage.superuser("prod-db", EPHEMERAL)) - set(before)
    stage.expect(len(during) == 1, f"PostgreSQL has the ephemeral user {', '.join(during)}")
    tunnel.terminate()
    tunnel.communicate(timeout=20)
    after = set(stage.superuser("prod-db", EPHEMERAL)) & during
    stage.expect(not after, "it is gone after the session")


def stopped(stage: Stage) -> None:
    """A dangerous statement does not reach the database."""
    stage.scene("a slip of the keyboard: stopped before it runs, with the rule and the next move")
    drop = ["dbgate", "connect", "prod-db", "--", "-c", "drop table customers"]
    stage.run("alice", drop, code=1, has=["dbgate", "rule", "HINT"])
    exists = stage.superuser("prod-db", "select to_regclass('customers') is not null")
    stage.expect(exists == [True], "the table is still there")


def ask_and_wait(stage: Stage) -> None:
    """Alice asks for write access; bob approves; her waiting command goes on by itself."""
    stage.scene("she needs to write, and asks; her command waits for a second person")
    fix = "update orders set status = 'shipped' where id = 1 returning id, status"
    reason = "TICKET-1: order 1 was shipped by hand"
    ask = ["dbgate", "connect", "prod-db", "--role", "readwrite", "--wait", "--reason", reason]
    waiting = stage.start("alice", [*ask, "--", "-c", fix])
    stage.run("bob", ["dbgate", "login", "--as", "bob"], has=["bob"])
    request = pending_request(stage)
    stage.run("bob", ["dbgate", "requests", "list"], has=["alice", "readwrite", "TICKET-1"])
    stage.run("bob", ["dbgate", "approve", request, "--comment", "checked with the warehouse"])
    stage.finish(waiting, has=["shipped"])


def hold(stage: Stage) -> None:
    """A statement that policy holds waits on the wire, and runs once bob approves it."""
    stage.scene("a statement on every row waits for a second person, and goes on by itself")
    every = "update products set price = price"
    held = [
        "dbgate",
        "connect",
        "prod-db",
        "--role",
        "readwrite",
        "--hold",
        "2m",
        "--",
        "-c",
        every,
    ]
    waiting = stage.start("alice", held)
    request = pending_request(stage)
    shown = ["updating every row", "as the planner expects", every]
    stage.run("bob", ["dbgate", "requests", "show", request], has=shown)
    stage.run("bob", ["dbgate", "approve", request])
    stage.finish(waiting, has=[f"dbgate approve {request}", "UPDATE 200"])


def pending_request(stage: Stage) -> str:
    """Bob's eye on the list: the id of alice's request once it is there."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        listed = stage.run("bob", ["dbgate", "requests", "list", "--json"], quiet=True)
        for line in listed.splitlines():
            entry = parse(line)
            if entry.get("state") == "pending":
                return str(entry["id"])
    raise DemoFailed("alice's request did not appear")


def job(stage: Stage) -> None:
    """A CI job with a workload token and no human runs its tests on production."""
    stage.scene("a CI job, with a workload identity and no secret, runs pytest on production")
    test = str(Path(__file__).parent / "job_test.py")
    command = ["dbgate", "exec", "prod-db", "--", "pytest", "-q", "-p", "no:cacheprovider", test]
    stage.run("ci", command, token=True, has=["2 passed"])


def proof(stage: Stage) -> None:
    """Carol, the auditor, asks who did what, and proves that the record is whole."""
    stage.scene("carol, the auditor: who touched orders, and is the record whole?")
    stage.run("carol", ["dbgate", "login", "--as", "carol"], has=["carol"])
    search = ["dbgate", "audit", "search", "--database", "prod-db", "--table", "orders"]
    stage.run("carol", search, has=["alice", "ci", "update orders"])
    stage.run("carol", ["dbgate", "audit", "search", "--text", "drop table"], has=["alice", "hold"])
    stage.run("carol", ["dbgate", "audit", "verify"], has=["verified"])
    stage.run("alice", ["dbgate", "audit", "search", "--text", "drop table"], code=4)
    stage.expect(not stage.superuser("prod-db", EPHEMERAL), "no ephemeral database user is left")


def main() -> int:
    """Play every scene; 0 when all went as the story says."""
    begun = time.monotonic()
    try:
        with Stage() as stage:
            print(f"    everything answers after {time.monotonic() - begun:.1f} s")
            for scene in (
                look_and_be_masked,
                ephemeral_user,
                stopped,
                ask_and_wait,
                hold,
                job,
                proof,
            ):
                scene(stage)
            stage.scene("and everything stops")
            stage.expect((seconds := stage.stop()) < 5, f"dbgate dev stopped in {seconds:.1f} s")
            took = time.monotonic() - begun
            stage.expect(took < LIMIT_S, f"the whole story took {took:.1f} s")
            print(f"\ndemo: {stage.steps} steps, all as expected")
    except DemoFailed as failed:
        print(f"\ndemo failed: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
