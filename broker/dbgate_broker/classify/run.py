"""One look at what is due in a database: sampled table by table, classed, kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg

from dbgate_broker.classify import sampling
from dbgate_broker.classify.due import Target, is_document, is_markup, is_sampled
from dbgate_broker.config import DatabaseConfig
from dbgate_broker.sessions.own import Own
from dbgate_broker.sessions.records import record
from dbgate_core.audit.recorder import Recorder
from dbgate_core.catalog import Catalog, CatalogRelation, Column
from dbgate_core.classify.decide import Looked, look
from dbgate_core.classify.known import Kept

COLUMNS_SAMPLED: Final = "columns_sampled"
DEADLINE_S: Final = 120.0
"""Of one run; what is left is due at the next."""

Keep = Callable[[list[Kept]], Awaitable[None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """`keep` is given the columns of each table as soon as they are classed."""

    database: DatabaseConfig
    catalog: Catalog
    own: Own
    recorder: Recorder
    clock: Callable[[], datetime]
    keep: Keep

    async def over(self, targets: list[Target]) -> None:
        """Look at the targets, and rest as long after each: statements of others come first.

        Raises psycopg.Error, OSError when the database does not answer.
        """
        connection = await sampling.connect(self.database, self.own.credentials)
        async with connection:
            for target in targets:
                begun = time.monotonic()
                try:
                    await self._table(connection, target)
                except (psycopg.errors.OperationalError, psycopg.errors.ProgrammingError) as exc:
                    if connection.broken:
                        raise
                    log.info(
                        "a table of %s is not sampled: %s", self.database.name, type(exc).__name__
                    )
                    await self._class(target, {})
                await asyncio.sleep(time.monotonic() - begun)

    async def _table(self, connection: sampling.Session, target: Target) -> None:
        async with connection.transaction():
            pages, readable = await sampling.look_up(connection, target.relation.oid)
        plain = [
            c for c in target.columns if not is_sampled(self.catalog, c) or c.attnum not in readable
        ]
        if plain:
            await self._class(Target(target.relation, tuple(plain)), {})
        for part in _parts(target.relation, [c for c in target.columns if c not in plain]):
            values = await self._sample(connection, part, pages)
            await self._class(part, values)

    async def _sample(
        self, connection: sampling.Session, target: Target, pages: int
    ) -> sampling.Values:
        """The sample is on record before it is taken."""
        values: sampling.Values = {}
        for spread in (True, False):
            statement = sampling.query(self.catalog, target, pages, spread=spread)
            fields = {
                "scope": self.own.scope,
                "application": sampling.APPLICATION,
                "table": f"{target.relation.schema}.{target.relation.name}",
                "columns": [column.name for column in target.columns],
                "rows_at_most": sampling.MAX_ROWS,
                "statement": statement.as_string(None),
            }
            await record(self.recorder, COLUMNS_SAMPLED, fields)
            values = await sampling.fetch(connection, statement, target.columns)
            if any(values.values()) or pages <= sampling.MAX_PAGES:
                break  # the pages that were drawn may all have been empty
        return values

    async def _class(self, target: Target, values: Mapping[int, list[str]]) -> None:
        found = await asyncio.to_thread(self._look, target, values)
        relation, now = target.relation, self.clock()
        await self.keep(
            [
                Kept(
                    (relation.schema, relation.name, column.name),
                    relation.oid,
                    column.attnum,
                    column.type_oid,
                    looked,
                    now,
                )
                for column, looked in zip(target.columns, found, strict=True)
            ]
        )

    def _look(self, target: Target, values: Mapping[int, list[str]]) -> list[Looked]:
        return [
            look(
                target.relation.name,
                column.name,
                column.classes - column.found - column.filled,
                values.get(column.attnum, ()),
                filled=column.filled,
                documents=is_document(self.catalog, column),
                markup=is_markup(self.catalog, column),
            )
            for column in target.columns
        ]


def _parts(relation: CatalogRelation, columns: list[Column]) -> Iterator[Target]:
    for start in range(0, len(columns), sampling.MAX_COLUMNS):
        yield Target(relation, tuple(columns[start : start + sampling.MAX_COLUMNS]))
