"""How questions become decisions, whatever the rules say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_broker.policies import read_policies, shipped
from dbgate_core.approval.quorum import MAX_SEATS, Quorum
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import SessionLimits, Verdict
from dbgate_core.errors import DbgateError, UsageError
from dbgate_core.masking.classes import DataClass
from dbgate_core.policy.answers import strongest, written
from dbgate_core.policy.engine import MAX_EFFECTS
from dbgate_core.policy.questions import DUTIES, destructive, temporary
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Danger, Effect, Predicate, Relation
from tests.unit.policy.people import (
    ALICE,
    BOB,
    COPILOT,
    DATABASES,
    DAVE,
    DEVELOPMENT,
    EVERYTHING,
    PEOPLE,
    PRODUCTION,
    ROLES,
    analysis,
    default,
    effect,
    permissive,
    person,
    rules,
)

DROP = Effect(Action.DROP, "t", "table")
SELECT = Effect(Action.SELECT, "t", "table")
OVERFLOW = "context.statement.count * 9223372036854775807 * 9 > 0"
CONNECT = '@id("connect") permit(principal, action == Action::"connect", resource);'

texts = st.text(max_size=12)
effects = st.builds(
    Effect,
    st.sampled_from(Action),
    texts,
    st.sampled_from(["", "table", "function", "setting", "role"]) | texts,
    st.sampled_from(Predicate),
    st.sampled_from(Danger),
    st.sampled_from(["", "temporary", "drop column", "lexing", "advisory lock"]) | texts,
    st.frozensets(texts, max_size=2),
    st.booleans(),
)
analyses = st.builds(
    lambda found, incomplete: replace(analysis(*found), incomplete=incomplete),
    st.lists(effects, max_size=3),
    st.booleans(),
)
people = st.sampled_from(sorted(PEOPLE)).map(PEOPLE.__getitem__)
databases = st.sampled_from(list(DATABASES.values()))
roles = st.sampled_from(ROLES)


@settings(max_examples=150, deadline=None)
@given(people, databases, roles, analyses)
def test_an_approval_flips_exactly_the_holds(
    who: Principal, database: DatabaseFacts, role: str, found: Analysis
) -> None:
    before = default().statement(who, database, role, found)
    after = default().statement(who, database, role, found, approved=True)
    assert after.allowed == (before.verdict in (Verdict.ALLOW, Verdict.HOLD))
    assert bool(before.approval) == (before.verdict is Verdict.HOLD)
    if before.allowed:
        assert after.obligations == before.obligations


@settings(max_examples=150, deadline=None)
@given(people, databases, roles, analyses)
def test_what_is_allowed_is_permitted_by_name_and_what_is_not_says_why(
    who: Principal, database: DatabaseFacts, role: str, found: Analysis
) -> None:
    decision = default().statement(who, database, role, found)
    if decision.allowed:
        forbids = {rule.id for rule in default().rules if rule.forbids}
        assert decision.policies
        assert not forbids & set(decision.policies)
    else:
        assert decision.message
        assert decision.message.isprintable()
        assert decision.hint.isprintable()


@settings(max_examples=100, deadline=None)
@given(people, databases, roles, st.lists(effects, min_size=1, max_size=4))
def test_a_statement_is_as_bad_as_its_worst_effect(
    who: Principal, database: DatabaseFacts, role: str, found: list[Effect]
) -> None:
    badness = {Verdict.ALLOW: 0, Verdict.HOLD: 1, Verdict.DENY: 2}
    alone = [default().statement(who, database, role, analysis(each)).verdict for each in found]
    whole = default().statement(who, database, role, analysis(*found)).verdict
    assert badness[whole] == max(badness[verdict] for verdict in alone)


@settings(max_examples=100, deadline=None)
@given(people.filter(lambda who: who.kind is not PrincipalKind.AGENT), databases, roles, analyses)
def test_naming_an_agent_only_takes_rights_away(
    who: Principal, database: DatabaseFacts, role: str, found: Analysis
) -> None:
    driven = replace(who, asserted_agent="helper")
    if default().statement(driven, database, role, found).allowed:
        assert default().statement(who, database, role, found).allowed
    for duty in DUTIES:
        assert not default().may(driven, duty, database).allowed


@settings(max_examples=50, deadline=None)
@given(people, databases, roles, analyses)
def test_nothing_is_allowed_that_no_rule_permits(
    who: Principal, database: DatabaseFacts, role: str, found: Analysis
) -> None:
    forbidding = rules(
        '@id("no") forbid(principal, action == Action::"unknown", resource);', CONNECT
    )
    assert forbidding.statement(who, database, role, found).verdict is Verdict.DENY
    assert forbidding.statement(who, database, role, found, approved=True).verdict is Verdict.DENY


def test_a_forbid_wins_over_every_permit() -> None:
    some = rules(EVERYTHING, '@id("no") forbid(principal, action == Action::"drop", resource);')
    decision = some.statement(BOB, DEVELOPMENT, "admin", analysis(SELECT, DROP), approved=True)
    assert (decision.verdict, decision.policies) == (Verdict.DENY, ("no",))
    assert some.statement(BOB, DEVELOPMENT, "admin", analysis(SELECT)).allowed


@pytest.mark.parametrize("kind", ["forbid", "permit", '@approval("dba:1") forbid'])
@pytest.mark.parametrize("approved", [False, True])
def test_a_rule_that_cannot_be_evaluated_refuses(kind: str, approved: bool) -> None:
    some = rules(
        EVERYTHING,
        f'@id("broken") {kind}(principal, action == Action::"select", resource) when {{ {OVERFLOW} }};',
    )
    found = replace(analysis(SELECT), statements=9)
    decision = some.statement(BOB, DEVELOPMENT, "admin", found, approved=approved)
    if "approval" in kind and approved:
        assert decision.allowed
        return
    assert (decision.verdict, decision.policies) == (Verdict.DENY, ("broken",))
    assert "broken" in decision.hint


def test_a_rule_broken_under_a_hold_refuses() -> None:
    some = rules(
        CONNECT,
        '@id("wait") @approval("dba:1") forbid(principal, action == Action::"drop", resource);',
        f'@id("broken") permit(principal, action == Action::"drop", resource) when {{ {OVERFLOW} }};',
    )
    found = replace(analysis(DROP), statements=9)
    decision = some.statement(BOB, DEVELOPMENT, "admin", found)
    assert (decision.verdict, decision.policies) == (Verdict.DENY, ("broken",))


def test_a_hold_needs_a_permit_under_it() -> None:
    wait = '@id("wait") @approval("dba:1") forbid(principal, action == Action::"drop", resource);'
    drop = analysis(DROP)
    bare = rules(CONNECT, wait).statement(ALICE, DEVELOPMENT, "admin", drop)
    assert (bare.verdict, bare.approval) == (Verdict.DENY, "")
    held = rules(EVERYTHING, wait).statement(ALICE, DEVELOPMENT, "admin", drop)
    assert (held.verdict, held.approval, held.policies) == (Verdict.HOLD, "dba:1", ("wait",))


def test_a_hold_asks_for_what_satisfies_every_rule_that_holds() -> None:
    some = rules(
        EVERYTHING,
        '@id("a") @approval("dba:1") forbid(principal, action == Action::"drop", resource);',
        '@id("b") @approval("dba:2,security:1") forbid(principal, action in Action::"ddl", resource);',
    )
    decision = some.statement(ALICE, DEVELOPMENT, "admin", analysis(DROP))
    assert (decision.approval, decision.policies) == ("dba:2,security:1", ("a", "b"))


def test_a_hold_for_more_people_than_may_vote_is_a_refusal() -> None:
    crowd = [
        f'@id("h{i}") @approval("g{i}:{MAX_SEATS}") forbid(principal, action == Action::"drop", resource);'
        for i in range(2)
    ]
    decision = rules(EVERYTHING, *crowd).statement(ALICE, DEVELOPMENT, "admin", analysis(DROP))
    assert decision.verdict is Verdict.DENY


quorums = st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(
    lambda seats: Quorum(tuple(seats))
)


@given(st.lists(quorums, min_size=1, max_size=4), st.lists(st.frozensets(st.sampled_from("abcd"))))
def test_who_fills_the_strongest_quorum_fills_each(
    several: list[Quorum], present: list[frozenset[str]]
) -> None:
    joined = strongest(several)
    assert joined is not None
    assert Counter(Quorum.parse(written(joined)).seats) == Counter(joined.seats)
    if joined.filled_by(present):
        assert all(quorum.filled_by(present) for quorum in several)


def test_what_was_not_understood_is_judged_though_no_effect_says_so() -> None:
    silent = replace(analysis(SELECT), incomplete=True)
    assert default().statement(BOB, PRODUCTION, "admin", silent).policies == ("production-unknown",)
    without = analysis(statements=1)
    for one in (silent, without):
        assert default().statement(ALICE, DEVELOPMENT, "readwrite", one).verdict is Verdict.DENY
        assert default().statement(BOB, DEVELOPMENT, "admin", one).policies[-1:] == (
            "development-unknown",
        )
    assert permissive().statement(BOB, DEVELOPMENT, "admin", silent).allowed


def test_an_empty_text_runs_for_whoever_has_a_session() -> None:
    empty = analysis(text=" ; ", statements=0)
    assert default().statement(ALICE, PRODUCTION, "readonly", empty).allowed
    assert default().statement(DAVE, PRODUCTION, "readonly", empty).verdict is Verdict.DENY


def test_a_statement_presupposes_its_session() -> None:
    some = rules('@id("sql") permit(principal, action in Action::"statement", resource);')
    assert some.statement(ALICE, DEVELOPMENT, "readonly", analysis(SELECT)).verdict is Verdict.DENY


def test_a_statement_that_does_too_much_is_refused() -> None:
    many = [replace(SELECT, object=f"t{i}") for i in range(MAX_EFFECTS + 1)]
    decision = permissive().statement(ALICE, DEVELOPMENT, "readonly", analysis(*many))
    assert decision.verdict is Verdict.DENY
    assert str(MAX_EFFECTS) in decision.message


@pytest.mark.parametrize(
    "condition",
    [
        'context.statement.reads.contains("hr.salaries")',
        'context["statement"]["reads"].contains("hr.salaries")',
        'context.statement.writes.contains("hr.salaries")',
        'context.statement.functions.contains("f")',
        "context.statement.count == 2",
        'resource.hasTag("team") && resource.getTag("team") == "shop"',
        'resource.environment == "production"',
        'principal is User && principal.email == "alice@example.com"',
        f'principal.issuer == "{ALICE.issuer}"',
        'context.columns.contains("salary")',
    ],
)
def test_a_rule_may_look_at(condition: str) -> None:
    some = rules(
        EVERYTHING,
        f'@id("no") forbid(principal, action == Action::"update", resource) when {{ {condition} }};',
    )
    alice = replace(ALICE, email="alice@example.com")
    update = Effect(Action.UPDATE, "salaries", "table", columns=frozenset({"salary"}))
    salaries = frozenset({Relation("hr", "salaries")})
    found = replace(
        analysis(update, statements=2),
        reads=salaries,
        writes=salaries,
        functions=frozenset({"f"}),
    )
    assert some.statement(alice, PRODUCTION, "readwrite", found).policies == ("no",)
    other = analysis(Effect(Action.UPDATE, "orders", "table"))
    elsewhere = person("eve")
    elsewhere = replace(elsewhere, issuer="https://other.example")
    assert some.statement(elsewhere, DEVELOPMENT, "readwrite", other).allowed


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(people, databases, roles, effects, st.booleans()), max_size=8))
def test_an_answer_that_is_kept_is_that_of_a_fresh_set(
    asked: list[tuple[Principal, DatabaseFacts, str, Effect, bool]],
) -> None:
    kept, fresh = default(), read_policies(shipped("default"))
    for who, database, role, found, approved in reversed(asked):
        kept.statement(who, database, role, analysis(found), approved=approved)
    for who, database, role, found, approved in asked:
        one, other = (
            some.statement(who, database, role, analysis(found), approved=approved)
            for some in (kept, fresh)
        )
        assert one == other


def test_an_answer_is_not_kept_for_other_statements_where_a_rule_looks_at_them() -> None:
    no = '@id("no") forbid(principal, action == Action::"select", resource)'
    some = rules(EVERYTHING, f"{no} when {{ context.statement.count == 2 }};")
    once, twice = analysis(SELECT), analysis(SELECT, statements=2)
    allowed = [
        some.statement(ALICE, DEVELOPMENT, "readonly", found).allowed
        for found in (once, twice, once)
    ]
    assert allowed == [True, False, True]


def test_an_answer_with_approval_is_not_one_without() -> None:
    wait = '@id("wait") @approval("dba:1") forbid(principal, action == Action::"drop", resource);'
    some = rules(EVERYTHING, wait)
    verdicts = [
        some.statement(BOB, DEVELOPMENT, "admin", analysis(DROP), approved=approved).verdict
        for approved in (True, False, True)
    ]
    assert verdicts == [Verdict.ALLOW, Verdict.HOLD, Verdict.ALLOW]


def test_values_pass_in_clear_only_where_everybody_in_the_chain_may_see_them() -> None:
    some = rules(
        EVERYTHING,
        '@id("hide") forbid(principal, action == Action::"unmask", resource) unless {'
        ' principal is User && context.access_role == "admin" &&'
        ' !context.statement.reads.contains("hr.salaries") };',
    )
    clear = some.statement(ALICE, DEVELOPMENT, "admin", analysis(SELECT))
    assert not clear.obligations.mask
    assert some.statement(ALICE, DEVELOPMENT, "readonly", analysis(SELECT)).obligations.mask
    assert some.statement(COPILOT, DEVELOPMENT, "admin", analysis(SELECT)).obligations.mask
    salaries = replace(analysis(SELECT), reads=frozenset({Relation("hr", "salaries")}))
    assert some.statement(ALICE, DEVELOPMENT, "admin", salaries).obligations.mask


def test_an_approval_of_a_statement_is_none_to_see_values() -> None:
    some = rules(
        EVERYTHING,
        '@id("ask") @approval("dba:1") forbid(principal, action == Action::"unmask", resource);',
    )
    for approved in (False, True):
        decision = some.statement(BOB, DEVELOPMENT, "admin", analysis(SELECT), approved=approved)
        assert decision.allowed
        assert decision.obligations.mask


def test_the_smallest_row_limit_counts() -> None:
    some = rules(
        EVERYTHING,
        '@id("many") @rows("500") permit(principal, action == Action::"select", resource);',
        '@id("few") @rows("20") permit(principal, action == Action::"call", resource);',
    )
    call = Effect(Action.CALL, "f", "function")
    limits = [
        some.statement(BOB, DEVELOPMENT, "admin", analysis(*found)).obligations.row_limit
        for found in ([SELECT], [SELECT, call], [DROP])
    ]
    assert limits == [500, 20, None]


def test_the_mask_that_leaves_least_counts() -> None:
    some = rules(
        EVERYTHING,
        '@id("a") @mask("token") permit(principal, action == Action::"select", resource);',
        '@id("b") @mask("null") permit(principal, action == Action::"call", resource);',
    )
    call = Effect(Action.CALL, "f", "function")
    owed = [
        some.statement(BOB, DEVELOPMENT, "admin", analysis(*found)).obligations.styles
        for found in ([SELECT], [SELECT, call], [DROP])
    ]
    assert [styles.others for styles in owed] == ["token", "null", "partial"]


def test_values_may_be_shown_to_those_who_say_what_for() -> None:
    some = rules(
        '@id("all") permit(principal, action, resource) when { action != Action::"unmask" };',
        '@id("why") permit(principal, action == Action::"unmask", resource)'
        " when { context.has_reason };",
    )
    masks = [
        some.statement(
            BOB, DEVELOPMENT, "admin", analysis(SELECT), reasoned=reasoned
        ).obligations.mask
        for reasoned in (False, True)
    ]
    assert masks == [True, False]


def test_texts_are_read_where_one_permit_that_decides_says_so() -> None:
    some = rules(
        EVERYTHING,
        '@id("a") @free_text("mask") permit(principal, action == Action::"select", resource);',
    )
    owed = [
        some.statement(BOB, DEVELOPMENT, "admin", analysis(*found)).obligations.free_text
        for found in ([SELECT], [SELECT, DROP], [DROP])
    ]
    assert owed == [True, True, False]


def test_the_mask_that_leaves_least_counts_for_each_class() -> None:
    some = rules(
        '@id("a") @mask("email:token") permit(principal, action == Action::"select", resource);',
        '@id("b") @mask("email:generalise, phone:null") permit(principal, action, resource);',
    )
    styles = some.statement(BOB, DEVELOPMENT, "admin", analysis(SELECT)).obligations.styles
    named = [styles.of([name]) for name in (DataClass.EMAIL, DataClass.PHONE, DataClass.IBAN)]
    assert named == ["redact", "null", "partial"]


def test_the_smallest_limits_of_a_session_count_for_everybody_in_the_chain() -> None:
    some = rules(
        EVERYTHING,
        '@id("a") @session_rows("500") @session_bytes("9") '
        'permit(principal is User, action == Action::"connect", resource);',
        '@id("b") @session_rows("20") @session_statements("7") @statement_seconds("30") @rows_affected("4") '
        'permit(principal is Agent, action in [Action::"connect", Action::"request"], resource);',
    )
    assert some.connect(BOB, DEVELOPMENT, "admin").limits == SessionLimits(rows=500, row_bytes=9)
    assert some.connect(COPILOT, DEVELOPMENT, "readonly").limits == SessionLimits(7, 20, 9, 30, 4)
    workload = person("ci", kind=PrincipalKind.WORKLOAD)
    assert some.connect(workload, DEVELOPMENT, "readonly").limits == SessionLimits()


def test_an_approved_session_has_the_limits_of_its_permit() -> None:
    some = rules(
        '@id("a") @session_rows("5") permit(principal, action == Action::"connect", resource);',
        '@id("b") @approval("dba:1") forbid(principal, action == Action::"connect", resource);',
    )
    assert some.connect(BOB, DEVELOPMENT, "admin").limits == SessionLimits()
    assert some.connect(BOB, DEVELOPMENT, "admin", approved=True).limits == SessionLimits(rows=5)


def test_a_principal_cannot_be_named_into_another() -> None:
    some = rules('@id("only") permit(principal == User::"alice", action, resource);')
    for name in ('alice"', 'x" || true || "', "alice\n", "Alice", 'User::"alice"', "alice\0"):
        assert not some.connect(person(name), DEVELOPMENT, "readonly").allowed
    workload = person("alice", kind=PrincipalKind.WORKLOAD)
    assert not some.connect(workload, DEVELOPMENT, "readonly").allowed
    assert some.connect(ALICE, DEVELOPMENT, "readonly").allowed


@pytest.mark.parametrize("name", ["\ud800", ""])
def test_a_name_that_cannot_be_read_gets_nothing(name: str) -> None:
    try:
        allowed = permissive().connect(person(name), DEVELOPMENT, "readonly").allowed
    except DbgateError:
        allowed = False
    assert not allowed


def test_an_object_that_cannot_be_read_is_refused() -> None:
    odd = analysis(Effect(Action.SELECT, "\ud800", "table"))
    assert permissive().statement(ALICE, DEVELOPMENT, "readonly", odd).verdict is Verdict.DENY


def test_rules_tell_a_proven_agent_from_one_that_was_only_named() -> None:
    some = rules(
        EVERYTHING,
        '@id("named") forbid(principal is Agent, action == Action::"connect", resource)'
        ' unless { principal.verified && principal.on_behalf_of == "alice" };',
    )
    assert some.connect(COPILOT, DEVELOPMENT, "readonly").allowed
    named = replace(ALICE, asserted_agent="copilot")
    assert some.connect(named, DEVELOPMENT, "readonly").policies == ("named",)


def test_a_chain_of_agents_has_an_end() -> None:
    chain = ALICE
    for i in range(20):
        chain = person(f"agent{i}", kind=PrincipalKind.AGENT, behind=chain)
    assert permissive().connect(chain, DEVELOPMENT, "readonly").verdict is Verdict.DENY
    assert permissive().connect(COPILOT, DEVELOPMENT, "readonly").allowed


def test_a_person_who_acts_for_another_is_no_chain() -> None:
    odd = replace(DAVE, on_behalf_of=BOB)
    assert permissive().connect(odd, DEVELOPMENT, "readonly").verdict is Verdict.DENY


def test_an_unknown_duty_is_refused_loudly() -> None:
    with pytest.raises(UsageError):
        permissive().may(BOB, "fly", None)


@pytest.mark.parametrize(
    ("text", "loses"),
    [
        ("drop table t", True),
        ("drop table t detail=temporary", False),
        ("truncate table t", True),
        ('alter table t detail="add column"', False),
        ("alter comment t detail=table", False),
        ('alter table t detail="anything new"', True),
        ("create table t", False),
    ],
)
def test_what_may_lose_data(text: str, loses: bool) -> None:
    assert destructive(effect(text)) is loses
    marked = replace(effect(text), destructive=True)
    assert destructive(marked)
    assert not temporary(marked)


WATCHES = '@id("watches") @mode("observe") forbid(principal, action == Action::"drop", resource);'
FAILS = (
    '@id("fails") @mode("observe") forbid(principal, action == Action::"drop", resource)'
    " when { context.statement.count + 9223372036854775807 > 0 };"
)


def test_a_forbid_that_observes_stops_nothing_and_is_noted() -> None:
    some = rules(EVERYTHING, WATCHES)
    dropped = some.statement(ALICE, PRODUCTION, "admin", analysis(effect("drop table t")))
    assert (dropped.verdict, dropped.policies) == (Verdict.ALLOW, ("everything",))
    assert dropped.observed == ("watches",)
    read = some.statement(ALICE, PRODUCTION, "admin", analysis(effect("select table t")))
    assert read.observed == ()


def test_one_that_fails_while_it_observes_refuses_nothing_and_is_noted() -> None:
    decision = rules(EVERYTHING, FAILS).statement(
        ALICE, PRODUCTION, "admin", analysis(effect("drop table t"))
    )
    assert (decision.verdict, decision.observed) == (Verdict.ALLOW, ("fails",))


def test_what_observes_is_noted_of_a_refusal_a_hold_and_a_session_too() -> None:
    drop = analysis(effect("drop table t"))
    shut = '@id("s") forbid(principal, action == Action::"drop", resource);'
    held = f'@approval("dba:1") {shut}'
    for forbid, verdict in ((shut, Verdict.DENY), (held, Verdict.HOLD)):
        decision = rules(EVERYTHING, WATCHES, forbid).statement(ALICE, PRODUCTION, "admin", drop)
        assert (decision.verdict, decision.observed) == (verdict, ("watches",))
    opening = '@id("o") @mode("observe") forbid(principal, action == Action::"connect", resource);'
    entered = rules(EVERYTHING, opening).connect(ALICE, PRODUCTION, "admin")
    assert (entered.verdict, entered.observed) == (Verdict.ALLOW, ("o",))
    assert rules(EVERYTHING, opening).statement(ALICE, PRODUCTION, "admin", drop).allowed


def test_with_approval_an_observing_forbid_is_not_lifted_into_counting() -> None:
    some = rules(EVERYTHING, WATCHES.replace("@mode", '@approval("dba:1") @mode'))
    assert some.statement(ALICE, PRODUCTION, "admin", analysis(effect("drop table t"))).allowed
