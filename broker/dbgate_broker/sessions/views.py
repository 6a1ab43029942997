"""Sessions, requests and principals as the API shows them."""

from __future__ import annotations

from dbgate_broker.store.sessions import SessionRow, SessionState
from dbgate_core.approval.request import AccessRequest
from dbgate_core.contract import AccessRequestInfo, PrincipalInfo, SessionInfo, VoteInfo
from dbgate_core.principal import Principal


def principal_info(principal: Principal) -> PrincipalInfo:
    """A principal as shown."""
    return PrincipalInfo(
        kind=principal.kind.value,
        name=principal.name,
        issuer=principal.issuer,
        subject=principal.subject,
        groups=sorted(principal.groups),
        email=principal.email,
        on_behalf_of=principal.on_behalf_of.name if principal.on_behalf_of else "",
    )


def session_info(row: SessionRow, connections: int = 0) -> SessionInfo:
    """A session as shown; one that is being opened counts as open."""
    closed = row.state is SessionState.CLOSED
    return SessionInfo(
        id=row.id,
        database=row.database,
        access_role=row.access_role,
        principal=principal_info(row.principal),
        state="closed" if closed else "open",
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        reason=row.reason,
        client=row.client,
        agent=row.principal.asserted_agent,
        db_user=row.db_user,
        connections=connections,
        closed_at=row.closed_at,
        close_reason=row.close_reason,
    )


def request_info(request: AccessRequest) -> AccessRequestInfo:
    """An access request as shown, with its votes."""
    return AccessRequestInfo(
        id=request.id,
        database=request.database,
        access_role=request.access_role,
        requester=principal_info(request.requester),
        reason=request.reason,
        state=request.state.value,
        approval=request.approval,
        duration_s=request.duration_s,
        created_at=request.created_at,
        expires_at=request.expires_at,
        window_ends_at=request.window_ends_at,
        votes=[
            VoteInfo(reviewer=v.reviewer.name, vote=v.choice.value, comment=v.comment, at=v.at)
            for v in request.votes
        ],
        statement=request.statement,
        effects=list(request.effects),
        estimated_rows=request.estimated_rows,
        used_at=request.used_at,
    )
