"""Pending requests whose time is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.sessions.records import REQUEST_DECIDED, record, request_scope
from dbgate_broker.store import requests
from dbgate_broker.store.engine import Store
from dbgate_core.approval.request import AccessRequest
from dbgate_core.approval.rules import settle
from dbgate_core.audit.recorder import Recorder


def environment_of(databases: Mapping[str, DatabaseConfig], request: AccessRequest) -> str:
    """The environment of a request's database; empty when it is configured no more."""
    found = databases.get(request.database)
    return found.environment if found else ""


async def lapse(
    store: Store, recorder: Recorder, databases: Mapping[str, DatabaseConfig], now: datetime
) -> None:
    """Record and store that requests have expired. Raises Unreachable, AuditUnavailable."""
    for stored in await store.call(requests.lapsed, now):
        expired = settle(stored.request, now)
        scope = request_scope(expired, environment_of(databases, expired))
        await record(recorder, REQUEST_DECIDED, scope | {"state": expired.state.value})
        await store.call(requests.save, expired, stored.version)
