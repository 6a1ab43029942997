"""What `dbgate policy diff` found, shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dbgate_cli import entries, render
from dbgate_core.audit.who import who

if TYPE_CHECKING:
    from dbgate_core.decision import Decision
    from dbgate_core.policy import Policies
    from dbgate_core.policy.comparing import Differences
    from dbgate_core.policy.replay import Case, Replayed

EXAMPLES: Final = 10
"""Of each change, for people."""


def as_json(
    old: Policies, new: Policies, rules: Differences, found: Replayed | None
) -> dict[str, Any]:
    """All of it as one object."""
    told: dict[str, Any] = {
        "old": old.version,
        "new": new.version,
        "rules": {"added": rules.added, "removed": rules.removed, "changed": rules.changed},
    }
    if found is None:
        return told
    from dbgate_core.policy.replay import Change

    return told | {
        "statements": found.statements,
        "first": found.first,
        "last": found.last,
        "counts": {change.name.lower(): found.counts[change] for change in Change},
        "cases": [_case(old, new, case) for change in Change for case in found.of(change)],
    }


def show(told: dict[str, Any]) -> None:
    """As people read it."""
    for what, ids in told["rules"].items():
        if ids:
            render.line(f"rules {what}: {', '.join(ids)}")
    if not any(told["rules"].values()):
        render.line("the rules say the same")
    if "statements" not in told:
        return
    render.line(f"replayed {told['statements']} statements {_span(told)}".rstrip())
    from dbgate_core.policy.replay import Change

    changes = [change for change in Change if told["counts"][change.name.lower()]]
    if not changes and told["statements"]:
        render.line("all of them come out the same")
    for change in changes:
        cases = [case for case in told["cases"] if case["change"] == change.name.lower()]
        render.line(f"{change}: {told['counts'][change.name.lower()]}")
        for case in cases[:EXAMPLES]:
            _show_case(case)
        if len(cases) > EXAMPLES:
            render.line(f"    and {len(cases) - EXAMPLES} other statements (--json shows all)")


def _show_case(case: dict[str, Any]) -> None:
    when = f"{case['count']} x, last {case['last'][:19]}"
    where = f"{entries.who(case)} on {case['database']} as {case['access_role']}"
    render.line(f"    {when}  {where}: {render.cell(' '.join(case['text'].split()))}")
    rules = ", ".join(
        f"{rule['rule']} ({rule['place']})" if rule["place"] else rule["rule"]
        for rule in case["after"]["rules"]
    )
    said = ": ".join(filter(None, (rules or "no rule permits it", case["after"]["message"])))
    render.line(f"        {said}")


def _case(old: Policies, new: Policies, case: Case) -> dict[str, Any]:
    example = case.example
    return {
        "change": case.change.name.lower(),
        "count": case.count,
        "first": case.first,
        "last": example.at,
        "who": who(example.subject.principal),
        "database": example.subject.database.name,
        "access_role": example.subject.access_role,
        "text": example.analysis.text,
        "before": _decision(old, case.before),
        "after": _decision(new, case.after),
    }


def _decision(policies: Policies, decision: Decision) -> dict[str, Any]:
    places = {rule.id: rule.place for rule in policies.rules}
    owed = decision.obligations
    return {
        "verdict": decision.verdict,
        "rules": [{"rule": rule, "place": places.get(rule, "")} for rule in decision.policies],
        "message": decision.message,
        "hint": decision.hint,
        "approval": decision.approval,
        "masked": decision.allowed and owed.mask,
        "rows": owed.row_limit,
    }


def _span(told: dict[str, Any]) -> str:
    return f"({told['first'][:19]} to {told['last'][:19]})" if told["first"] else ""
