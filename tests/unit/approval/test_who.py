"""How entries name who acts."""

from dataclasses import replace

from dbgate_core.audit.who import who
from tests.unit.approval.people import ALICE, CI, agent


def test_a_person_is_named_by_what_the_token_proves() -> None:
    assert who(ALICE) == {
        "kind": "User",
        "name": "alice",
        "issuer": ALICE.issuer,
        "subject": "sub-alice",
        "groups": ["developers"],
    }


def test_an_agent_is_named_with_the_whole_chain_behind_it() -> None:
    outer = agent(agent(ALICE, "planner"), "worker", "b", "a")
    named = who(outer)
    assert named["kind"] == "Agent"
    assert named["groups"] == ["a", "b"]
    behind = named["on_behalf_of"]
    assert isinstance(behind, dict)
    assert behind["name"] == "planner"
    assert behind["on_behalf_of"] == who(ALICE)


def test_what_is_only_said_stands_apart() -> None:
    assert "asserted_agent" not in who(CI)
    assert who(replace(CI, asserted_agent="claude")) == {**who(CI), "asserted_agent": "claude"}
