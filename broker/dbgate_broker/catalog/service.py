"""Reads and keeps the catalogs of the governed databases."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, LiteralString, Protocol

import psycopg
from psycopg.rows import TupleRow

from dbgate_broker.catalog import behaviour_queries, queries
from dbgate_broker.catalog.behaviour import BehaviourRows
from dbgate_broker.catalog.line import Connection, Line
from dbgate_broker.catalog.reading import Rows, build
from dbgate_broker.config import DatabaseConfig
from dbgate_core.catalog import Catalog
from dbgate_core.classify.known import NOTHING, Known
from dbgate_core.errors import LimitExceeded, Unreachable
from dbgate_core.masking.functions import SENSITIVE_SYSTEM
from dbgate_core.secret import Secret

MAX_AGE_S: Final = 60.0
"""How old a picture may be. Until then a table or column that is new in it counts as protected."""
DEADLINE_S: Final = 8.0
"""For connecting and reading together."""
STATEMENT_TIMEOUT_MS: Final = 7_000
LOCK_TIMEOUT_MS: Final = 700
"""Less than PostgreSQL's deadlock_timeout: in a deadlock it is the reading that gives way."""
READINGS: Final = 10
"""At most, within the deadline."""
_LOCKED: Final = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
MAX_PARTIAL_AGE_S: Final = 2.0
"""Of a picture that lacks what others held locked."""
_MEANWHILE: Final = (
    *_LOCKED,
    psycopg.errors.InternalError_,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
    psycopg.errors.UndefinedTable,
)
CONNECT_TIMEOUT_S: Final = 5
FETCH_ROWS: Final = 1_000
"""Made into values at once; then whoever else waits for the loop has its turn."""


class Login(Protocol):
    """A database user, as a lease gives it."""

    @property
    def username(self) -> str:
        """The role's name."""

    @property
    def password(self) -> Secret:
        """Its password."""


class Knows(Protocol):
    """Who knows what columns hold."""

    async def known(self, database: str) -> Known:
        """What is known now. Raises Unreachable: then no catalog is given either."""

    def read(self, database: DatabaseConfig, catalog: Catalog) -> None:
        """A catalog was read; neither waits nor raises."""


class KnowsNothing:
    """Nobody looks into columns."""

    async def known(self, database: str) -> Known:
        """Nothing."""
        return NOTHING

    def read(self, database: DatabaseConfig, catalog: Catalog) -> None:
        """Do nothing."""


@dataclass(slots=True)
class _Kept:
    catalog: Catalog | None = None
    read_at: float = 0.0
    stale: bool = False


class CatalogService:
    """One catalog per database, read when asked for and kept up to `max_age_s`.

    Concurrent callers of one database share one reading. When reading fails nobody gets an old
    picture: Unreachable is raised, and what needed it is refused. `announce` is called before each
    reading, so that the log says of it, too; what it raises stops the reading. `knows` says what is
    known of columns, and hears of each reading. `readings` counts by database and outcome, `read` or
    `failed`. With `keep_s` a connection waits that long for the next reading by the same user, and
    `close` is due at the end.
    """

    def __init__(
        self,
        max_age_s: float = MAX_AGE_S,
        clock: Callable[[], float] = time.monotonic,
        announce: Callable[[DatabaseConfig, Login], object] = lambda database, login: None,
        knows: Knows | None = None,
        *,
        keep_s: float = 0.0,
    ) -> None:
        self._announce = announce
        self._knows = knows or KnowsNothing()
        self._lines: defaultdict[str, Line] = defaultdict(lambda: Line(keep_s))
        self._max_age_s = max_age_s
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.readings: Counter[tuple[str, str]] = Counter()

    async def get(self, database: DatabaseConfig, credentials: Login) -> Catalog:
        """The catalog, read anew when it is invalid or too old.

        Raises Unreachable when the database does not answer within 8 s, LimitExceeded when it
        has over 50,000 relations or 500,000 columns.
        """
        async with self._locks.setdefault(database.name, asyncio.Lock()):
            kept = self._kept.setdefault(database.name, _Kept())
            if kept.catalog is not None and self._fresh(kept, kept.catalog):
                return kept.catalog
            kept.stale = False
            started = self._clock()
            try:
                self._announce(database, credentials)
                known = await self._knows.known(database.name)
                line = self._lines[database.name]
                partial = kept.catalog is not None and kept.catalog.partial
                kept.catalog = await read_catalog(
                    database, credentials, known, line, around_locks=partial
                )
            except BaseException:
                kept.stale = True
                self.readings[database.name, "failed"] += 1
                raise
            self.readings[database.name, "read"] += 1
            kept.read_at = started
            self._knows.read(database, kept.catalog)
            return kept.catalog

    def _fresh(self, kept: _Kept, catalog: Catalog) -> bool:
        limit = min(self._max_age_s, MAX_PARTIAL_AGE_S) if catalog.partial else self._max_age_s
        return not kept.stale and self._clock() - kept.read_at <= limit

    def newest(self, database_name: str) -> Catalog | None:
        """The picture as it was last read, however old; nothing is judged by it that runs."""
        kept = self._kept.get(database_name)
        return kept.catalog if kept else None

    def invalidate(self, database_name: str) -> None:
        """Forget the picture, because the schema changed: the next `get` reads it anew."""
        if kept := self._kept.get(database_name):
            kept.stale = True

    def close(self) -> None:
        """Hang up whatever waits for a next reading."""
        for line in self._lines.values():
            line.close()


async def read_catalog(
    database: DatabaseConfig,
    credentials: Login,
    known: Known = NOTHING,
    line: Line | None = None,
    *,
    around_locks: bool = False,
) -> Catalog:
    """Read the catalog in one read-only snapshot. Raises as `CatalogService.get`.

    `known` is what was found in its columns before. `around_locks`: what others hold locked is not
    waited for, but counts as not understood; else that is done when they hold it for long.
    """
    try:
        async with asyncio.timeout(DEADLINE_S):
            rows = await _read_again(
                line or Line(0), parameters(database, credentials), around_locks
            )
    except (psycopg.Error, OSError, TimeoutError) as exc:
        raise Unreachable(
            f"cannot read the catalog of {database.name}",
            hint="the database does not answer, or its user may not connect; try again",
            code="catalog.unreachable",
        ) from exc
    if len(rows.relations) > queries.MAX_RELATIONS or len(rows.columns) > queries.MAX_COLUMNS:
        raise LimitExceeded(f"{database.name} has too many relations to be governed")
    if rows.behaviour.too_many:
        raise LimitExceeded(f"{database.name} has too many functions or triggers to be governed")
    return await asyncio.to_thread(build, rows, known)


async def _read_again(line: Line, parameters: dict[str, Any], around_locks: bool) -> Rows:
    """Read; once more where DDL of others came between: it locked a table, or dropped one.

    PostgreSQL writes definitions out by its newest catalogs, whatever the snapshot. A connection
    that was kept may be none any more, which counts for nothing.
    """
    left = READINGS + line.keeps(parameters)
    while True:
        kept = line.keeps(parameters)
        try:
            return await _read(line, parameters, around_locks)
        except psycopg.Error as exc:
            left -= 1
            if not left or not (kept or isinstance(exc, _MEANWHILE)):
                raise
            around_locks = around_locks or isinstance(exc, _LOCKED)


async def _read(line: Line, parameters: dict[str, Any], around_locks: bool) -> Rows:
    async with line.connected(parameters) as connection:
        fetch = _Fetch(connection)
        if around_locks:
            fetch.arguments["locked"] = [oid for (oid,) in await fetch(queries.LOCKED)]
        return Rows(
            relations=await fetch(queries.RELATIONS),
            columns=await fetch(queries.COLUMNS),
            functions=await fetch(queries.FUNCTIONS),
            types=await fetch(queries.TYPES),
            shapes=await fetch(queries.SHAPES),
            behaviour=BehaviourRows(
                routines=await fetch(behaviour_queries.ROUTINES),
                triggers=await fetch(behaviour_queries.TRIGGERS),
                rules=await fetch(behaviour_queries.RULES),
                expressions=await fetch(behaviour_queries.EXPRESSIONS),
                references=await fetch(behaviour_queries.REFERENCES),
                inherits=await fetch(behaviour_queries.INHERITS),
                operators=await fetch(behaviour_queries.OPERATORS),
                casts=await fetch(behaviour_queries.CASTS),
            ),
            partial=bool(fetch.arguments["locked"]),
        )


class _Fetch:
    """Runs a query on the connection; `arguments` are what queries may name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.arguments: dict[str, list[str] | list[int]] = {
            "system": sorted(SENSITIVE_SYSTEM),
            "pure": list(queries.PURE_EXTENSIONS),
            "locked": [],
        }

    async def __call__(self, query: LiteralString) -> Any:
        """Its rows: Any, for no type checker reads the query."""
        return await _rows(await self._connection.execute(query, self.arguments))


async def _rows(cursor: psycopg.AsyncCursor[TupleRow]) -> list[TupleRow]:
    rows: list[TupleRow] = []
    while more := await cursor.fetchmany(FETCH_ROWS):
        rows += more
        await asyncio.sleep(0)
    return rows


def parameters(database: DatabaseConfig, credentials: Login) -> dict[str, Any]:
    """libpq's connection parameters; search_path and timeouts are set before the first query."""
    parameters: dict[str, Any] = {
        "host": database.host,
        "port": database.port,
        "dbname": database.dbname,
        "user": credentials.username,
        "password": credentials.password.expose(),
        "sslmode": "verify-full" if database.tls == "verify-full" else "disable",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": queries.APPLICATION,
        "client_encoding": "utf8",
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
        " -c search_path=pg_catalog",
    }
    if database.ca_file is not None:
        parameters["sslrootcert"] = str(database.ca_file)
    return parameters
