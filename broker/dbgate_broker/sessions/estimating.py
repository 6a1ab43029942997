"""How many rows the planner expects a held statement to touch: EXPLAIN, which runs nothing of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any, Final

import psycopg

from dbgate_broker.catalog.service import parameters
from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import Credentials

DEADLINE_S: Final = 3.0
"""For connecting and planning together: the client hears of its hold only after it."""
OPTIONS: Final = "-c statement_timeout=2000 -c lock_timeout=500"
MAX_ROWS: Final = 2**53
"""PostgreSQL estimates in floating point; what is larger says no more."""

log = logging.getLogger(__name__)


async def estimated_rows(
    database: DatabaseConfig, credentials: Credentials, statement: str
) -> int | None:
    """The rows of the plan's topmost node below ModifyTable; None when nobody can say.

    `statement` is one that EXPLAIN only plans (`dbgate_core.sql.plannable`). It is planned as the
    session's own user, in a transaction that is read-only and rolled back, by the extended protocol,
    which takes one statement alone.
    """
    try:
        async with asyncio.timeout(DEADLINE_S):
            return rows_of(await _plan(database, credentials, statement))
    except (psycopg.Error, OSError, TimeoutError, UnicodeError) as exc:
        log.info("no estimate of a held statement on %s: %s", database.name, type(exc).__name__)
        return None


async def _plan(
    database: DatabaseConfig, credentials: Credentials, statement: str
) -> Any:  # Any: EXPLAIN's JSON
    settings = parameters(database, credentials) | {"options": OPTIONS}
    connection = await psycopg.AsyncConnection.connect(**settings)
    async with connection:
        await connection.set_read_only(True)
        cursor = connection.cursor(binary=True)  # binary results take the extended protocol
        await cursor.execute(f"explain (format json) {statement}".encode())
        found = await cursor.fetchone()
        await connection.rollback()
        return found[0] if found else None


def rows_of(plan: Any) -> int | None:  # Any: EXPLAIN's JSON
    """Of `[{"Plan": {"Node Type": "ModifyTable", "Plan Rows": 0, "Plans": [...]}}]`.

    Where it changes rows, in WITH queries too, how many it reads to change them: of several changes the most.
    """
    try:
        top = plan[0]["Plan"]
        changes = [node["Plans"][0] for node in _nodes(top) if node["Node Type"] == "ModifyTable"]
        return min(max(int(node["Plan Rows"]) for node in changes or [top]), MAX_ROWS)
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
