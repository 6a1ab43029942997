"""The state store's engine: SQLite by default, PostgreSQL for several brokers, one code.

SQLite runs in WAL mode with every commit on disk (`synchronous=FULL`): a lease that is journalled
and forgotten by a power cut would be a database user that nobody removes.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from dbgate_core.errors import Unreachable, UsageError

BUSY_TIMEOUT_MS: Final = 3_000
"""How long SQLite waits for another writer; a write takes about a millisecond."""
WAL_RETRY_S: Final = 0.01
CONNECT_TIMEOUT_S: Final = 4
STATEMENT_TIMEOUT_MS: Final = 4_000
DEADLINE_S: Final = 8.0
"""For one call, its wait for a thread included."""
THREADS: Final = 4

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """The state store. Functions over a `Connection` do the work; this runs them in transactions.

    `call` is for the event loop: it runs in a thread, with a deadline. `call_now` runs in the
    caller's thread, for the one lookup that cannot wait (a held statement's approval).
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")

    @property
    def single_broker(self) -> bool:
        """Whether no other broker can share this store: true of SQLite."""
        return self.engine.dialect.name == "sqlite"

    async def call(
        self, work: Callable[..., T], *args: Any, **kwargs: Any
    ) -> T:  # Any: whatever `work` takes after its connection
        """Run `work(connection, ...)` as one transaction in a thread. Raises Unreachable."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await loop.run_in_executor(
                    self._threads, lambda: self.call_now(work, *args, **kwargs)
                )
        except TimeoutError as exc:
            raise _unreachable() from exc

    def call_now(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run `work(connection, ...)` as one transaction, here. Raises Unreachable."""
        with self.transaction() as connection:
            return work(connection, *args, **kwargs)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an exception."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as exc:
            raise _unreachable() from exc

    def close(self) -> None:
        """Wait for what runs, then close every connection."""
        self._threads.shutdown(wait=True)
        self.engine.dispose()


def _unreachable() -> Unreachable:
    return Unreachable(
        "the state store does not answer",
        hint="see the broker's log; state_url in its configuration names the store",
        code="store.unreachable",
    )


def open_store(state_url: str) -> Store:
    """Open the store that `state_url` names and bring its tables up to date.

    `sqlite:///FILE` (made with mode 0600 if missing) or `postgresql://...`. Raises UsageError for
    another URL or a store of a newer dbgate, Unreachable when it does not answer.
    """
    from dbgate_broker.store.migrate import upgrade

    store = Store(_engine(state_url))
    try:
        upgrade(store)
    except BaseException:
        store.close()
        raise
    return store


def _engine(state_url: str) -> Engine:
    try:
        url = make_url(state_url)
    except ArgumentError as exc:
        raise UsageError(
            "state_url is not a URL", hint="such as sqlite:////var/lib/dbgate/state.db"
        ) from exc
    backend = url.get_backend_name()
    if backend == "sqlite":
        return _sqlite(url)
    if backend in ("postgresql", "postgres"):
        return _postgresql(url)
    raise UsageError(
        f"state_url names {backend}, which is not supported", hint="use sqlite or postgresql"
    )


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise UsageError("state_url names no file", hint="sqlite:////var/lib/dbgate/state.db")
    path = Path(url.database)
    _private_file(path)
    _write_ahead(path)
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=THREADS + 1,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: object) -> None:  # Any: the driver's connection
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # a lock taken late can fail; this waits

    return engine


def _private_file(path: Path) -> None:
    """Make the file, its owner's alone, if it is missing.

    It is never opened here: closing any descriptor of it would drop the locks that SQLite holds on
    it elsewhere in this process (POSIX fcntl, "How To Corrupt An SQLite Database", section 2.2).
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.mknod(path, 0o600 | stat.S_IFREG)
    except OSError as exc:
        raise UsageError(f"cannot write the state store {path}: {exc.strerror}") from exc
    if not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
        raise UsageError(f"cannot write the state store {path}: not a file of this user's")


def _write_ahead(path: Path) -> None:
    """Put the file into WAL mode, which it then keeps, before anything else uses it.

    The change takes the file alone and, unlike all else, does not wait for others (SQLite calls no
    busy handler for it). So when several open a new store at once, this tries again.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL").close()
                return
            except sqlite3.DatabaseError as exc:
                busy = exc.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not busy or time.monotonic() > deadline:
                    raise _unreachable() from exc
            time.sleep(WAL_RETRY_S)


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=THREADS + 1,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "dbgate-broker",
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={STATEMENT_TIMEOUT_MS}",
        },
    )
