"""What may be asked for, by whom, and which quorum decides it: by policy as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.sessions import access
from dbgate_broker.sessions.access import Access, Standing
from dbgate_broker.sessions.policy import ConnectPolicy, facts_of
from dbgate_core.approval.digest import statement_digest
from dbgate_core.decision import Verdict
from dbgate_core.errors import Denied, UsageError
from dbgate_core.holds import unapprovable
from dbgate_core.principal import Principal
from dbgate_core.sql.analysis import Analysis

Analyse = Callable[[str], Analysis]
"""Reads a statement's text. Raises DbgateError for what is no SQL or too long."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, as the request will hold it. `statement` and `digest` are empty for a role."""

    access_role: str
    approval: str
    statement: str = ""
    digest: str = ""


def role_wish(database: DatabaseConfig, found: list[Standing], wanted: str) -> Wish:
    """An access role; the lowest that may be asked for when none is named.

    Raises UsageError when it is granted already, Denied when no approval helps, NotFound.
    """
    if wanted:
        standing = access.named(database, found, wanted)
    else:
        standing = access.lowest(found, Access.APPROVAL) or found[-1]
    if standing.access is Access.GRANTED:
        raise UsageError(
            f"{standing.role.name} on {database.name} is granted to you already{_until(standing)}",
            hint=f"dbgate connect {database.name} --role {standing.role.name}",
            code="approval.granted",
        )
    if standing.access is Access.DENIED:
        raise access.refusal(database, standing)
    return Wish(standing.role.name, standing.decision.approval)


def statement_wish(
    policy: ConnectPolicy,
    principal: Principal,
    database: DatabaseConfig,
    found: list[Standing],
    wanted: str,
    analysis: Analysis,
) -> Wish:
    """One exact statement, to be run once in the role named, else in the lowest that is granted.

    Raises UsageError when nothing has to be asked, Denied when no approval helps, NotFound.
    """
    standing = _role_of_statement(database, found, wanted)
    if standing.access is Access.DENIED:
        raise access.refusal(database, standing)
    role, facts = standing.role.name, facts_of(database)
    decision = policy.statement(principal, facts, role, analysis)
    if decision.verdict is Verdict.ALLOW:
        raise UsageError(
            "this statement needs no approval", hint=f"dbgate connect {database.name} --role {role}"
        )
    leave = policy.may(principal, "request", facts)
    if decision.verdict is Verdict.DENY or not decision.approval or not leave.allowed:
        why = leave if decision.verdict is Verdict.HOLD and not leave.allowed else decision
        raise Denied(
            why.message or "no approval lets this statement run",
            hint=why.hint,
            rule=", ".join(why.policies),
        )
    _demand_whole(analysis)
    digest = statement_digest(analysis.canonical, database.name, role)
    return Wish(role, decision.approval, analysis.canonical, digest)


def _demand_whole(analysis: Analysis) -> None:
    """What is approved must be all that runs, and run once. Raises UsageError."""
    if hint := unapprovable(analysis):
        raise UsageError(
            "an approval of this text would not say all that runs",
            hint=hint,
            code="approval.not_whole",
        )


def _role_of_statement(database: DatabaseConfig, found: list[Standing], wanted: str) -> Standing:
    if wanted:
        return access.named(database, found, wanted)
    granted = access.lowest(found, Access.GRANTED)
    return granted or access.lowest(found, Access.APPROVAL) or found[0]


def _until(standing: Standing) -> str:
    ends: datetime | None = standing.until
    return f" until {ends:%Y-%m-%d %H:%M} UTC" if ends else ""
