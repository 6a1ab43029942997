"""What an explanation says is what policy itself answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbgate_core.catalog import Catalog
from dbgate_core.decision import Verdict
from dbgate_core.policy import Policies
from dbgate_core.policy.explaining import Explanation, explain
from dbgate_core.policy.sketch import sketch
from dbgate_core.principal import Principal
from dbgate_core.verdicts import Subject
from tests.unit.policy.people import (
    ALICE,
    DAVE,
    DEVELOPMENT,
    EVERYTHING,
    PRODUCTION,
    default,
    rules,
)


def of(
    text: str,
    role: str = "readonly",
    who: Principal = ALICE,
    policies: Policies | None = None,
) -> Explanation:
    return explain(policies or default(), Subject(who, PRODUCTION, role), text, Catalog(()))


def would(found: Explanation) -> dict[str, tuple[Verdict, str]]:
    return {way.what: (way.verdict, way.command) for way in found.ways}


def test_each_effect_has_its_own_verdict() -> None:
    found = of("with gone as (delete from b returning *) select * from gone", "readwrite")
    verdicts = {effect.action: decision.verdict for effect, decision in found.effects}
    assert verdicts == {"delete": Verdict.HOLD, "select": Verdict.ALLOW}
    assert found.trial.decision.verdict is Verdict.HOLD


def test_a_missing_access_role_is_named_with_the_command_that_asks_for_it() -> None:
    found = would(of("insert into orders values (1)"))
    verdict, command = found["in the access role readwrite"]
    assert verdict is Verdict.ALLOW
    assert command == "dbgate request-approval prod-db --role readwrite --reason '...'"
    subject = Subject(ALICE, DEVELOPMENT, "readonly")
    there = would(explain(default(), subject, "insert into orders values (1)", Catalog(())))
    assert there["in the access role readwrite"][1] == "dbgate connect dev-db --role readwrite"


def test_a_missing_reason_is_named_where_values_are_masked_without_one() -> None:
    why = (
        '@id("why") permit(principal, action == Action::"unmask", resource)'
        " when { context.has_reason };"
    )
    everything = (
        '@id("all") permit(principal, action, resource) unless { action == Action::"unmask" };'
    )
    catalog = sketch("create table customers (id int, email text)")
    subject = Subject(ALICE, PRODUCTION, "readonly")
    for text, named in (("select email from customers", True), ("select 1", False)):
        found = would(explain(rules(everything, why), subject, text, catalog))
        assert ("unmasked, with a reason" in found) is named
    command = would(explain(rules(everything, why), subject, "table customers", catalog))
    assert command["unmasked, with a reason"][1] == (
        "dbgate connect prod-db --role readonly --reason '...'"
    )
    given = replace(subject, reasoned=True)
    assert not explain(rules(everything, why), given, "table customers", catalog).trial.masked


def test_a_role_that_cannot_be_had_is_not_named() -> None:
    shut = (
        '@id("shut") forbid(principal, action == Action::"connect", resource)'
        ' when { context.access_role == "admin" };'
    )
    writes = (
        '@id("w") forbid(principal, action == Action::"insert", resource)'
        ' unless { context.access_role == "admin" };'
    )
    text = "insert into orders values (1)"
    assert not would(of(text, policies=rules(EVERYTHING, shut, writes)))
    assert "in the access role admin" in would(of(text, policies=rules(EVERYTHING, writes)))


def test_a_missing_where_and_a_missing_group_are_named() -> None:
    assert "with a WHERE that chooses among the rows" in would(of("delete from a", "readwrite"))
    assert "as a member of developers" in would(of("select 1", who=DAVE))


def test_what_is_allowed_needs_nothing() -> None:
    found = of("select 1")
    assert found.trial.decision.allowed
    assert not found.ways


@pytest.mark.parametrize(
    "text", ["select pg_read_file('x')", "set standard_conforming_strings = off"]
)
def test_what_nothing_lifts_has_no_way(text: str) -> None:
    assert not would(of(text))


def test_what_does_not_parse_is_denied_by_no_rule() -> None:
    found = of("selct 1")
    assert found.trial.decision.verdict is Verdict.DENY
    assert not found.effects
    assert found.trial.code
