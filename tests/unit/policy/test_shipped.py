"""The shipped rules, by tables of cases in `cases/`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbgate_core.decision import Verdict
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.effects import Action, Danger, Effect
from tests.unit.policy.people import (
    ALICE,
    BOB,
    COPILOT,
    DATABASES,
    DAVE,
    DEVELOPMENT,
    PEOPLE,
    PRODUCTION,
    ROLES,
    Case,
    analysis,
    cases,
    default,
    effect,
    permissive,
    said,
)


def expected(case: Case) -> tuple[str, tuple[str, ...]]:
    return case.verdict, tuple(sorted(case.rules))


def decide_access(case: Case, action: str) -> tuple[str, tuple[str, ...]]:
    if action == "connect":
        database = DATABASES[case.database]
        return said(default().connect(case.principal, database, case.role))
    return said(default().may(case.principal, action, DATABASES.get(case.database)))


def decide_effect(case: Case) -> tuple[str, tuple[str, ...]]:
    found = analysis(effect(case.subject))
    database = DATABASES[case.database]
    return said(default().statement(case.principal, database, case.role, found))


@pytest.mark.parametrize("case", cases("access.txt"), ids=str)
def test_who_may_open_what_and_do_what(case: Case) -> None:
    for action in case.subject.split(","):
        assert decide_access(case, action) == expected(case)


@pytest.mark.parametrize("case", cases("effects.txt"), ids=str)
def test_what_each_access_role_may_run(case: Case) -> None:
    assert decide_effect(case) == expected(case)


@pytest.mark.parametrize("case", cases("sql.txt"), ids=str)
def test_what_statements_come_to(case: Case) -> None:
    found = analyse(case.subject.replace("\\n", "\n"))
    database = DATABASES[case.database]
    decision = default().statement(case.principal, database, case.role, found)
    assert said(decision) == expected(case)


def test_every_shipped_rule_decides_some_case() -> None:
    decided: set[str] = set()
    for case in cases("access.txt"):
        for action in case.subject.split(","):
            decided.update(decide_access(case, action)[1])
    for case in cases("effects.txt"):
        decided.update(decide_effect(case)[1])
        approved = default().statement(
            case.principal, DATABASES[case.database], case.role, analysis(effect(case.subject)),
            approved=True,
        )  # fmt: skip
        decided.update(approved.policies)
    ids = {rule.id for rule in default().rules}
    # The one decides only whether values are masked, which no list of deciding rules shows; the other by
    # what no effect says (policies/default/tests).
    assert ids - decided == {"agents-see-masked-values", "agents-search-by-equality"}


@pytest.mark.parametrize("environment", ["", " Production ", "PROD", "prd", "live"])
def test_another_spelling_of_production_is_production(environment: str) -> None:
    database = replace(PRODUCTION, environment=environment)
    assert default().connect(ALICE, database, "admin").verdict is Verdict.HOLD
    drop = analysis(Effect(Action.DROP, "t", "table"))
    decision = default().statement(ALICE, database, "readonly", drop)
    assert decision.policies == ("production-destructive",)


@pytest.mark.parametrize("environment", ["development", "staging", "production-copy", "nonprod"])
def test_other_environments_are_not(environment: str) -> None:
    database = replace(DEVELOPMENT, environment=environment)
    assert default().connect(ALICE, database, "readwrite").allowed


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("database", DATABASES)
def test_nobody_sees_values_in_clear_by_default(who: str, database: str) -> None:
    read = analysis(Effect(Action.SELECT, "customers", "table"))
    for role in ROLES:
        decision = default().statement(PEOPLE[who], DATABASES[database], role, read, approved=True)
        assert decision.obligations.mask


def test_an_agent_reads_a_bounded_number_of_rows_and_its_person_does_not() -> None:
    read = analysis(Effect(Action.SELECT, "customers", "table"))
    for agent in (COPILOT, PEOPLE["alice+agent"]):
        decision = default().statement(agent, PRODUCTION, "readonly", read)
        assert decision.obligations.row_limit == 1000
    alone = default().statement(ALICE, PRODUCTION, "readonly", read)
    assert alone.allowed
    assert alone.obligations.row_limit is None


def test_an_approval_gives_an_agent_nothing() -> None:
    drop = analysis(Effect(Action.DROP, "t", "table"))
    for agent in (COPILOT, PEOPLE["alice+agent"], PEOPLE["bob+agent"], PEOPLE["bob's-agent"]):
        for role in ROLES:
            held = default().statement(agent, PRODUCTION, role, drop, approved=True)
            assert held.verdict is Verdict.DENY
        decision = default().connect(agent, PRODUCTION, "readwrite", approved=True)
        assert decision.verdict is Verdict.DENY


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("danger", Danger)
def test_permissive_refuses_lexing_settings_alone(action: Action, danger: Danger) -> None:
    found = analysis(Effect(action, "x", "y", danger=danger, detail="z"))
    decision = permissive().statement(DAVE, PRODUCTION, "admin", found)
    assert decision.allowed
    assert not decision.obligations.mask
    lexing = analysis(Effect(action, "x", "setting", danger=Danger.SETTING, detail="lexing"))
    refused = permissive().statement(BOB, DEVELOPMENT, "admin", lexing, approved=True)
    assert said(refused) == ("deny", ("lexing-settings",))


def test_permissive_opens_everything_to_whoever_signed_in() -> None:
    for who in PEOPLE.values():
        for database in DATABASES.values():
            for role in ROLES:
                assert permissive().connect(who, database, role).allowed
        for duty in ("request", "approve", "session_kill", "audit_read"):
            assert permissive().may(who, duty, None).allowed


def test_an_agent_with_nobody_behind_it_may_nothing() -> None:
    stray = Principal(PrincipalKind.AGENT, "stray", "i", "s", frozenset({"dba", "developers"}))
    assert permissive().connect(stray, DEVELOPMENT, "readonly").verdict is Verdict.DENY
    assert permissive().may(stray, "audit_read", None).verdict is Verdict.DENY
    read = analysis(Effect(Action.SELECT, "t", "table"))
    assert permissive().statement(stray, DEVELOPMENT, "readonly", read).verdict is Verdict.DENY
