"""Rules that can never decide anything are told, and no others are."""

from __future__ import annotations

import pytest

from dbgate_core.policy.bounds import pieces
from tests.unit.policy.people import EVERYTHING, default, permissive, rules

NEVER = "never fires: no question can meet its conditions"


def dead(*texts: str) -> dict[str, str]:
    return {each.rule: each.why for each in rules(EVERYTHING, *texts).dead}


@pytest.mark.parametrize(
    "scope_and_conditions",
    [
        '(principal, action in Action::"statement", resource) when { context.danger == "server-file" }',
        '(principal, action in Action::"read", resource)'
        ' when { context.danger == "program" && context.danger == "network" }',
        '(principal, action in Action::"statement", resource)'
        ' when { ["programm", "files"].contains(context.danger) }',
        '(principal, action == Action::"select", resource) when { context.predicate == "absent" }',
        '(principal, action in Action::"read", resource) when { context.destructive }',
        '(principal, action == Action::"alter", resource) when { context.temporary }',
        '(principal, action in Action::"read", resource) when { action in Action::"write" }',
        '(principal, action, resource in Environment::"Production")',
        '(principal is Agent, action, resource) when { principal is User }',
        '(principal is Agent, action, resource) when { principal == User::"alice" }',
        '(principal, action, resource) unless { true }',
        '(principal, action == Action::"connect", resource)'
        ' when { context.access_role == "a" && context.access_role == "b" }',
    ],
)  # fmt: skip
def test_a_rule_that_can_never_fire(scope_and_conditions: str) -> None:
    assert dead(f'@id("x") forbid{scope_and_conditions};') == {"x": NEVER}


@pytest.mark.parametrize(
    "scope_and_conditions",
    [
        '(principal in Group::"nobody", action, resource in Environment::"staging")',
        '(principal, action in Action::"write", resource) when { context.predicate != "real" }',
        '(principal, action in Action::"statement", resource)'
        ' when { context.statement.reads.contains("a") || context.danger == "nothing" }',
        '(principal, action == Action::"create", resource) when { context.temporary }',
        '(principal is User in Group::"a", action, resource) when { principal.name like "x*" }',
        '(principal, action in Action::"read", resource) when { context.kind == "table" }',
        '(principal, action, resource) when { if principal is Agent then true else false }',
    ],
)  # fmt: skip
def test_a_rule_that_may_fire_is_not_told(scope_and_conditions: str) -> None:
    assert not dead(f'@id("x") forbid{scope_and_conditions};')


SHUT = '@id("shut") forbid(principal, action == Action::"grant", resource);'
OPEN = 'permit(principal, action == Action::"grant", resource) when { context.access_role == "a" };'
HELD = f'@id("x") @approval("dba:1") {OPEN.replace("permit", "forbid")}'


def test_a_permit_or_a_hold_that_a_forbid_takes_all_of() -> None:
    assert dead(SHUT, f'@id("x") {OPEN}') == {"x": "never decides: shut forbids all of it"}
    assert dead(SHUT, HELD) == {"x": "no approval can lift it: shut forbids all of it"}


@pytest.mark.parametrize(
    "narrow",
    [
        SHUT.replace("resource)", 'resource) when { context.access_role == "b" }'),
        SHUT.replace("principal,", 'principal in Group::"g",'),
        SHUT.replace("forbid", '@mode("observe") forbid'),
        SHUT.replace("forbid", '@approval("dba:1") forbid'),
        SHUT.replace("resource)", 'resource in Environment::"production")'),
        SHUT.replace("principal,", "principal is Agent,"),
    ],
)
def test_a_forbid_that_takes_not_all_is_no_reason(narrow: str) -> None:
    assert not dead(narrow, f'@id("x") {OPEN}')


def test_the_shipped_rules_can_all_fire() -> None:
    assert not default().dead
    assert not permissive().dead


def test_policies_are_told_apart_by_their_semicolons_and_nothing_in_strings_or_comments() -> None:
    text = '// a; b\n@id("x;y")\npermit(a);\n\n  forbid(b); // c;\nrest'
    assert pieces(text) == [(2, '@id("x;y")\npermit(a);'), (5, "forbid(b);"), (6, "rest")]
