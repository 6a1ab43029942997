"""A session that waits: which statements wait for an approval, what it is bound to, what is refused at once."""

from __future__ import annotations

import pytest

from dbgate_core.approval.digest import statement_digest
from dbgate_core.approval.request import AccessRequest, Choice, State, Vote
from dbgate_core.guard.leave import Leave
from dbgate_core.holds import answer
from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.sql.effects import Action
from tests.unit.approval.people import ALICE, BOB, T0
from tests.unit.guard.doubles import Desk, TablePolicy

DROP = "drop table customers"
DIGEST = statement_digest(DROP, "prod-db", "readonly")
DELETE = TablePolicy(held=frozenset({Action.DELETE}))


def held(desk: Desk, text: str) -> Hold:
    verdict = desk.guard().judge(text)
    assert isinstance(verdict, Hold), verdict
    return verdict


def test_it_waits_for_an_approval_of_this_very_text() -> None:
    desk = Desk(waits=True)
    hold = held(desk, f" {DROP} ;")
    assert (hold.statement, hold.digest, hold.approval) == (DROP, DIGEST, "dba:1")
    assert hold.effects == ("dropping the table public.customers",)
    assert desk.log.entries == []


def test_one_that_is_approved_already_waits_for_nothing() -> None:
    desk = Desk(waits=True)
    desk.approvals.held[DIGEST] = "r1"
    guard = desk.guard()
    permit = guard.judge(DROP)
    assert isinstance(permit, Leave)
    guard.begin(permit, None, "simple")
    assert isinstance(guard.judge(DROP), Hold)


@pytest.mark.parametrize(
    "desk",
    [
        Desk(),
        Desk(waits=True, policy=TablePolicy(role="admin")),
        Desk(waits=True, search_path=("other",)),
        Desk(waits=True, policy=TablePolicy(denied=frozenset({Action.DROP}))),
    ],
    ids=["a session that does not wait", "another role's", "another path", "denied"],
)
def test_what_no_approval_here_could_help_is_refused_at_once(desk: Desk) -> None:
    assert isinstance(desk.guard().judge(DROP), Refusal)
    assert desk.log.kinds() == ["statement_refused"]


def test_one_that_no_approval_lets_run_is_refused_at_once() -> None:
    desk = Desk(waits=True, policy=TablePolicy(held=frozenset({Action.INSERT})))
    refused = desk.guard().judge("insert into plain select length(email) from customers")
    assert isinstance(refused, Refusal)
    assert "masking would be lost" in refused.message
    assert desk.log.entries[0][1]["code"] == "masking.moved"


def test_one_with_parameters_is_refused_at_once() -> None:
    desk = Desk(waits=True, policy=DELETE)
    for text in ("delete from plain where id = $1", "with a as (select $1::int) delete from plain"):
        refused = desk.guard().judge(text)
        assert isinstance(refused, Refusal)
        assert "values written out" in refused.hint
    held(desk, "delete from plain where id = 1 and '$1' = '$1'")


@pytest.mark.parametrize(
    "text",
    [
        "prepare s as delete from plain",
        "declare c cursor with hold for select unheard_of(1)",
        "select 1; prepare s as delete from plain",
    ],
)
def test_a_text_behind_a_name_is_never_approved(text: str) -> None:
    """It would run as often as the name is used: EXECUTE needs no approval."""
    policy = TablePolicy(denied=frozenset(), held=frozenset({Action.DELETE, Action.CALL}))
    desk = Desk(waits=True, policy=policy)
    desk.approvals.held[statement_digest(text, "prod-db", "readonly")] = "r1"
    assert isinstance(desk.guard().judge(text), Refusal)
    assert desk.log.entries[0][1]["verdict"] == "hold"


def test_a_setting_of_the_startup_message_never_waits() -> None:
    desk = Desk(waits=True, policy=TablePolicy(held=frozenset({Action.SET})))
    assert isinstance(desk.guard().admit("set lock_timeout to 1"), Refusal)


def test_no_leave_is_recorded_as_a_refusal() -> None:
    desk = Desk(waits=True)
    guard = desk.guard()
    hold = held(desk, DROP)
    no = Refusal("42501", "denied by bob", rule="no-drop")
    assert guard.refuse(hold, no) == no
    kind, entry = desk.log.entries[0]
    assert (kind, entry["verdict"], entry["text"]) == ("statement_refused", "hold", DROP)
    assert entry["message"] == "denied by bob"
    desk.log.full = True
    assert guard.refuse(hold, no).sqlstate == "53100"


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        (TablePolicy(version="v2"), True),
        (TablePolicy(version="v2", held=frozenset()), False),
        (TablePolicy(version="v2", denied=frozenset({Action.DROP})), False),
        (TablePolicy(version="v2", role="admin"), False),
        (TablePolicy(version="v2", approval="dba:2"), False),
    ],
    ids=["the same", "allowed", "denied", "for another role", "by other people"],
)
def test_under_other_policies_it_waits_on_only_for_the_same_leave(
    policy: TablePolicy, waits: bool
) -> None:
    desk = Desk(waits=True)
    guard = desk.guard()
    hold = guard.judge(DROP)
    assert isinstance(hold, Hold)
    asked = desk.policy.asked
    assert guard.holds(hold)
    assert desk.policy.asked == asked, "nothing changed, so nothing is asked"
    desk.policy.__dict__.update(policy.__dict__)
    assert guard.holds(hold) is waits
    assert desk.log.entries == []


@pytest.mark.parametrize(
    ("text", "plannable"),
    [
        ("delete from plain", True),
        ("with gone as (delete from plain returning id) select * from gone", True),
        ("/* a */ delete from plain where id < 3", True),
        ("delete from plain; delete from plain", False),
        ("delete from plain where id = unheard_of(1)", False),
        ("delete from plain where id = (select count(*) from pg_read_file('x') f)", False),
        ("explain analyze delete from plain", False),
        ("execute s", False),
        ("do $$ begin delete from plain; end $$", False),
    ],
)
def test_explain_is_asked_only_of_what_it_does_not_run(text: str, plannable: bool) -> None:
    desk = Desk(
        waits=True,
        policy=TablePolicy(
            denied=frozenset(),
            held=frozenset(Action) - {Action.SET},
        ),
    )
    assert held(desk, text).plannable is plannable


def request(state: State, *votes: Vote) -> AccessRequest:
    return AccessRequest(
        "r-1", "prod-db", "readonly", ALICE, "why", "dba:1", 60, T0, T0, DROP, DIGEST, state=state,
        votes=votes,
    )  # fmt: skip


def test_each_end_has_its_words() -> None:
    hold = held(Desk(waits=True), DROP)
    denied = answer(hold, request(State.DENIED, Vote(BOB, Choice.DENY, "not\x1b[2J\nnow", T0)))
    assert denied.message == "request r-1 was denied by bob: not?[2J?now"
    assert (denied.sqlstate, denied.rule) == ("42501", "no-drop")
    assert answer(hold, request(State.WITHDRAWN)).sqlstate == "57014"
    assert "in time" in answer(hold, request(State.EXPIRED)).message
    assert "any more" in answer(hold, request(State.APPROVED)).message
