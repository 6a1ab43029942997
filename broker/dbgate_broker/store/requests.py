"""Access requests and votes in the store. Each function works inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, select, update

from dbgate_broker.store.codec import decode_principal, encode_principal
from dbgate_broker.store.schema import access_requests, votes
from dbgate_core.approval.people import identity
from dbgate_core.approval.request import AccessRequest, Choice, State, Vote
from dbgate_core.principal import Principal

MAX_LISTED: Final = 500
"""The newest of a listing; what is older is found in the audit log."""

MAX_SCANNED: Final = 10_000

_Requests = access_requests.c


@dataclass(frozen=True, slots=True)
class Stored:
    """A request with the version that the next `save` must find."""

    request: AccessRequest
    version: int


def insert(connection: Connection, request: AccessRequest) -> None:
    """Write a new request."""
    values = _changing(request) | {
        "id": request.id,
        "version": 1,
        "database": request.database,
        "access_role": request.access_role,
        "requester": encode_principal(request.requester),
        "requester_key": identity(request.requester),
        "reason": request.reason,
        "statement": request.statement,
        "digest": request.digest,
        "approval": request.approval,
        "duration_s": request.duration_s,
        "created_at": request.created_at,
        "expires_at": request.expires_at,
        "effects": json.dumps(request.effects),
        "estimated_rows": request.estimated_rows,
    }
    connection.execute(access_requests.insert().values(values))


def save(connection: Connection, request: AccessRequest, version: int) -> bool:
    """Write a request's new state and votes; False when somebody else changed it since `version`."""
    changed = connection.execute(
        update(access_requests)
        .where(_Requests.id == request.id, _Requests.version == version)
        .values(_changing(request) | {"version": version + 1})
    )
    if changed.rowcount != 1:
        return False
    known = set(
        connection.scalars(select(votes.c.reviewer_key).where(votes.c.request_id == request.id))
    )
    for number, vote in enumerate(request.votes):
        if (key := identity(vote.reviewer)) not in known:
            connection.execute(votes.insert().values(_vote_values(request.id, number, key, vote)))
    return True


def load(connection: Connection, request_id: str) -> Stored | None:
    """One request with its votes."""
    found = _fetch(connection, select(access_requests).where(_Requests.id == request_id))
    return found[0] if found else None


def listing(
    connection: Connection,
    state: State | None = None,
    wanted: Callable[[AccessRequest], bool] = lambda request: True,
) -> list[Stored]:
    """The newest requests that are wanted, of one state or all: at most 500 of the newest 10 000."""
    where = [] if state is None else [_Requests.state == state]
    query = select(access_requests).where(*where)
    query = query.order_by(_Requests.created_at.desc(), _Requests.id)
    found: list[Stored] = []
    for offset in range(0, MAX_SCANNED, MAX_LISTED):
        page = _fetch(connection, query.limit(MAX_LISTED).offset(offset))
        found += [stored for stored in page if wanted(stored.request)]
        if len(page) < MAX_LISTED or len(found) >= MAX_LISTED:
            break
    return found[:MAX_LISTED]


def pending_of(connection: Connection, principal: Principal) -> list[Stored]:
    """The requests that a principal has pending, of whatever database."""
    return _fetch(
        connection,
        select(access_requests).where(
            _Requests.requester_key == identity(principal), _Requests.state == State.PENDING
        ),
    )


def lapsed(connection: Connection, now: datetime) -> list[Stored]:
    """The pending requests whose expiry has come."""
    return _fetch(
        connection,
        select(access_requests)
        .where(_Requests.state == State.PENDING, _Requests.expires_at <= now)
        .limit(MAX_LISTED),
    )


def running_of(
    connection: Connection, principal: Principal, now: datetime, database: str = ""
) -> list[AccessRequest]:
    """The approved requests of a principal whose window is open, of one database or all.

    The rules (`dbgate_core.approval.rules`) say what they grant.
    """
    where: list[ColumnElement[bool]] = [
        _Requests.requester_key == identity(principal),
        _Requests.state == State.APPROVED,
        _Requests.window_ends_at > now,
    ]
    if database:
        where.append(_Requests.database == database)
    query = select(access_requests).where(*where).order_by(_Requests.window_ends_at.desc())
    return [stored.request for stored in _fetch(connection, query)]


def use_statement(connection: Connection, request_id: str, session_id: str, now: datetime) -> bool:
    """Use a statement's approval up; False when it is used, or its window is over.

    One UPDATE with its condition: of two that try at once, one wins, in SQLite and PostgreSQL.
    """
    changed = connection.execute(
        update(access_requests)
        .where(
            _Requests.id == request_id,
            _Requests.digest != "",
            _Requests.state == State.APPROVED,
            _Requests.used_at.is_(None),
            _Requests.window_ends_at > now,
        )
        .values(used_at=now, used_by=session_id, version=_Requests.version + 1)
    )
    return changed.rowcount == 1


def _changing(request: AccessRequest) -> dict[str, object]:
    return {
        "state": request.state.value,
        "decided_at": request.decided_at,
        "window_ends_at": request.window_ends_at,
        "used_at": request.used_at,
    }


def _vote_values(request_id: str, number: int, key: str, vote: Vote) -> dict[str, object]:
    return {
        "request_id": request_id,
        "reviewer_key": key,
        "number": number,
        "reviewer": encode_principal(vote.reviewer),
        "choice": vote.choice.value,
        "comment": vote.comment,
        "at": vote.at,
    }


def _fetch(connection: Connection, query: Select[Any]) -> list[Stored]:  # Any: a row of the table
    rows = connection.execute(query).all()
    cast: dict[str, list[Vote]] = {row.id: [] for row in rows}
    if cast:
        for row in connection.execute(
            select(votes).where(votes.c.request_id.in_(cast)).order_by(votes.c.number)
        ):
            cast[row.request_id].append(
                Vote(decode_principal(row.reviewer), Choice(row.choice), row.comment, row.at)
            )
    return [Stored(_request(row, tuple(cast[row.id])), row.version) for row in rows]


def _request(row: Row[Any], cast: tuple[Vote, ...]) -> AccessRequest:  # Any: a row of the table
    return AccessRequest(
        id=row.id,
        database=row.database,
        access_role=row.access_role,
        requester=decode_principal(row.requester),
        reason=row.reason,
        approval=row.approval,
        duration_s=row.duration_s,
        created_at=row.created_at,
        expires_at=row.expires_at,
        statement=row.statement,
        digest=row.digest,
        effects=tuple(json.loads(row.effects)),
        estimated_rows=row.estimated_rows,
        state=State(row.state),
        decided_at=row.decided_at,
        window_ends_at=row.window_ends_at,
        used_at=row.used_at,
        votes=cast,
    )
