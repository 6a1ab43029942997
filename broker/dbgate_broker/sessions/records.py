"""The entries of a session's life, and the way to write one from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from dbgate_broker.store.sessions import SessionRow
from dbgate_core.approval.request import AccessRequest
from dbgate_core.audit.recorder import Recorder
from dbgate_core.audit.who import who

SESSION_OPENED = "session_opened"
SESSION_CLOSED = "session_closed"
REQUEST_CREATED = "request_created"
REQUEST_VOTED = "request_voted"
REQUEST_DECIDED = "request_decided"


async def record(recorder: Recorder, kind: str, fields: Mapping[str, object]) -> None:
    """Write an entry without holding up the event loop. Raises AuditUnavailable."""
    await asyncio.to_thread(recorder.append, kind, fields)


def session_scope(row: SessionRow, environment: str, db_user: str) -> dict[str, object]:
    """What every entry of a session says: who, where, as what, by which database user."""
    return {
        "session": row.id,
        "who": who(row.principal),
        "database": row.database,
        "environment": environment,
        "access_role": row.access_role,
        "db_user": db_user,
    }


def request_scope(request: AccessRequest, environment: str) -> dict[str, object]:
    """What every entry of an access request says. A statement is told by its digest after the first."""
    scope: dict[str, object] = {
        "request": request.id,
        "requester": who(request.requester),
        "database": request.database,
        "environment": environment,
        "access_role": request.access_role,
        "approval": request.approval,
    }
    if request.digest:
        scope["digest"] = request.digest
    return scope
