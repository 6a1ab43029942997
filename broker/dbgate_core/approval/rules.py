"""Who may vote on a request, when it is decided, and what it then grants.

1. Only a pending request is voted on; one that has lapsed is expired.
2. Only people vote: never an agent, never a workload, nobody with an agent at the wheel.
3. Never the requester, nor whoever acts for him or for whom he acts.
4. Nobody twice, by whichever account.
5. Only members of the groups that the quorum names, and only where policy permits `approve`.
6. One denial ends it. Approvals end it when distinct people fill the quorum.
7. The window begins with the deciding vote and ends `duration_s` later, whatever comes.
8. A grant serves the very principal who asked, and only while its votes still satisfy what
   policy asks for *now*.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from dbgate_core.approval.people import identity, is_person, same_person
from dbgate_core.approval.quorum import Quorum
from dbgate_core.approval.request import AccessRequest, Choice, State, Vote
from dbgate_core.decision import Decision
from dbgate_core.errors import Denied, UsageError
from dbgate_core.principal import Principal


def settle(request: AccessRequest, now: datetime) -> AccessRequest:
    """The request as it stands at `now`: a pending one that has lapsed is expired (rule 1)."""
    if request.state is State.PENDING and now >= request.expires_at:
        return replace(request, state=State.EXPIRED, decided_at=request.expires_at)
    return request


def cast(request: AccessRequest, vote: Vote, leave: Decision) -> AccessRequest:
    """Count a vote, and decide the request if that does it.

    `leave` is policy's answer to `approve` for this reviewer and database. Raises UsageError when
    the request is decided already, Denied when this reviewer may not vote on it.
    """
    request = settle(request, vote.at)
    _demand_pending(request)
    _demand_entitled(request, vote.reviewer, leave)
    voted = replace(request, votes=(*request.votes, vote))
    if vote.choice is Choice.DENY:
        return replace(voted, state=State.DENIED, decided_at=vote.at)
    if not satisfies(voted, request.approval):
        return voted
    ends = vote.at + timedelta(seconds=request.duration_s)
    return replace(voted, state=State.APPROVED, decided_at=vote.at, window_ends_at=ends)


def withdraw(request: AccessRequest, by: Principal, now: datetime) -> AccessRequest:
    """Take a pending request back. Raises Denied for anybody but the person who asked."""
    if not same_person(by, request.requester):
        raise Denied(f"request {request.id} is not yours to withdraw", code="approval.not_yours")
    request = settle(request, now)
    _demand_pending(request)
    return replace(request, state=State.WITHDRAWN, decided_at=now)


def satisfies(request: AccessRequest, approval: str) -> bool:
    """Whether the request's votes, and no denial among them, fill a quorum."""
    if any(vote.choice is not Choice.APPROVE for vote in request.votes):
        return False
    return Quorum.parse(approval).filled_by([vote.reviewer.groups for vote in request.votes])


def grants(
    request: AccessRequest, principal: Principal, access_role: str, approval: str, now: datetime
) -> bool:
    """Whether the request lets this principal open sessions of an access role at `now` (rule 8)."""
    return (
        not request.digest
        and request.access_role == access_role
        and _running(request, principal, now)
        and satisfies(request, approval)
    )


def releases(
    request: AccessRequest, principal: Principal, digest: str, approval: str, now: datetime
) -> bool:
    """Whether the request lets this principal run, once, the statement of that digest at `now`."""
    return (
        bool(digest)
        and request.digest == digest
        and request.used_at is None
        and _running(request, principal, now)
        and satisfies(request, approval)
    )


def _running(request: AccessRequest, principal: Principal, now: datetime) -> bool:
    return (
        request.state is State.APPROVED
        and request.decided_at is not None
        and request.window_ends_at is not None
        and request.decided_at <= now < request.window_ends_at
        and identity(request.requester) == identity(principal)
    )


def _demand_pending(request: AccessRequest) -> None:
    if request.state is not State.PENDING:
        raise UsageError(
            f"request {request.id} is {request.state} already",
            hint=f"dbgate requests show {request.id}",
            code=f"approval.{request.state}",
        )


def _demand_entitled(request: AccessRequest, reviewer: Principal, leave: Decision) -> None:
    """Rules 2 to 5. Raises Denied."""
    quorum = Quorum.parse(request.approval)
    if not is_person(reviewer):
        raise Denied("only a person votes, never an agent or a job", code="approval.not_a_person")
    if same_person(reviewer, request.requester):
        raise Denied(
            f"request {request.id} is your own: another person decides it",
            hint=f"ask somebody of {_names(quorum)}",
            code="approval.own",
        )
    if any(same_person(reviewer, vote.reviewer) for vote in request.votes):
        raise Denied(f"you have voted on request {request.id} already", code="approval.voted")
    if not leave.allowed:
        raise Denied(
            leave.message or f"policy does not let you decide requests for {request.database}",
            hint=leave.hint or f"somebody of {_names(quorum)} decides it",
            rule=", ".join(leave.policies),
        )
    if not quorum.groups & reviewer.groups:
        raise Denied(
            f"request {request.id} is decided by {_names(quorum)}, and you are not of them",
            code="approval.not_a_reviewer",
        )


def _names(quorum: Quorum) -> str:
    return " or ".join(sorted(quorum.groups))
