"""How many leases and requests are in which state: for metrics. Works in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from dbgate_broker.store.leases import LeaseState
from dbgate_broker.store.schema import access_requests, leases
from dbgate_core.approval.request import State


@dataclass(frozen=True, slots=True)
class Figures:
    """`leases` by the states that are not their end; `overdue` those that were tried in vain."""

    leases: dict[LeaseState, int]
    overdue: int
    pending: int


def now(connection: Connection) -> Figures:
    """Count."""
    alive = [state for state in LeaseState if state is not LeaseState.ENDED]
    query = (
        select(leases.c.state, func.count())
        .where(leases.c.state.in_([state.value for state in alive]))
        .group_by(leases.c.state)
    )
    found = {LeaseState(state): count for state, count in connection.execute(query)}
    vain = (leases.c.state == LeaseState.ENDING.value, leases.c.trouble != "")
    pending = access_requests.c.state == State.PENDING.value
    return Figures(
        {state: found.get(state, 0) for state in alive},
        connection.scalar(select(func.count()).select_from(leases).where(*vain)) or 0,
        connection.scalar(select(func.count()).select_from(access_requests).where(pending)) or 0,
    )
