"""Handlers of sign-in, databases, sessions and access requests: each asks one service."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from dbgate_broker.api.endpoint import Call
from dbgate_broker.api.reading import Nothing
from dbgate_broker.sessions.requests import MAX_WAIT_S
from dbgate_broker.sessions.views import principal_info
from dbgate_core import contract


class _Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ListSessions(_Query, frozen=True, kw_only=True):
    """Which sessions."""

    state: Literal["open", "closed", "all"] = "open"


class CloseSession(_Query, frozen=True, kw_only=True):
    """Why it is closed."""

    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class ListRequests(_Query, frozen=True, kw_only=True):
    """Which access requests; the empty state stands for all."""

    state: Literal["", "pending", "approved", "denied", "expired", "withdrawn"] = ""


class WaitForRequest(_Query, frozen=True, kw_only=True):
    """How many seconds to wait for the decision of a pending request."""

    wait: Annotated[int, msgspec.Meta(ge=0, le=int(MAX_WAIT_S))] = 0


async def discovery(call: Call[Nothing, Nothing]) -> contract.Discovery:
    """What is needed to sign in."""
    return call.services.discovery


async def whoami(call: Call[Nothing, Nothing]) -> contract.PrincipalInfo:
    """Whom the token stands for, and until when."""
    who = call.signed_in
    return msgspec.structs.replace(principal_info(who.principal), expires_at=who.expires_at)


async def databases(call: Call[Nothing, Nothing]) -> object:
    """The databases that the principal may see."""
    return await call.services.sessions.databases_for(call.principal)


async def explain(call: Call[Nothing, contract.Explain]) -> contract.Explanation:
    """Explain a statement."""
    return await call.services.explaining.explain(call.principal, call.body)


async def open_session(call: Call[Nothing, contract.OpenSession]) -> contract.OpenedSession:
    """Open a session."""
    return await call.services.sessions.open(call.principal, call.body)


async def list_sessions(call: Call[ListSessions, Nothing]) -> object:
    """The sessions that the principal may see."""
    state = "" if call.query.state == "all" else call.query.state
    return await call.services.sessions.list(call.principal, state)


async def get_session(call: Call[Nothing, Nothing]) -> contract.SessionInfo:
    """One session."""
    return await call.services.sessions.get(call.principal, call.path["id"])


async def close_session(call: Call[CloseSession, Nothing]) -> contract.SessionInfo:
    """Close or kill a session."""
    close = call.services.sessions.close
    return await close(call.principal, call.path["id"], call.query.reason)


async def ask_access(call: Call[Nothing, contract.AskAccess]) -> contract.AccessRequestInfo:
    """Make an access request."""
    return await call.services.requests.ask(call.principal, call.body)


async def list_requests(call: Call[ListRequests, Nothing]) -> object:
    """The access requests that the principal may see."""
    return await call.services.requests.list(call.principal, call.query.state)


async def get_request(call: Call[WaitForRequest, Nothing]) -> contract.AccessRequestInfo:
    """One access request, at once or when it is decided."""
    requests, request_id = call.services.requests, call.path["id"]
    if not call.query.wait:
        return await requests.get(call.principal, request_id)
    async with call.calls.waiting(call.principal.uid):
        return await requests.wait(call.principal, request_id, float(call.query.wait))


async def approve(call: Call[Nothing, contract.Vote]) -> contract.AccessRequestInfo:
    """Vote for a request."""
    vote = call.services.requests.approve
    return await vote(call.principal, call.path["id"], call.body.comment)


async def deny(call: Call[Nothing, contract.Vote]) -> contract.AccessRequestInfo:
    """Vote against a request."""
    vote = call.services.requests.deny
    return await vote(call.principal, call.path["id"], call.body.comment)


async def withdraw(call: Call[Nothing, Nothing]) -> contract.AccessRequestInfo:
    """Take an own request back."""
    return await call.services.requests.withdraw(call.principal, call.path["id"])
