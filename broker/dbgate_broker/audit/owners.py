"""What entries are found by; for the ends of statements and the parts of texts, what they belong to.

An end has no text, table or verdict of its own: it is found by those of the statement that it ends.
Statements are remembered until their end comes. The few that are not are read from the log again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from dbgate_broker.audit import terms
from dbgate_broker.audit.block import Block
from dbgate_core.audit import canonical

REMEMBERED: Final = 10_000
"""Statements that run at once; all are forgotten beyond, which costs a read of the log for each."""
REMEMBERED_CHARS: Final = 4096
"""A longer text is not remembered, so that they take 40 MB at most."""
SHAPES: Final = 4096
"""Of entries whose terms are kept in memory; each holds a scope and the names of tables."""
_ENDS: Final = "statement"
"""The kind that is remembered, because an end comes."""
_NONE: Final[frozenset[str]] = frozenset()


class Owner(NamedTuple):
    """What an entry is found by. A text in parts is `parted` and begins at that entry."""

    found: frozenset[str]
    text: str | None = None
    parted: int | None = None


class Owners:
    """Adds lines to blocks."""

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        """`read` gives the line of an entry that was added before."""
        self._read = read
        self._begun: dict[int, Owner] = {}
        self._shapes: dict[tuple[terms.Shape, frozenset[str] | None], frozenset[str]] = {}

    def add(self, block: Block, line: bytes) -> None:
        """Add an entry. Raises ValueError when the line is none."""
        entry = terms.line(line)
        index = entry.index
        owner = _owner(entry)
        if owner is None:
            said = self._of(entry)
            if entry.kind == _ENDS and len(said.text or "") <= REMEMBERED_CHARS:
                if len(self._begun) >= REMEMBERED:
                    self._begun.clear()
                self._begun[index] = said
            at = block.add(index, len(line), entry.time, said.found, said.text)
        else:
            part = entry.kind == canonical.STATEMENT_TEXT
            said = self._owner(owner, part=part)
            found = self._terms(entry, said.found)
            at = block.add(index, len(line), entry.time, found, said.text)
            if not part:
                block.lines.ends.append(at)
                block.lines.distances.append(index - owner)
        if said.parted is not None:
            block.texts.parted[at] = said.parted

    def _of(self, entry: terms.Line) -> Owner:
        """What an entry is found by that belongs to none."""
        found = self._terms(entry, None)
        if not isinstance(entry.text, str):
            return Owner(found)
        if entry.text_parts is not None:
            return Owner(found, parted=entry.index)
        return Owner(found, entry.text.casefold())

    def _owner(self, index: int, *, part: bool) -> Owner:
        """What another one belongs to; after its end it is not asked for again."""
        known = self._begun.get(index) if part else self._begun.pop(index, None)
        if known is None:
            line = self._read(index)
            known = Owner(_NONE) if line is None else self._of(terms.line(line))
        return known

    def _terms(self, entry: terms.Line, owner: frozenset[str] | None) -> frozenset[str]:
        """The terms of an entry, given those of its owner if it has one."""
        shape = terms.shape(entry)
        key = None if shape is None else (shape, owner)
        known = self._shapes.get(key) if key is not None else None
        if known is None:
            known = terms.of_line(entry)
            if owner is not None:
                known = terms.of_owned(known, owner)
            if key is not None:
                if len(self._shapes) >= SHAPES:
                    self._shapes.clear()
                self._shapes[key] = known
        return known


def _owner(entry: terms.Line) -> int | None:
    """The entry that this one belongs to: as a part of its text, or as its end."""
    found = entry.continues if entry.kind == canonical.STATEMENT_TEXT else entry.begin
    return found if type(found) is int and 0 <= found < entry.index else None
