"""Every endpoint, called by the command line's own client against the real server."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from dbgate_core import contract
from dbgate_core.errors import ApprovalNeeded, Denied, NotFound, NotSignedIn
from tests.integration.api.conftest import LIMIT_S, Api
from tests.integration.api.doubles import PASSWORD

WISH = contract.OpenSession(database="prod-db", reason="a look", client="psql", agent="helper")
ASK = contract.AskAccess(database="prod-db", access_role="readwrite", reason="a fix")


def test_discovery_needs_no_token(api: Api) -> None:
    assert api.broker("nobody").discovery() == api.discovery
    assert api.ask("GET", "/healthz", who="").json == {"status": "ok"}


def test_whoami_says_who_and_until_when(api: Api) -> None:
    found = api.broker().whoami()
    assert (found.kind, found.name, found.groups) == ("User", "alice", ["developers"])
    assert found.expires_at is not None
    assert timedelta(0) < found.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    assert api.broker("copilot").whoami().on_behalf_of == "alice"


def test_databases(api: Api) -> None:
    (found,) = api.broker().databases()
    assert (found.name, found.labels) == ("prod-db", {"team": "shop"})


def test_a_session_is_opened_shown_listed_and_closed(api: Api) -> None:
    alice = api.broker()
    opened = alice.open_session(WISH)
    assert opened.password == PASSWORD
    assert api.sessions.asked == [WISH]
    assert alice.session(opened.session.id) == opened.session
    assert [one.id for one in alice.sessions()] == [opened.session.id]
    alice.close_session(opened.session.id, "done & dusted?")
    assert alice.session(opened.session.id).close_reason == "done & dusted?"
    assert alice.sessions() == []
    everything = api.ask("GET", "/v1/sessions?state=all").json
    assert [one["id"] for one in everything] == [opened.session.id]


def test_an_error_keeps_its_class_rule_and_hint(api: Api) -> None:
    with pytest.raises(ApprovalNeeded) as caught:
        api.broker().open_session(contract.OpenSession(database="prod-db", access_role="admin"))
    assert (caught.value.rule, caught.value.hint) == ("prod-admin", "dbgate request-approval")
    with pytest.raises(NotFound):
        api.broker().session("s99")


def test_requests_are_asked_shown_listed_and_decided(api: Api) -> None:
    alice, bob = api.broker(), api.broker("bob")
    made = alice.ask_access(ASK)
    assert api.requests.asked == [ASK]
    assert bob.requests("pending") == [made]
    assert bob.requests() == [made]
    assert bob.requests("approved") == []
    assert bob.vote(made.id, "approve", "fine").votes[0].comment == "fine"
    assert alice.request(made.id).state == "approved"
    assert bob.vote(alice.ask_access(ASK).id, "deny", "").state == "denied"
    assert alice.withdraw(alice.ask_access(ASK).id).state == "withdrawn"


def test_a_long_poll_ends_with_the_decision(api: Api) -> None:
    alice = api.broker()
    made = alice.ask_access(ASK)
    found: list[contract.AccessRequestInfo] = []
    waiter = threading.Thread(target=lambda: found.append(alice.request(made.id, wait_s=25)))
    started = time.monotonic()
    waiter.start()
    while not api.requests.waiting:
        assert time.monotonic() - started < LIMIT_S
    api.broker("bob").vote(made.id, "approve", "")
    waiter.join(LIMIT_S)
    assert [one.state for one in found] == ["approved"]
    assert time.monotonic() - started < 10


def test_a_long_poll_that_nobody_ends_gives_the_pending_request(api: Api) -> None:
    made = api.broker().ask_access(ASK)
    assert api.broker().request(made.id, wait_s=1).state == "pending"
    assert api.requests.asked[-1] == 1.0


def test_an_auditor_searches_and_every_search_is_an_entry(api: Api) -> None:
    api.log.append("statement", {"text": "drop table x", "scope": {"database": "prod-db"}})
    carol = api.broker("carol")
    page = carol.audit_search({"text": "DROP", "database": "prod-db", "limit": "5", "since": "2020-01-31T12:00:00+00:00"})  # fmt: skip
    assert [entry["text"] for entry in page.entries] == ["drop table x"]
    (read,) = api.entries("audit_read")
    assert read["scope"]["who"]["name"] == "carol"
    assert (read["read"], read["verdict"], read["policies"]) == (
        "search",
        "allow",
        ["auditors-read"],
    )
    assert read["asked"]["text"] == "DROP"
    assert read["asked"]["since"].startswith("2020-01-31T12:00:00")
    assert "table" not in read["asked"]


def test_classes_are_shown_to_auditors_alone_and_that_is_recorded(api: Api) -> None:
    (column,) = api.broker("carol").classes("prod-db").columns
    assert column.classes == ["email"]
    with pytest.raises(Denied):
        api.broker().classes("prod-db")
    with pytest.raises(NotFound):
        api.broker("carol").classes("nowhere")
    reads = [(e["scope"]["who"]["name"], e["verdict"]) for e in api.entries("classes_read")]
    assert reads == [("carol", "allow"), ("alice", "deny")]


def test_pages_follow_each_other(api: Api) -> None:
    for number in range(5):
        api.log.append("statement", {"text": f"select {number}", "scope": {"session": "s7"}})
    carol = api.broker("carol")
    texts, cursor = [], ""
    for _ in range(10):
        page = carol.audit_search({"kind": "statement", "limit": "2", "cursor": cursor})
        texts += [entry["text"] for entry in page.entries]
        if not (cursor := page.next):
            break
    assert texts == [f"select {number}" for number in range(5)]
    assert len(carol.audit_session("s7").entries) == 5


def test_who_may_not_read_the_log_is_refused_and_that_is_recorded(api: Api) -> None:
    alice = api.broker()
    calls = [
        lambda: alice.audit_search({"text": "x"}),
        lambda: alice.audit_session("s1"),
        alice.audit_files,
        lambda: alice.audit_file("checkpoints"),
        alice.audit_checkpoint,
    ]
    for call in calls:
        with pytest.raises(Denied, match="only auditors") as caught:
            call()
        assert (caught.value.rule, caught.value.hint) == ("only-auditors", "ask one")
    reads = api.entries("audit_read")
    assert [read["read"] for read in reads] == ["search", "session", "files", "file", "checkpoint"]
    assert {read["verdict"] for read in reads} == {"deny"}


def test_an_own_session_may_be_read_by_its_own_principal_alone(api: Api) -> None:
    session = api.broker().open_session(WISH).session
    api.log.append("statement", {"text": "select 1", "scope": {"session": session.id}})
    assert [e["text"] for e in api.broker().audit_session(session.id).entries] == ["select 1"]
    for other in ("bob", "copilot"):  # bob may see and kill it; that is not reading what it did
        with pytest.raises(Denied):
            api.broker(other).audit_session(session.id)


def test_the_log_is_downloaded_byte_by_byte(api: Api) -> None:
    for number in range(50):
        api.log.append("statement", {"text": f"select {number} -- {'x' * 20_000}"})
    carol = api.broker("carol")
    note = carol.audit_checkpoint()
    assert note.startswith(b"dbgate\n")
    listed = carol.audit_files().files
    for one in listed:
        sent = carol.audit_file(one.name)
        now = api.log.read_file(one.name).read_bytes()
        assert len(sent) >= one.size_bytes
        assert now.startswith(sent)
    for wrong in ("../key.pem", "..", "key.pem", "/etc/passwd", "audit"):
        assert api.ask("GET", f"/v1/audit/files/{wrong}", who="carol").status == 404
        assert api.ask("GET", f"/v1/audit/files/{wrong.replace('/', '%2f').replace('.', '%2e')}",
                       who="carol").status == 404  # fmt: skip


def test_when_the_log_cannot_be_written_it_is_not_read(api: Api) -> None:
    api.log.close()
    reply = api.ask("GET", "/v1/audit/search", who="carol")
    assert (reply.status, reply.json["code"]) == (503, "audit.unavailable")


def test_a_token_that_does_not_verify(api: Api) -> None:
    with pytest.raises(NotSignedIn):
        api.broker("mallory").whoami()
