from dataclasses import replace
from datetime import timedelta

import pytest

from dbgate_core.approval.request import AccessRequest, Choice, State
from dbgate_core.approval.rules import cast, grants, releases, settle, withdraw
from dbgate_core.errors import Denied, UsageError
from dbgate_core.principal import Principal, PrincipalKind
from tests.unit.approval.people import (
    ALICE,
    BOB,
    CARL,
    CI,
    EVE,
    NO,
    T0,
    YES,
    agent,
    asked,
    person,
    vote,
)

HOUR = timedelta(hours=1)


def approved(request: AccessRequest | None = None) -> AccessRequest:
    return cast(request or asked(), vote(BOB), YES)


def refused(request: AccessRequest, by: Principal, code: str) -> None:
    for choice in Choice:
        with pytest.raises(Denied) as caught:
            cast(request, vote(by, choice), YES)
        assert caught.value.code == code


def test_a_vote_that_fills_the_quorum_approves() -> None:
    assert approved().state is State.APPROVED


def test_the_window_begins_with_the_deciding_vote_and_not_when_it_was_asked_for() -> None:
    request = cast(asked(), vote(BOB, minutes=90), YES)
    assert request.window_ends_at == T0 + timedelta(minutes=90) + HOUR


def test_nobody_decides_his_own_request() -> None:
    refused(asked(requester=BOB), BOB, "approval.own")


def test_nobody_decides_his_own_request_by_another_account() -> None:
    here = person("bob", "dba", email="bob@x.test")
    there = person("robert", "dba", email="Bob@X.test", issuer="https://other.test")
    refused(asked(requester=here), there, "approval.own")


def test_nobody_decides_what_his_agent_asked_for() -> None:
    refused(asked(requester=agent(BOB)), BOB, "approval.own")


def test_an_agent_decides_nothing() -> None:
    refused(asked(), agent(BOB, "copilot", "dba"), "approval.not_a_person")
    refused(asked(requester=BOB), agent(BOB, "copilot", "dba"), "approval.not_a_person")
    refused(asked(), replace(BOB, asserted_agent="copilot"), "approval.not_a_person")
    lone = replace(agent(BOB, "copilot", "dba"), on_behalf_of=None)
    refused(asked(), lone, "approval.not_a_person")


def test_a_workload_decides_nothing() -> None:
    refused(asked(), CI, "approval.not_a_person")


def test_nobody_votes_twice() -> None:
    once = cast(asked("dba:2"), vote(BOB), YES)
    assert once.state is State.PENDING
    refused(once, BOB, "approval.voted")
    refused(once, replace(BOB, groups=frozenset({"dba", "security"})), "approval.voted")
    assert cast(once, vote(CARL), YES).state is State.APPROVED


def test_one_person_in_two_groups_counts_once() -> None:
    once = cast(asked("dba:1,security:1"), vote(EVE), YES)
    assert once.state is State.PENDING
    refused(once, EVE, "approval.voted")
    assert cast(once, vote(BOB), YES).state is State.APPROVED


def test_only_members_of_the_named_groups_decide() -> None:
    refused(asked(), person("mallory", "developers"), "approval.not_a_reviewer")


def test_policy_must_permit_the_vote() -> None:
    with pytest.raises(Denied) as caught:
        cast(asked(), vote(BOB), NO)
    assert caught.value.rule == "no-votes"


def test_one_denial_ends_it_whatever_was_said_before() -> None:
    once = cast(asked("dba:2"), vote(BOB), YES)
    denied = cast(once, vote(CARL, Choice.DENY), YES)
    assert denied.state is State.DENIED
    with pytest.raises(UsageError):
        cast(denied, vote(EVE), YES)
    assert not grants(denied, ALICE, "readwrite", "dba:1", T0 + timedelta(minutes=5))


@pytest.mark.parametrize("state", [s for s in State if s is not State.PENDING])
def test_what_is_decided_stays_decided(state: State) -> None:
    with pytest.raises(UsageError) as caught:
        cast(asked(state=state), vote(BOB), YES)
    assert caught.value.code == f"approval.{state}"
    with pytest.raises(UsageError):
        withdraw(asked(state=state), ALICE, T0)


def test_a_request_lapses_at_its_expiry_and_is_not_voted_on_after() -> None:
    late = asked().expires_at
    assert settle(asked(), late - timedelta(seconds=1)).state is State.PENDING
    assert settle(asked(), late).state is State.EXPIRED
    with pytest.raises(UsageError) as caught:
        cast(asked(), replace(vote(BOB), at=late), YES)
    assert caught.value.code == "approval.expired"


def test_only_who_asked_withdraws() -> None:
    assert withdraw(asked(), ALICE, T0).state is State.WITHDRAWN
    with pytest.raises(Denied):
        withdraw(asked(), BOB, T0)


def test_a_grant_lasts_until_its_window_ends_and_not_longer() -> None:
    request = approved()
    assert request.window_ends_at is not None
    just = request.window_ends_at - timedelta(microseconds=1)
    assert grants(request, ALICE, "readwrite", "dba:1", just)
    assert not grants(request, ALICE, "readwrite", "dba:1", request.window_ends_at)
    assert not grants(request, ALICE, "readwrite", "dba:1", T0)


@pytest.mark.parametrize(
    "other",
    [
        BOB,
        agent(ALICE),
        replace(ALICE, issuer="https://other.test"),
        replace(ALICE, kind=PrincipalKind.WORKLOAD),
        person("alicia", email=ALICE.email),
    ],
)
def test_a_grant_serves_the_very_principal_who_asked(other: Principal) -> None:
    assert not grants(approved(), other, "readwrite", "dba:1", T0 + HOUR / 2)


def test_an_agents_grant_serves_it_for_that_person_only() -> None:
    request = approved(asked(requester=agent(ALICE)))
    assert grants(request, agent(ALICE), "readwrite", "dba:1", T0 + HOUR / 2)
    assert not grants(request, agent(CARL), "readwrite", "dba:1", T0 + HOUR / 2)
    assert not grants(request, ALICE, "readwrite", "dba:1", T0 + HOUR / 2)


def test_a_grant_is_for_its_access_role_alone() -> None:
    assert not grants(approved(), ALICE, "admin", "dba:1", T0 + HOUR / 2)


def test_a_grant_ends_when_policy_asks_for_more_than_was_voted() -> None:
    assert not grants(approved(), ALICE, "readwrite", "dba:2", T0 + HOUR / 2)
    assert not grants(approved(), ALICE, "readwrite", "security:1", T0 + HOUR / 2)


def test_a_pending_request_grants_nothing() -> None:
    assert not grants(asked(), ALICE, "readwrite", "dba:1", T0 + HOUR / 2)


def test_a_statements_approval_is_no_access() -> None:
    statement = approved(asked(statement="drop table t", digest="d"))
    assert not grants(statement, ALICE, "readwrite", "dba:1", T0 + HOUR / 2)
    assert releases(statement, ALICE, "d", "dba:1", T0 + HOUR / 2)


def test_a_statements_approval_is_for_that_statement_that_principal_and_once() -> None:
    statement = approved(asked(statement="drop table t", digest="d"))
    soon = T0 + HOUR / 2
    assert not releases(statement, ALICE, "e", "dba:1", soon)
    assert not releases(statement, BOB, "d", "dba:1", soon)
    assert not releases(statement, agent(ALICE), "d", "dba:1", soon)
    assert not releases(statement, ALICE, "d", "dba:1", T0 + 2 * HOUR)
    assert not releases(statement, ALICE, "d", "dba:2", soon)
    assert not releases(replace(statement, used_at=soon), ALICE, "d", "dba:1", soon)
    assert not releases(approved(), ALICE, "", "dba:1", soon)
