"""From claims to users, workloads and agents."""

from __future__ import annotations

from typing import Any

import pytest

from dbgate_broker.config import IssuerConfig, PrincipalRule
from dbgate_broker.identity import Authenticator
from dbgate_broker.testing.identity import AUDIENCE
from dbgate_core.errors import NotSignedIn, UsageError
from dbgate_core.principal import PrincipalKind
from tests.unit.identity.verifying import World

CI = PrincipalRule(
    kind="Workload",
    match={"repository": "shop/api", "ref": "refs/heads/main"},
    name="ci",
    groups=["ci"],
)
COPILOT = PrincipalRule(kind="Agent", match={"agent": "copilot"}, name="copilot", groups=["agents"])
BY_ACTOR = PrincipalRule(kind="Agent", match={"act.sub": "bot-7"}, name="seven", groups=["bots"])
ALICE = {"sub": "id-alice", "preferred_username": "alice", "groups": ["developers"]}


def test_a_user_has_name_groups_and_verified_address() -> None:
    found = World().principal()
    assert found.kind is PrincipalKind.USER
    assert (found.name, found.subject, found.email) == ("alice", "id-alice", "alice@example.com")
    assert found.groups == {"developers"}
    assert found.on_behalf_of is None


def test_an_address_that_is_not_verified_is_not_shown() -> None:
    assert World().principal(email_verified=False).email == ""
    assert World().principal(email="a\x1b[2Jb@x").email == ""
    assert World().principal(email=["a"]).email == ""


def test_an_address_is_a_name_only_when_the_issuer_has_verified_it() -> None:
    world = World(name_claim="email")
    assert world.principal(email_verified=True).name == "alice@example.com"
    for unverified in (False, None, "true", 1):
        with pytest.raises(NotSignedIn, match="not verified"):
            world.principal(email_verified=unverified)


@pytest.mark.parametrize("name", ["Zoë", "李雷", "O'Brien", "a b", "alice@example.com", "x" * 200])
def test_names_may_be_anybodys(name: str) -> None:
    assert World().principal(preferred_username=name).name == name


@pytest.mark.parametrize(
    "name",
    [None, "", " ", " alice", "alice ", "ali\nce", "ali\x00ce", "alice\u202e", "ali\u200bce", "x" * 201,
     "\u2028", "\x1b[31m", 7, True, ["alice"], {"a": 1}],
)  # fmt: skip
def test_names_that_cannot_be_read_are_refused(name: object) -> None:
    with pytest.raises(NotSignedIn, match="preferred_username"):
        World().principal(preferred_username=name)


@pytest.mark.parametrize(
    "groups", ["dba", {"dba": 1}, [7], [""], ["dba\n"], [["dba"]], ["g"] * 1001]
)
def test_groups_that_are_no_list_of_names_are_refused(groups: object) -> None:
    with pytest.raises(NotSignedIn, match="groups"):
        World().principal(groups=groups)


def test_no_groups_claim_is_no_groups() -> None:
    assert World().principal(groups=None).groups == frozenset()


def test_another_groups_claim() -> None:
    assert World(groups_claim="roles").principal(roles=["dba"]).groups == {"dba"}


def test_a_workload_matches_all_of_its_claims() -> None:
    world = World(principals=[CI])
    found = world.principal(
        repository="shop/api", ref="refs/heads/main", preferred_username=None, groups=["dba"]
    )
    assert found.kind is PrincipalKind.WORKLOAD
    assert (found.name, found.groups) == ("ci", frozenset({"ci"}))


@pytest.mark.parametrize(
    "changes",
    [{"ref": "refs/heads/evil"}, {"repository": "evil/api"}, {"ref": None}, {"ref": "refs/heads/main2"},
     {"ref": {"refs/heads/main": 1}}, {"repository": "shop/api\n"}],
)  # fmt: skip
def test_a_workload_that_misses_one_claim_is_not_it(changes: dict[str, Any]) -> None:
    claims = {"repository": "shop/api", "ref": "refs/heads/main", **changes}
    assert World(principals=[CI]).principal(**claims).kind is PrincipalKind.USER
    with pytest.raises(NotSignedIn):
        World(principals=[CI]).principal(**claims, preferred_username=None)


def test_a_claim_that_is_a_list_or_a_truth_value_matches() -> None:
    rule = PrincipalRule(kind="Workload", match={"roles": "job", "trusted": "true"}, name="job")
    world = World(principals=[rule])
    assert world.principal(roles=["a", "job"], trusted=True).name == "job"
    assert world.principal(roles=["a", "jobs"], trusted=True).name == "alice"
    assert world.principal(roles=["job"], trusted=False).name == "alice"


def test_the_first_rule_that_matches_decides() -> None:
    second = PrincipalRule(kind="Workload", match={"repository": "shop/api"}, name="any-branch")
    world = World(principals=[CI, second])
    assert world.principal(repository="shop/api", ref="refs/heads/main").name == "ci"
    assert world.principal(repository="shop/api", ref="refs/heads/x").name == "any-branch"


def test_an_actor_is_an_agent_that_acts_for_the_subject() -> None:
    found = World(principals=[COPILOT]).principal(agent="copilot", act={"sub": "copilot-1"})
    assert found.kind is PrincipalKind.AGENT
    assert (found.name, found.subject, found.groups) == (
        "copilot",
        "copilot-1",
        frozenset({"agents"}),
    )
    assert found.on_behalf_of is not None
    assert found.on_behalf_of.kind is PrincipalKind.USER
    assert (found.human.name, found.human.groups) == ("alice", frozenset({"developers"}))
    assert found.uid != found.human.uid


def test_an_actor_without_a_rule_is_an_agent_all_the_same() -> None:
    """A token with an actor is never the subject's own: the person's rights do not follow."""
    found = World().principal(act={"sub": "unknown-bot", "preferred_username": "bot"})
    assert found.kind is PrincipalKind.AGENT
    assert (found.name, found.groups, found.human.name) == ("bot", frozenset(), "alice")
    assert World().principal(act={"sub": "unknown-bot"}).name == "unknown-bot"
    with pytest.raises(NotSignedIn, match="preferred_username"):
        World().principal(act={"sub": "unknown-bot", "preferred_username": ""})


def test_a_rule_can_look_at_the_actor() -> None:
    world = World(principals=[BY_ACTOR])
    assert world.principal(act={"sub": "bot-7"}).name == "seven"
    assert world.principal(act={"sub": "bot-8"}).name == "bot-8"
    other = world.principal(**{"act.sub": "bot-7"})
    assert other.kind is PrincipalKind.USER


def test_an_agent_of_a_workload() -> None:
    world = World(principals=[CI, COPILOT])
    found = world.principal(
        repository="shop/api", ref="refs/heads/main", agent="copilot", act={"sub": "c"}
    )
    assert (found.kind, found.human.kind) == (PrincipalKind.AGENT, PrincipalKind.WORKLOAD)
    assert (found.name, found.human.name) == ("copilot", "ci")


def test_a_chain_of_actors_is_kept_whole() -> None:
    found = World().principal(
        act={"sub": "third", "act": {"sub": "second", "act": {"sub": "first"}}}
    )
    names = []
    link = found
    while link.on_behalf_of is not None:
        names.append(link.name)
        link = link.on_behalf_of
    assert names == ["third", "second", "first"]
    assert link.name == "alice"


@pytest.mark.parametrize(
    "act",
    [None, {}, [], "copilot", True, {"sub": ""}, {"sub": 7}, {"sub": "a\n"}, {"sub": "a", "act": "b"},
     {"sub": "a", "iss": "https://other.test"},  {"sub": "a", "act": None},
     {"sub": "1", "act": {"sub": "2", "act": {"sub": "3", "act": {"sub": "4", "act": {"sub": "5"}}}}}],
)  # fmt: skip
def test_an_actor_that_is_not_understood_is_refused_not_ignored(act: object) -> None:
    world = World(principals=[COPILOT])
    with pytest.raises(NotSignedIn):
        world.verify(world.signer.signed(world.signer.claims() | {"act": act, "agent": "copilot"}))


def test_an_agents_own_token_says_whom_it_acts_for() -> None:
    found = World(principals=[COPILOT]).principal(
        sub="id-copilot", agent="copilot", groups=["dba"], on_behalf_of=ALICE
    )
    assert (found.kind, found.name, found.groups) == (
        PrincipalKind.AGENT,
        "copilot",
        frozenset({"agents"}),
    )
    assert (found.human.name, found.human.subject) == ("alice", "id-alice")
    assert found.human.groups == {"developers"}


@pytest.mark.parametrize(
    "whom", [None, "alice", [], {}, {"sub": "id-alice"}, {"preferred_username": "alice"}, ["alice"]]
)
def test_an_agent_for_nobody_is_refused(whom: object) -> None:
    with pytest.raises(NotSignedIn):
        World(principals=[COPILOT]).principal(agent="copilot", on_behalf_of=whom)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (PrincipalRule(kind="Robot", match={"a": "b"}), "not a kind"),
        (PrincipalRule(kind="Workload", match={}, name="ci"), "without `match`"),
        (PrincipalRule(kind="Workload", match={"a": "b"}, name="c\ni"), "not a name"),
    ],
)
def test_rules_that_would_be_unsafe_are_refused(rule: PrincipalRule, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Authenticator([IssuerConfig(url="https://i.test", audience="x", principals=[rule])])


@pytest.mark.parametrize(
    "url",
    ["http://issuer.test", "issuer.test", "ftp://x", "https://", "https://u:p@x", "https://x:port",
     "http://127.0.0.1.evil.test", "https://x/#f", "https://x\n", ""],
)  # fmt: skip
def test_issuers_are_reached_by_tls_or_on_this_machine(url: str) -> None:
    with pytest.raises(UsageError, match="URL"):
        Authenticator([IssuerConfig(url=url, audience="x")])


def test_an_issuer_is_configured_once_and_with_an_audience() -> None:
    issuer = IssuerConfig(url="https://i.test", audience=AUDIENCE)
    with pytest.raises(UsageError, match="twice"):
        Authenticator([issuer, issuer])
    with pytest.raises(UsageError, match="audience"):
        Authenticator([IssuerConfig(url="https://i.test", audience="")])
