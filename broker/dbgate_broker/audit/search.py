"""Search: a query becomes an intersection of terms over a range of entries; lines come from the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from dbgate_broker.audit import terms
from dbgate_broker.audit.block import micros
from dbgate_broker.audit.index import Index, Place
from dbgate_broker.audit.view import END_OF_TIME, View, Wanted
from dbgate_core.contract import AuditPage
from dbgate_core.errors import UsageError

MAX_LIMIT: Final = 10_000
SESSION_LIMIT: Final = 1000
MAX_PAGE_BYTES: Final = 8 * 1024 * 1024
"""A page ends here even if more entries would fit its limit; one entry is always in it."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What to look for; an empty field looks for anything.

    `principal` is a name anywhere in the identity chain, `table` is with or without its schema,
    `text` is any part of the statement's text in any case, `exposed` a data class of which values
    passed in clear (it finds ends of statements). `since` is included, `until` is not.
    """

    principal: str = ""
    database: str = ""
    table: str = ""
    verdict: str = ""
    text: str = ""
    kind: str = ""
    session: str = ""
    exposed: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def terms(self) -> list[str]:
        """The terms that an entry must have, those that few have first."""
        asked = (
            (terms.EXPOSED, self.exposed), (terms.SESSION, self.session), (terms.TABLE, self.table),
            (terms.PRINCIPAL, self.principal), (terms.VERDICT, self.verdict),
            (terms.DATABASE, self.database), (terms.KIND, self.kind),
        )  # fmt: skip
        return [prefix + value for prefix, value in asked if value]

    def wanted(self, after: int) -> Wanted:
        """The query as the index takes it.

        Only a kind and an exposure find what belongs to other entries.
        """
        return Wanted(
            self.terms(),
            after,
            owned=bool(self.kind or self.exposed),
            text=self.text.casefold(),
            since=-END_OF_TIME if self.since is None else micros(self.since),
            until=END_OF_TIME if self.until is None else micros(self.until),
        )


class Search:
    """Searches one log, by its index."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def find(self, query: AuditQuery, cursor: str, limit: int) -> AuditPage:
        """A page of entries that match, in log order.

        The end of a statement comes with its beginning and counts towards the limit, so a page
        holds a statement whole. Raises UsageError for a bad cursor or limit.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise UsageError(f"limit is from 1 to {MAX_LIMIT}")
        wanted = query.wanted(_after(cursor))
        return self._index.use(lambda db: self._find(View(self._index, db), wanted, limit))

    def session(self, session_id: str, cursor: str) -> AuditPage:
        """A page of everything that belongs to a session, ends and parts of texts as well."""
        wanted = Wanted([terms.SESSION + session_id], _after(cursor), owned=True)

        def read(db: sqlite3.Connection) -> AuditPage:
            view = View(self._index, db)
            rows = list(islice(view.matching(wanted), SESSION_LIMIT))
            groups = [[view.place(index)] for index in rows]
            return self._page(groups, SESSION_LIMIT, full=len(rows))

        return self._index.use(read)

    def _find(self, view: View, wanted: Wanted, limit: int) -> AuditPage:
        rows = list(islice(view.matching(wanted), limit))
        ends = view.ends(rows)
        groups = [[view.place(at) for at in (index, *ends.get(index, []))] for index in rows]
        return self._page(groups, limit, full=len(rows))

    def _page(self, groups: Sequence[list[Place]], limit: int, *, full: int) -> AuditPage:
        """Whole groups up to the limits, at least one; `full` rows mean that more may follow."""
        taken: list[Place] = []
        size, last = 0, -1
        for group in groups:
            size += sum(length for *_, length in group)
            if taken and (len(taken) + len(group) > limit or size > MAX_PAGE_BYTES):
                break
            taken += group
            last = group[0][0]
        more = full >= limit or (groups and last != groups[-1][0][0])
        entries = self._index.entries(sorted(taken))
        return AuditPage(entries=entries, next=str(last) if more and taken else "")


def _after(cursor: str) -> int:
    if not cursor:
        return -1
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > 18:
        raise UsageError("the cursor is not one that a page gave")
    return int(cursor)
