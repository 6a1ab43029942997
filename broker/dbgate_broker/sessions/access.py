"""What a principal may open now: standing policy, or an approved request that still runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dbgate_broker.config import AccessRoleConfig, DatabaseConfig
from dbgate_broker.sessions.policy import ConnectPolicy, facts_of
from dbgate_core.approval.request import AccessRequest
from dbgate_core.approval.rules import grants
from dbgate_core.contract import AccessRoleInfo, DatabaseInfo
from dbgate_core.decision import Decision, Verdict
from dbgate_core.errors import ApprovalNeeded, DbgateError, Denied, NotFound
from dbgate_core.principal import Principal


class Access(StrEnum):
    """How an access role stands to a principal; the values are the API's."""

    GRANTED = "granted"
    APPROVAL = "approval"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Standing:
    """An access role as it stands to a principal at a moment.

    `decision` is policy's answer without any request. `request` is the running one that grants
    it, when no standing policy does.
    """

    role: AccessRoleConfig
    access: Access
    decision: Decision
    request: AccessRequest | None = None

    @property
    def until(self) -> datetime | None:
        """The end of the grant's window; None when policy grants it standing, or not at all."""
        return self.request.window_ends_at if self.request else None


def find(databases: Sequence[DatabaseConfig], name: str) -> DatabaseConfig:
    """A database by its name. Raises NotFound."""
    for database in databases:
        if database.name == name:
            return database
    raise unseen(name)


def unseen(name: str) -> NotFound:
    """The one answer for a database that is not there, and for one that is not shown."""
    return NotFound(
        f"there is no database {name[:100]!r} that you may see",
        hint="`dbgate databases` lists yours",
    )


def standings(
    policy: ConnectPolicy,
    principal: Principal,
    database: DatabaseConfig,
    running: Sequence[AccessRequest],
    now: datetime,
) -> list[Standing]:
    """Every access role of a database, from the lowest; `running` are the principal's requests."""
    facts = facts_of(database)
    may_ask = policy.may(principal, "request", facts)
    found = []
    for role in database.access_roles:
        decision = policy.connect(principal, facts, role.name)
        if decision.verdict is Verdict.ALLOW:
            found.append(Standing(role, Access.GRANTED, decision))
        elif decision.verdict is Verdict.DENY or not decision.approval:
            found.append(Standing(role, Access.DENIED, decision))
        elif request := _granting(policy, principal, database, role, decision, running, now):
            found.append(Standing(role, Access.GRANTED, decision, request))
        elif may_ask.allowed:
            found.append(Standing(role, Access.APPROVAL, decision))
        else:
            found.append(Standing(role, Access.DENIED, may_ask))
    return found


def _granting(
    policy: ConnectPolicy,
    principal: Principal,
    database: DatabaseConfig,
    role: AccessRoleConfig,
    decision: Decision,
    running: Sequence[AccessRequest],
    now: datetime,
) -> AccessRequest | None:
    """The request that grants a held role, by the quorum that policy asks for now; the longest one."""
    if not policy.connect(principal, facts_of(database), role.name, approved=True).allowed:
        return None
    granting = [
        request
        for request in running
        if request.database == database.name
        and grants(request, principal, role.name, decision.approval, now)
    ]
    return max(granting, key=lambda request: request.window_ends_at or now, default=None)


def choose(database: DatabaseConfig, found: Sequence[Standing], wanted: str) -> Standing:
    """The standing of the wanted role, or of the lowest granted; it is granted.

    Raises NotFound for an unknown role, ApprovalNeeded for one that may be asked for (the lowest
    such when none was named and none is granted), Denied for any other.
    """
    if wanted:
        chosen = named(database, found, wanted)
    else:
        chosen = lowest(found, Access.GRANTED) or lowest(found, Access.APPROVAL) or found[0]
    if chosen.access is not Access.GRANTED:
        raise refusal(database, chosen)
    return chosen


def named(database: DatabaseConfig, found: Sequence[Standing], wanted: str) -> Standing:
    """The standing of a role by its name. Raises NotFound."""
    for standing in found:
        if standing.role.name == wanted:
            return standing
    raise NotFound(
        f"{database.name} has no access role {wanted[:100]!r}",
        hint=f"it has {', '.join(role.name for role in database.access_roles)}",
    )


def lowest(found: Sequence[Standing], access: Access) -> Standing | None:
    """The lowest role that stands so."""
    return next((standing for standing in found if standing.access is access), None)


def refusal(database: DatabaseConfig, standing: Standing) -> DbgateError:
    """The error that says why a role cannot be opened, by which rule, and what to type next."""
    decision, role = standing.decision, standing.role.name
    rule = ", ".join(decision.policies)
    if standing.access is Access.APPROVAL:
        command = f"dbgate request-approval {database.name} --role {role} --reason '...'"
        return ApprovalNeeded(
            decision.message or f"{role} on {database.name} needs approval by {decision.approval}",
            hint=decision.hint or command,
            rule=rule,
        )
    return Denied(
        decision.message or f"no policy lets you open {database.name} as {role}",
        hint=decision.hint or "`dbgate databases` shows what is open to you",
        rule=rule,
    )


def database_info(database: DatabaseConfig, found: Sequence[Standing]) -> DatabaseInfo | None:
    """A database as shown; None when it has no role for this principal: then it is not shown."""
    if all(standing.access is Access.DENIED for standing in found):
        return None
    return DatabaseInfo(
        name=database.name,
        engine=database.engine,
        environment=database.environment,
        labels=dict(database.labels),
        access_roles=[
            AccessRoleInfo(
                name=standing.role.name,
                access=standing.access.value,
                approval=standing.decision.approval if standing.access is Access.APPROVAL else "",
                until=standing.until,
            )
            for standing in found
        ],
    )
