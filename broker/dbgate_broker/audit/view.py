"""A look into the index, block by block: terms are intersected as bits, the rest is looked at."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from dbgate_broker.audit import block as blocks
from dbgate_broker.audit import terms
from dbgate_broker.audit.index import Index, Place

END_OF_TIME: Final = 1 << 62
_PARAMETERS: Final = 500
"""Of one SQL statement; SQLite takes 32,766."""
_HELD: Final = "(select bits from postings where block = b.first and term = ?)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Entries with all of the terms, after an index, in a range of times (microseconds).

    `text` is any part of the entry's text, folded. The first term leads through the others.
    """

    terms: Sequence[str]
    after: int
    owned: bool
    text: str = ""
    since: int = -END_OF_TIME
    until: int = END_OF_TIME


@dataclass(frozen=True, slots=True)
class _Held:
    """Where a block stands, and the offset of each of its lines and of their end."""

    first: int
    segment: int
    offsets: list[int]
    lines: blocks.Lines


class View:
    """One search's look. What it read of a block it keeps."""

    def __init__(self, index: Index, db: sqlite3.Connection) -> None:
        self._index = index
        self._db = db
        self._places: dict[int, _Held] = {}
        self._firsts: list[int] = []

    def matching(self, wanted: Wanted) -> Iterator[int]:
        """The entries that are wanted, in order."""
        for first, entries, earliest, latest, *held in self._blocks(wanted):
            found = (1 << entries) - 1
            owned = held.pop()
            if owned is not None and not wanted.owned:
                found &= ~blocks.unpack_bits(owned)
            for packed in held:
                found &= blocks.unpack_bits(packed) if packed is not None else 0
            skipped = max(0, wanted.after + 1 - first)
            found = found >> skipped << skipped
            if found and wanted.text:
                found &= self._having(first, wanted.text, found)
            if found and not (wanted.since <= earliest and latest < wanted.until):
                found = self._within(first, found, wanted)
            for at in blocks.places(found):
                yield first + at

    def place(self, index: int) -> Place:
        """Where an entry's line stands."""
        held = self._held(index)
        at = index - held.first
        start, end = held.offsets[at : at + 2]
        return index, held.segment, start, end - start

    def ends(self, begun: Sequence[int]) -> dict[int, list[int]]:
        """The entries that end these, as far as there are any."""
        asked = set(begun)
        found: dict[int, list[int]] = {}
        for first in {self._held(index).first for index in begun}:
            lines = self._places[first].lines
            for at, far in zip(lines.ends, lines.distances, strict=True):
                if far <= at and first + at - far in asked:
                    found.setdefault(first + at - far, []).append(first + at)
        for start in range(0, len(begun), _PARAMETERS):
            some = begun[start : start + _PARAMETERS]
            marks = ",".join("?" * len(some))
            late = f"select owner, idx from late where owner in ({marks})"  # noqa: S608 - marks alone
            for owner, end in self._db.execute(late, some):
                found.setdefault(owner, []).append(end)
        return found

    def _blocks(self, wanted: Wanted) -> sqlite3.Cursor:
        """The blocks that may hold such entries, each with the bits of every term and of the owned."""
        held = ", ".join(_HELD for _ in (*wanted.terms, terms.OWNED))
        source, values = "blocks b", [*wanted.terms, terms.OWNED]
        if wanted.terms:
            source = "postings p cross join blocks b on b.first = p.block and p.term = ?"
            values.append(wanted.terms[0])
        place = "p.block" if wanted.terms else "b.first"
        (start,) = self._db.execute(
            "select coalesce(max(first), 0) from blocks where first <= ?", (wanted.after + 1,)
        ).fetchone()
        return self._db.execute(
            f"select b.first, b.entries, b.earliest, b.latest, {held} from {source}"  # noqa: S608
            f" where {place} >= ? and b.latest >= ? and b.earliest < ? order by {place}",
            [*values, start, wanted.since, wanted.until],
        )

    def _having(self, first: int, needle: str, asked: int) -> int:
        """The bits of those that are asked for and have the needle in their text."""
        (packed,) = self._db.execute(
            "select texts from blocks where first = ?", (first,)
        ).fetchone()
        texts = blocks.unpack(packed, blocks.Texts)
        parted = [
            at
            for at, index in texts.parted.items()
            if asked >> at & 1 and needle in self._index.parted_text(*self.place(index)[1:3])
        ]
        return texts.having(needle) | blocks.bits(parted)

    def _within(self, first: int, found: int, wanted: Wanted) -> int:
        """Those whose time is in the range: of a block that is partly in it the lines are read."""
        held = self._held(first)
        start = held.offsets[0]
        lines = self._index.lines(held.segment, start, held.offsets[-1] - start)

        def time(at: int) -> int:
            line = lines[held.offsets[at] - start : held.offsets[at + 1] - start]
            return blocks.micros(terms.line(line).time)

        return blocks.bits(
            at for at in blocks.places(found) if wanted.since <= time(at) < wanted.until
        )

    def _held(self, index: int) -> _Held:
        near = bisect_right(self._firsts, index) - 1
        if near >= 0:
            held = self._places[self._firsts[near]]
            if index - held.first < len(held.lines.lengths):
                return held
        first, segment, offset, packed = self._db.execute(
            "select first, segment, offset, lines from blocks where first <= ?"
            " order by first desc limit 1",
            (index,),
        ).fetchone()
        lines = blocks.unpack(packed, blocks.Lines)
        offsets = list(accumulate(lines.lengths, initial=offset))
        held = self._places[first] = _Held(first, segment, offsets, lines)
        self._firsts = sorted(self._places)
        return held
