"""What is told: who, where, what and what to type; never a statement's text, never a call to a whole channel."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dbgate_broker.notifications.events import (
    MAX_SHOWN,
    MAX_WORDS_CHARS,
    Event,
    Notification,
    notification,
    safe,
)
from dbgate_broker.notifications.webhook import payload

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ALICE = {"kind": "User", "name": "alice", "issuer": "https://i", "subject": "1", "groups": []}
REQUEST = {
    "request": "req_1",
    "requester": ALICE,
    "database": "prod-db",
    "environment": "production",
    "access_role": "readwrite",
    "approval": "dba:1",
    "reason": "T-1",
    "digest": "d1",
    "statement": "delete from customers where ssn = '536-90-4399'",
    "effects": ["deleting rows of the table public.customers"],
    "estimated_rows": 7,
    "duration_s": 60,
    "expires_at": "2026-03-04T05:11:07+00:00",
}


def told(event: Event, entry: dict[str, Any]) -> Notification:
    found = notification(event, entry, "msg_1", AT)
    assert found is not None
    return found


def test_an_approval_that_is_asked_for_says_all_that_a_reviewer_needs_to_begin() -> None:
    one = told(Event.REQUEST_CREATED, REQUEST)
    assert one.title == "alice asks for one statement on prod-db (production)"
    assert one.lines == (
        "reason: T-1",
        "what it does: deleting rows of the table public.customers",
        "rows, as the planner expects: 7",
        "to be approved by dba:1, until 2026-03-04T05:11:07+00:00",
        "dbgate requests show req_1",
        "dbgate approve req_1",
        "dbgate deny req_1",
    )
    assert (one.database, one.environment) == ("prod-db", "production")


def test_the_text_of_a_statement_is_not_told() -> None:
    one = told(Event.REQUEST_CREATED, REQUEST)
    assert one.data["digest"] == "d1"
    for said in (payload(one).decode(), one.title, *one.lines):
        assert "536-90-4399" not in said
        assert "delete from" not in said


def test_a_role_that_is_asked_for() -> None:
    role = {name: REQUEST[name] for name in REQUEST if name not in ("digest", "effects")}
    one = told(Event.REQUEST_CREATED, role | {"statement": ""})
    assert one.title == "alice asks for readwrite on prod-db (production)"


@pytest.mark.parametrize(
    ("state", "by", "said"),
    [
        ("approved", ALICE | {"name": "bob"}, "is approved by bob"),
        ("denied", ALICE | {"name": "bob"}, "is denied by bob"),
        ("expired", None, "is expired"),
    ],
)
def test_a_decision(state: str, by: object, said: str) -> None:
    one = told(Event.REQUEST_DECIDED, REQUEST | {"state": state, "by": by})
    assert one.title == f"alice's request req_1 for prod-db (production) {said}"


def test_an_agent_is_named_with_whom_it_acts_for() -> None:
    agent = {"kind": "Agent", "name": "copilot", "on_behalf_of": ALICE}
    assert told(Event.REQUEST_CREATED, REQUEST | {"requester": agent}).title.startswith(
        "copilot for alice asks"
    )
    asserted = ALICE | {"asserted_agent": "bot"}
    assert told(Event.REQUEST_CREATED, REQUEST | {"requester": asserted}).title.startswith(
        "bot (as alice says) asks"
    )


SCOPE = {"session": "s1", "who": ALICE, "database": "prod-db", "environment": "production",
         "access_role": "readonly"}  # fmt: skip


def change(column: str, after: list[str]) -> dict[str, object]:
    return {"column": column, "path": "", "before": [], "after": after, "reason": "r", "new": True}


def test_drift_names_the_columns_that_are_masked_now() -> None:
    changes = [change("public.t.v1", ["email"]), change("public.t.n", [])]
    one = told(Event.CLASSES_CHANGED, {"scope": SCOPE, "changes": changes})
    assert one.title == "protected columns appeared in prod-db (production): 1"
    assert one.lines == ("public.t.v1 is email", "dbgate databases classify prod-db")
    assert one.data["count"] == 1


def test_a_new_column_without_a_class_is_nothing_to_tell() -> None:
    entry = {"scope": SCOPE, "changes": [change("public.t.n", [])]}
    assert notification(Event.CLASSES_CHANGED, entry, "msg_1", AT) is None


def test_of_much_drift_the_first_are_named_and_the_rest_counted() -> None:
    changes = [change(f"public.t.v{n}", ["email"]) for n in range(MAX_SHOWN + 5)]
    one = told(Event.CLASSES_CHANGED, {"scope": SCOPE, "changes": changes})
    assert one.lines[MAX_SHOWN] == "and 5 more"
    assert one.data["count"] == MAX_SHOWN + 5
    assert len(one.data["changes"]) == MAX_SHOWN  # type: ignore[arg-type]


def test_a_series_of_searches_says_who_and_how_to_end_it() -> None:
    entry = {"scope": SCOPE, "column": "public.customers.email", "searches": 20, "window_s": 300}
    one = told(Event.SEARCH_SERIES, entry)
    assert "alice searches by parts of public.customers.email" in one.title
    assert "20 searches within 5 minutes in session s1" in one.lines
    assert "dbgate sessions kill s1" in one.lines


def test_a_log_that_fails() -> None:
    one = told(Event.LOG_FAILED, {"why": "no space left"})
    assert "cannot be written" in one.title
    assert one.database == ""


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("<!channel> look", "‹!channel› look"),  # noqa: RUF001
        ("@everyone", "＠everyone"),  # noqa: RUF001
        ("alice@example.com", "alice@example.com"),
        ("[here](https://evil)", "(here)(https://evil)"),
        ("two\nlines\x1b[31m", "two?lines?(31m"),
    ],
)
def test_others_words_call_nobody_and_are_no_markup(words: str, shown: str) -> None:
    assert safe(words) == shown


def test_long_words_are_cut() -> None:
    assert len(safe("x" * 5000)) == MAX_WORDS_CHARS


def test_the_payload_is_of_the_specification_s_shape() -> None:
    sent = json.loads(payload(told(Event.REQUEST_CREATED, REQUEST)))
    assert sent["type"] == "request_created"
    assert sent["timestamp"] == "2026-03-04T05:06:07+00:00"
    assert sent["data"]["request"] == "req_1"
    assert sent["data"]["requester"]["name"] == "alice"
