"""Cases run against a set of rules: what each gave, and where that is not what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dbgate_core.policy.casefile import Case, Cases
from dbgate_core.policy.engine import Policies
from dbgate_core.policy.trial import Trial, attempt
from dbgate_core.verdicts import Subject


@dataclass(frozen=True, slots=True)
class Result:
    """One case as it went. `differences` says what was expected and what came, empty when all is well."""

    line: int
    title: str
    differences: tuple[str, ...]
    trial: Trial


def run_cases(policies: Policies, cases: Cases) -> list[Result]:
    """Run each case, in the order of the file."""
    return [
        Result(line, _title(case), tuple(_differences(case, trial)), trial)
        for case, line in zip(cases.cases, cases.lines, strict=True)
        for trial in [_try(policies, cases, case)]
    ]


def _try(policies: Policies, cases: Cases, case: Case) -> Trial:
    principal, setting = cases.people[case.who], cases.settings[case.database]
    if case.sql:
        subject = Subject(principal, setting.facts, case.role, case.has_reason)
        return attempt(policies, subject, case.sql, setting.catalog)
    if case.ask == "connect":
        return Trial(policies.connect(principal, setting.facts, case.role), None)
    return Trial(policies.may(principal, case.ask, setting.facts), None)


def _title(case: Case) -> str:
    what = " ".join(case.sql.split()) if case.sql else case.ask
    return f"{case.who} on {case.database} as {case.role}: {what}"


def _differences(case: Case, trial: Trial) -> Iterator[str]:
    decision = trial.decision
    came = {
        "verdict": decision.verdict,
        "rules": sorted(decision.policies),
        "observed": sorted(decision.observed),
        "approval": decision.approval,
        "rows": decision.obligations.row_limit or 0,
        "masked": trial.masked,
    }
    wanted = {
        "verdict": case.verdict,
        "rules": None if case.rules is None else sorted(case.rules),
        "observed": None if case.observed is None else sorted(case.observed),
        "approval": case.approval,
        "rows": case.rows,
        "masked": case.masked,
    }
    for name, value in wanted.items():
        if value is not None and value != came[name]:
            yield f"{name}: expected {_shown(value)}, got {_shown(came[name])}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value) or "none"
