"""Search: a query becomes an intersection of terms over a range of entries; lines come from the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dbgate_broker.audit import terms
from dbgate_broker.audit.index import Index, micros
from dbgate_core.contract import AuditPage
from dbgate_core.errors import UsageError

MAX_LIMIT: Final = 10_000
SESSION_LIMIT: Final = 1000
MAX_PAGE_BYTES: Final = 8 * 1024 * 1024
"""A page ends here even if more entries would fit its limit; one entry is always in it."""
_END_OF_TIME: Final = 1 << 62
_HAS_TERM: Final = "exists (select 1 from postings q where q.term = ? and q.idx = e.idx)"
_OWNER_HAS_TERM: Final = "exists (select 1 from postings q where q.term = ? and q.idx = e.owner)"
_HAS_TEXT: Final = "e.text in (select id from texts where instr(folded, ?))"
_OWNER_HAS_TEXT: Final = (
    "(select o.text from entries o where o.idx = e.owner)"
    " in (select id from texts where instr(folded, ?))"
)
_Row = tuple[int, int, int, int]
"""An entry's index, segment, offset and length."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What to look for; an empty field looks for anything.

    `principal` is a name anywhere in the identity chain, `table` is with or without its schema,
    `text` is any part of the statement's text in any case. `since` is included, `until` is not.
    """

    principal: str = ""
    database: str = ""
    table: str = ""
    verdict: str = ""
    text: str = ""
    kind: str = ""
    session: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def terms(self) -> list[str]:
        """The terms that an entry must have, all of them."""
        asked = (
            (terms.KIND, self.kind), (terms.SESSION, self.session), (terms.TABLE, self.table),
            (terms.PRINCIPAL, self.principal), (terms.DATABASE, self.database),
            (terms.VERDICT, self.verdict),
        )  # fmt: skip
        return [prefix + value for prefix, value in asked if value]


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
        after = _after(cursor)
        return self._index.use(lambda db: self._find(db, query, after, limit))

    def session(self, session_id: str, cursor: str) -> AuditPage:
        """A page of everything that belongs to a session, ends and parts of texts as well."""
        after = _after(cursor)

        def read(db: sqlite3.Connection) -> AuditPage:
            rows = db.execute(
                "select e.idx, e.segment, e.offset, e.length from terms t"
                " cross join postings p on p.term = t.id and p.idx > ?"
                " cross join entries e on e.idx = p.idx"
                " where t.term = ? order by p.idx limit ?",
                (after, terms.SESSION + session_id, SESSION_LIMIT),
            ).fetchall()
            return self._page([[row] for row in rows], SESSION_LIMIT, full=len(rows))

        return self._index.use(read)

    def _find(self, db: sqlite3.Connection, query: AuditQuery, after: int, limit: int) -> AuditPage:
        statement = _statement(db, query, after)
        if statement is None:
            return AuditPage(entries=[])
        sql, values = statement
        rows: list[_Row] = db.execute(f"{sql} limit ?", [*values, limit]).fetchall()
        ends = {} if query.kind and _owned(db, query.kind) else _ends(db, [row[0] for row in rows])
        groups = [[row, *ends.get(row[0], [])] for row in rows]
        return self._page(groups, limit, full=len(rows))

    def _page(self, groups: Sequence[list[_Row]], limit: int, *, full: int) -> AuditPage:
        """Whole groups up to the limits, at least one; `full` rows mean that more may follow."""
        taken: list[_Row] = []
        size, last = 0, -1
        for group in groups:
            size += sum(length for *_, length in group)
            if taken and (len(taken) + len(group) > limit or size > MAX_PAGE_BYTES):
                break
            taken += group
            last = group[0][0]
        more = full >= limit or (groups and last != groups[-1][0][0])
        entries = [self._index.entry(*row[1:]) for row in sorted(taken)]
        return AuditPage(entries=entries, next=str(last) if more and taken else "")


def _statement(
    db: sqlite3.Connection, query: AuditQuery, after: int
) -> tuple[str, list[object]] | None:
    """The SQL that gives matching entries in order, without its limit; None: nothing can match.

    Its driver is the rarest term; the others are looked up entry by entry. Ends and text parts
    match only when their kind is asked for, and then by what they belong to.
    """
    known = _known(db, query.terms())
    if known is None:
        return None
    owned = bool(query.kind) and _owned(db, query.kind)
    since = micros(query.since) if query.since else -_END_OF_TIME
    until = micros(query.until) if query.until else _END_OF_TIME
    first, last = _range(db, since, until)
    values: list[object] = []
    source = "entries e"
    if known:
        drivers = [t for t in known if t[1][:2] in (terms.KIND, terms.SESSION)] if owned else known
        driver = min(drivers)
        known.remove(driver)
        source = "postings p cross join entries e on e.idx = p.idx"
    where = ["e.idx > ?", "e.idx >= ?", "e.idx <= ?", "e.time >= ?", "e.time < ?"]
    values += [after, first, last, since, until]
    if source != "entries e":
        where = ["p.term = ?", *(w.replace("e.idx", "p.idx") for w in where)]
        values.insert(0, driver[2])
    if not query.kind:
        where.append("e.owner is null")
    for _, term, number in known:
        direct = not owned or term[:2] in (terms.KIND, terms.SESSION)
        where.append(_HAS_TERM if direct else _OWNER_HAS_TERM)
        values.append(number)
    if query.text:
        where.append(_OWNER_HAS_TEXT if owned else _HAS_TEXT)
        values.append(query.text.casefold())
    condition = " and ".join(where)
    sql = f"select e.idx, e.segment, e.offset, e.length from {source} where {condition} order by"  # noqa: S608
    return sql + (" e.idx" if source == "entries e" else " p.idx"), values


def _known(db: sqlite3.Connection, asked: Iterable[str]) -> list[tuple[int, str, int]] | None:
    """How often, which and number of each term; None when one of them is nowhere in the log."""
    found = []
    for term in asked:
        row = db.execute("select entries, term, id from terms where term = ?", (term,)).fetchone()
        if row is None:
            return None
        found.append(row)
    return found


def _owned(db: sqlite3.Connection, kind: str) -> bool:
    """Whether entries of this kind belong to others: ends, parts of texts."""
    row = db.execute(
        "select e.owner from terms t cross join postings p on p.term = t.id"
        " cross join entries e on e.idx = p.idx where t.term = ? limit 1",
        (terms.KIND + kind,),
    ).fetchone()
    return row is not None and row[0] is not None


def _range(db: sqlite3.Connection, since: int, until: int) -> tuple[int, int]:
    """The first and last entry that can be within these times."""
    row = db.execute(
        "select min(first), max(last) from blocks where latest >= ? and earliest < ?",
        (since, until),
    ).fetchone()
    return (0, -1) if row[0] is None else row


def _ends(db: sqlite3.Connection, begun: list[int]) -> dict[int, list[_Row]]:
    """The end entries of these, as far as there are any."""
    found: dict[int, list[_Row]] = {}
    for start in range(0, len(begun), 500):
        some = begun[start : start + 500]
        marks = ",".join("?" * len(some))
        for owner, *row in db.execute(
            "select owner, idx, segment, offset, length from entries"  # noqa: S608
            f" where owner in ({marks}) and not part",
            some,
        ):
            found.setdefault(owner, []).append((row[0], row[1], row[2], row[3]))
    return found


def _after(cursor: str) -> int:
    if not cursor:
        return -1
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > 18:
        raise UsageError("the cursor is not one that a page gave")
    return int(cursor)
