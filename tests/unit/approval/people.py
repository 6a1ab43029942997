"""The people of the approval tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dbgate_core.approval.request import AccessRequest, Choice, Vote
from dbgate_core.decision import Decision, Verdict
from dbgate_core.principal import Principal, PrincipalKind

ISSUER = "https://issuer.test"
T0 = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
YES = Decision(Verdict.ALLOW)
NO = Decision(Verdict.DENY, policies=("no-votes",), message="not you")


def person(name: str, *groups: str, email: str = "", issuer: str = ISSUER) -> Principal:
    return Principal(
        kind=PrincipalKind.USER,
        name=name,
        issuer=issuer,
        subject=f"sub-{name}",
        groups=frozenset(groups),
        email=email,
    )


def agent(of: Principal, name: str = "copilot", *groups: str) -> Principal:
    return Principal(
        kind=PrincipalKind.AGENT,
        name=name,
        issuer=ISSUER,
        subject=f"agent-{name}",
        groups=frozenset(groups),
        on_behalf_of=of,
    )


ALICE = person("alice", "developers")
BOB = person("bob", "dba")
CARL = person("carl", "dba")
EVE = person("eve", "dba", "security")
CI = Principal(PrincipalKind.WORKLOAD, "ci", ISSUER, "sub-ci", frozenset({"dba"}))


def asked(approval: str = "dba:1", requester: Principal = ALICE, **more: object) -> AccessRequest:
    plain = AccessRequest(
        id="r-1",
        database="prod-db",
        access_role="readwrite",
        requester=requester,
        reason="TICKET-1",
        approval=approval,
        duration_s=3600,
        created_at=T0,
        expires_at=T0 + timedelta(hours=24),
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields by name, in tests only


def vote(by: Principal, choice: Choice = Choice.APPROVE, minutes: int = 1) -> Vote:
    return Vote(reviewer=by, choice=choice, comment="", at=T0 + timedelta(minutes=minutes))
