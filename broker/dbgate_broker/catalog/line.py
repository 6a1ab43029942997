"""The connection that readings of one database share while they follow each other closely.

A migration changes the schema with each of its statements, and each change is read before the next
statement is judged: connecting costs more than the reading then, and a new backend knows nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import psycopg
from psycopg.rows import TupleRow

Connection = psycopg.AsyncConnection[TupleRow]

IDLE_S: Final = 10.0
"""How long a connection waits for the next reading. A session's database user may be gone by then."""


class Line:
    """One connection, or none. Its readings come one after the other; the caller sees to that.

    Only a reading that would connect with the same parameters, user and password among them, is
    given what is there. Whatever fails on a connection ends it.
    """

    def __init__(self, idle_s: float) -> None:
        """0: nothing is kept."""
        self._idle_s = idle_s
        self._connection: Connection | None = None
        self._parameters: dict[str, Any] = {}
        self._end: asyncio.TimerHandle | None = None

    def keeps(self, parameters: dict[str, Any]) -> bool:
        """Whether a connection is there for these parameters; the server may have ended it since."""
        return self._connection is not None and self._parameters == parameters

    @contextlib.asynccontextmanager
    async def connected(self, parameters: dict[str, Any]) -> AsyncIterator[Connection]:
        """A connection for one read-only transaction, which sees one state of the database."""
        connection = await self._taken(parameters)
        try:
            yield connection
            await connection.rollback()
        except BaseException:
            await connection.close()
            raise
        await self._put_back(connection, parameters)

    def close(self) -> None:
        """Hang up. Nobody reads."""
        if self._end is not None:
            self._end.cancel()
        if self._connection is not None:
            self._connection.pgconn.finish()
        self._connection, self._parameters, self._end = None, {}, None

    async def _taken(self, parameters: dict[str, Any]) -> Connection:
        if self._connection is not None and self.keeps(parameters):
            connection, self._connection = self._connection, None
            self.close()
            return connection
        self.close()
        connection = await psycopg.AsyncConnection.connect(**parameters)
        await connection.set_read_only(True)
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        return connection

    async def _put_back(self, connection: Connection, parameters: dict[str, Any]) -> None:
        if not self._idle_s:
            await connection.close()
            return
        self._connection, self._parameters = connection, parameters
        self._end = asyncio.get_running_loop().call_later(self._idle_s, self.close)
