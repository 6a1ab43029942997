"""Knows what columns hold, and looks when a catalog shows columns that nobody has looked at.

Never in the way of a statement: until a column was looked at, its name and type decide. What is found is
kept, told in the log, and in force with the next statement of every connection.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import psycopg

from dbgate_broker.classify.changes import Change, changes, joined
from dbgate_broker.classify.due import Target, due, gone
from dbgate_broker.classify.run import DEADLINE_S, Run
from dbgate_broker.classify.views import columns_of
from dbgate_broker.config import DatabaseConfig
from dbgate_broker.sessions.own import Own
from dbgate_broker.sessions.records import record
from dbgate_broker.store import classes
from dbgate_broker.store.engine import Store
from dbgate_core.audit.recorder import Recorder
from dbgate_core.catalog import Catalog
from dbgate_core.classify.known import Kept, Known
from dbgate_core.classify.review import Review, read_review
from dbgate_core.contract import DatabaseClasses
from dbgate_core.errors import DbgateError, UsageError
from dbgate_core.principal import Principal, PrincipalKind

CLASSIFIER: Final = Principal(PrincipalKind.WORKLOAD, "dbgate-classifier", "dbgate", "classifier")
"""Its issuer is no URL: no token can be it."""
REASON: Final = "to see what new columns hold"
CLASSES_CHANGED: Final = "classes_changed"
COLUMNS_CLASSIFIED: Final = "columns_classified"
REST_S: Final = 5.0
"""Between the looks at one database: a migration of a hundred steps needs one or two of them."""
MAX_CHANGES: Final = 100
"""Of one entry."""
MAX_TOLD: Final = 20
"""Lines in the broker's own log for one look."""

Borrow = Callable[[Principal, DatabaseConfig, str, int], AbstractAsyncContextManager[Own]]
"""`Sessions.borrow`."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Of:
    """What is held of one database."""

    known: Known = field(default_factory=Known)
    state: str | None = None
    review: Review = field(default_factory=Review)
    unknown: tuple[str, ...] = ()
    catalog: Catalog | None = None
    task: asyncio.Task[None] | None = None
    looking: bool = False


class Classifier:
    """`catalog.service.Knows`. Looks once it is started, with a session of its own a look."""

    def __init__(
        self,
        databases: Sequence[DatabaseConfig],
        store: Store,
        recorder: Recorder,
        clock: Callable[[], datetime],
        *,
        rest_s: float = REST_S,
    ) -> None:
        """Raises UsageError for a reviewed file that is not valid."""
        self._databases = {database.name: database for database in databases}
        self._store, self._recorder, self._clock, self._rest_s = store, recorder, clock, rest_s
        self._borrow: Borrow | None = None
        self._changed: Callable[[str], None] = lambda database: None
        self._of = {name: _Of(review=review_of(one)) for name, one in self._databases.items()}

    def start(self, borrow: Borrow, changed: Callable[[str], None]) -> None:
        """Begin to look; `changed` is told the database whose classes are otherwise now."""
        self._borrow, self._changed = borrow, changed

    async def stop(self) -> None:
        """End what runs; its database user is given back."""
        self._borrow = None
        tasks = [of.task for of in self._of.values() if of.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def known(self, database: str) -> Known:
        """What is known now, by whichever broker. Raises Unreachable."""
        of = self._of.setdefault(database, _Of())
        state = await self._store.call(classes.state, database)
        if state != of.state:
            kept = await self._store.call(classes.load, database)
            of.known = Known.of(kept, of.review, _version(kept, of.review))
            of.state = state
        return of.known

    def read(self, database: DatabaseConfig, catalog: Catalog) -> None:
        """Look at what is due in it, unless a look is on already."""
        of = self._of.setdefault(database.name, _Of())
        of.catalog = catalog
        unknown = tuple(of.review.unknown(catalog.relations))
        if unknown != of.unknown:
            of.unknown = unknown
            for name in unknown[:MAX_TOLD]:
                log.error(
                    "%s: the reviewed classes name %s, which is not there", database.name, name
                )
        running = of.task is not None and not of.task.done()
        if self._borrow is None or running or not database.sampling:
            return
        if not due(catalog, of.known, self._clock()) and not gone(catalog, of.known):
            return
        of.task = asyncio.create_task(self._look(database, of), name="classify")

    async def reload(self) -> bool:
        """Read the reviewed files again; one with a mistake is told and left, the old one stays."""
        fine = True
        for name, database in self._databases.items():
            try:
                review = await asyncio.to_thread(review_of, database)
            except DbgateError as exc:
                log.error("the reviewed classes stay as they are: %s", exc.message)
                fine = False
                continue
            of = self._of[name]
            if review != of.review:
                of.review, of.state = review, None
                self._changed(name)
        return fine

    async def show(self, database: str) -> DatabaseClasses:
        """What is known of the columns of a configured database, and why. Raises Unreachable."""
        known = await self.known(database)
        of = self._of[database]
        state = "looking" if of.looking else "done" if known.kept else "never"
        return DatabaseClasses(
            database=database,
            state=state if self._databases[database].sampling else "off",
            columns=columns_of(known),
            mistakes=list(of.unknown),
        )

    async def _look(self, database: DatabaseConfig, of: _Of) -> None:
        """Look, and rest; a catalog that came meanwhile is looked at after it. Never raises but CancelledError."""
        while of.catalog is not None and self._borrow is not None:
            catalog, borrow = of.catalog, self._borrow
            try:
                async with asyncio.timeout(DEADLINE_S):
                    await self._once(database, of, catalog, borrow)
            except (DbgateError, psycopg.Error, OSError, TimeoutError) as exc:
                log.warning(
                    "the columns of %s are not looked at now: %s", database.name, type(exc).__name__
                )
            except Exception:
                log.exception("looking at the columns of %s failed", database.name)
            finally:
                of.looking = False
            await asyncio.sleep(self._rest_s)
            if of.catalog is catalog:
                return

    async def _once(
        self, database: DatabaseConfig, of: _Of, catalog: Catalog, borrow: Borrow
    ) -> None:
        of.looking = True
        known = await self.known(database.name)
        targets = due(catalog, known, self._clock())
        lost = gone(catalog, known)
        if lost:
            await self._store.call(classes.forget, database.name, [one.name for one in lost])
        if not targets:
            return
        found: list[Kept] = []

        async def keep(kept: list[Kept]) -> None:
            merged = [joined(_before(known, one), one) for one in kept]
            await self._store.call(classes.save, database.name, merged)
            found.extend(merged)

        async with borrow(CLASSIFIER, database, REASON, int(DEADLINE_S) + 60) as own:
            try:
                await Run(database, catalog, own, self._recorder, self._clock, keep).over(targets)
            finally:
                await self._tell(database, own.scope, known, found, targets)

    async def _tell(
        self,
        database: DatabaseConfig,
        scope: Mapping[str, object],
        known: Known,
        found: Sequence[Kept],
        targets: Sequence[Target],
    ) -> None:
        """Write what was done and what is new; let it decide from now on."""
        new = changes(known, found)
        summary = {
            "scope": scope,
            "tables": len(targets),
            "columns": len(found),
            "values": sum(one.looked.values for one in found),
            "changes": len(new),
        }
        await record(self._recorder, COLUMNS_CLASSIFIED, summary)
        for start in range(0, len(new), MAX_CHANGES):
            told = [one.entry() for one in new[start : start + MAX_CHANGES]]
            await record(self._recorder, CLASSES_CHANGED, {"scope": scope, "changes": told})
        _notify(database.name, new)
        if (await self.known(database.name)).version != known.version:
            self._changed(database.name)


def review_of(database: DatabaseConfig) -> Review:
    """What the reviewed file of a database says. Raises UsageError."""
    file = database.classes_file
    if file is None:
        return Review()
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"cannot read the reviewed classes {file}: {exc}") from exc
    return read_review(text, str(file))


def _before(known: Known, one: Kept) -> Kept | None:
    return known.kept.get(one.name) or known.moved.get((one.relation_oid, one.attnum))


def _notify(database: str, new: Sequence[Change]) -> None:
    """Tell the operator, by the log."""
    classed = [one for one in new if one.after]
    for one in classed[:MAX_TOLD]:
        what = f"{one.column} {one.path}".strip()
        log.warning("%s: %s is %s now: %s", database, what, ", ".join(one.after), one.reason)
    if len(classed) > MAX_TOLD:
        log.warning(
            "%s: and %d more; the audit log has them all", database, len(classed) - MAX_TOLD
        )


def _version(kept: Sequence[Kept], review: Review) -> str:
    """Tells the classes apart, and not when they were looked at."""
    digest = hashlib.sha256(repr(sorted(review.said.items())).encode())
    for one in kept:
        found = sorted({(f.path, f.data_class.value) for f in one.looked.findings})
        digest.update(repr((one.name, found, one.looked.paths)).encode())
    return digest.hexdigest()[:16]
