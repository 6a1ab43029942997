"""What a value may carry: the classes of the columns that it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.document import Document


@dataclass(frozen=True, slots=True)
class Carried:
    """The classes of a value's origins.

    `derived` says that it is not the plain value of one column, so no partial form fits it.
    `type_oid` is the column's declared type and `type_modifier` its modifier, where it is one;
    `document` tells the members of a column of documents apart.
    """

    classes: frozenset[DataClass] = frozenset()
    derived: bool = False
    type_oid: int = 0
    document: Document | None = None

    @property
    def clean(self) -> bool:
        """May it be shown."""
        return not self.classes


CLEAN: Final = Carried()


def computed(parts: Iterable[Carried]) -> Carried:
    """The value of an expression over the parts."""
    classes = frozenset[DataClass]().union(*(part.classes for part in parts))
    return Carried(classes, derived=True) if classes else CLEAN


def either(parts: Iterable[Carried]) -> Carried:
    """A value that is one of the parts, unchanged: a branch of UNION, CASE or COALESCE."""
    known = list(parts)
    if known and known[0].classes and all(one == known[0] for one in known):
        return known[0]
    tainted = {(part.classes, part.derived) for part in known if part.classes}
    if not tainted:
        return CLEAN
    types = {part.type_oid for part in known}
    type_oid = types.pop() if len(types) == 1 else 0
    if len(tainted) == 1:
        classes, derived = tainted.pop()
        return Carried(classes, derived, type_oid)
    return replace(computed(known), type_oid=type_oid)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The columns of a query, by position; None when they cannot be counted.

    `everything` is what any column of it may carry.
    """

    columns: tuple[tuple[str, Carried], ...] | None
    everything: Carried

    @classmethod
    def known(cls, columns: Iterable[tuple[str, Carried]]) -> Outputs:
        """Outputs whose columns are all known."""
        listed = tuple(columns)
        return cls(listed, computed(carried for _, carried in listed))

    def at(self, index: int, count: int) -> Carried:
        """What column `index` of a result of `count` columns carries."""
        if self.columns is None or len(self.columns) != count:
            return self.everything
        return self.columns[index][1]


@dataclass(frozen=True, slots=True)
class Source:
    """One FROM item under its alias. `rest` is what a column not listed carries, None: has none."""

    alias: str
    columns: tuple[tuple[str, Carried], ...]
    rest: Carried | None = None

    @property
    def row(self) -> Carried:
        """What the whole row carries."""
        parts = [carried for _, carried in self.columns]
        return computed([*parts, self.rest] if self.rest else parts)

    def column(self, name: str) -> Carried | None:
        """What the column of that name carries; None when there is certainly none."""
        found = [carried for column, carried in self.columns if column == name]
        return either(found) if found else self.rest

    def lists(self, name: str) -> bool:
        """Is the column named among the listed."""
        return any(column == name for column, _ in self.columns)

    def outputs(self) -> Outputs:
        """The columns that `alias.*` gives."""
        return Outputs(None if self.rest else self.columns, self.row)
