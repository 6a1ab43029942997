"""The broker's own sessions: a database user of its own, taken, recorded and given back as anybody's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.sessions.ending import End
from dbgate_broker.sessions.leasing import Held
from dbgate_broker.sessions.opening import Opening
from dbgate_broker.sessions.records import SESSION_OPENED, record, session_scope
from dbgate_broker.sessions.tickets import new_session_id
from dbgate_broker.store.sessions import SessionRow
from dbgate_core.principal import Principal


@dataclass(frozen=True, slots=True)
class Own:
    """A session of the broker's. `scope` is what each entry of it says."""

    credentials: Credentials
    scope: Mapping[str, object]


@asynccontextmanager
async def own_session(
    opening: Opening, principal: Principal, database: DatabaseConfig, reason: str, longest_s: int
) -> AsyncIterator[Own]:
    """A session in the lowest access role, which ends with the block, whatever ends that.

    No policy is asked: it is the configuration that lets the broker in, and nobody else can be this
    principal, for its issuer is no URL. Raises Unreachable, AuditUnavailable.
    """
    now, role = opening.clock(), database.access_roles[0]
    row = SessionRow(
        id=new_session_id(),
        broker=opening.broker,
        database=database.name,
        access_role=role.name,
        principal=principal,
        reason=reason,
        client="dbgate-broker",
        opened_at=now,
        expires_at=now + timedelta(seconds=longest_s),
    )
    held: Held | None = None
    try:
        held = await opening.leasing.take(row, database, role)
        scope = session_scope(row, database.environment, held.credentials.username)
        fields = scope | {"reason": reason, "expires_at": row.expires_at.isoformat()}
        await record(opening.recorder, SESSION_OPENED, fields)
        yield Own(held.credentials, scope)
    finally:
        ending = opening.spawn(opening.ending.end(row, End("its work is done"), held))
        await asyncio.shield(ending)
