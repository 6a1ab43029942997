"""What is known of the columns of one database: looked at before, or said by a reviewed file.

Names decide which column is meant; a renamed one is found by its table's OID and its number, which
PostgreSQL gives to no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from dbgate_core.catalog import CatalogRelation, Column
from dbgate_core.classify.decide import Looked
from dbgate_core.classify.finding import OF_THE_CATALOG, Finding, Path
from dbgate_core.classify.review import Review
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.document import Document

Name = tuple[str, str, str]
"""Schema, table, column."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A column that was looked at, and where it stood then."""

    name: Name
    relation_oid: int
    attnum: int
    type_oid: int
    looked: Looked
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """Of one database. `version` tells what is known apart from what was known before."""

    kept: Mapping[Name, Kept] = field(default_factory=dict)
    moved: Mapping[tuple[int, int], Kept] = field(default_factory=dict)
    review: Review = field(default_factory=Review)
    version: str = ""

    @classmethod
    def of(cls, kept: Iterable[Kept], review: Review, version: str) -> Known:
        """Indexed."""
        listed = list(kept)
        moved = {(one.relation_oid, one.attnum): one for one in listed}
        return cls({one.name: one for one in listed}, moved, review, version)

    def of_column(self, relation: CatalogRelation, column: Column) -> Kept | None:
        """What was found in a column, under this name or the one that it had."""
        by_name = self.kept.get((relation.schema, relation.name, column.name))
        return by_name or self.moved.get((relation.oid, column.attnum))

    def applied(self, relation: CatalogRelation) -> CatalogRelation:
        """The relation, its columns' classes with all that is known."""
        columns = tuple(self._applied(relation, column) for column in relation.columns)
        return replace(relation, columns=columns) if columns != relation.columns else relation

    def _applied(self, relation: CatalogRelation, column: Column) -> Column:
        """A reviewed class of the column itself leaves nothing of what was found in it."""
        kept = self.of_column(relation, column)
        said = self.review.of((relation.schema, relation.name, column.name))
        if kept is None and not said:
            return column
        found: dict[Path, frozenset[DataClass]] = {}
        if kept is not None:
            found = {path: frozenset() for path in kept.looked.paths}
            if () not in said:
                found |= _found(kept.looked.findings)
        whole = said[()] if () in said else column.classes | found.get((), frozenset())
        shown = frozenset[DataClass]().union(*found.values()) - column.classes
        members = {path: classes for path, classes in {**found, **said}.items() if path}
        inside = frozenset[DataClass]().union(*members.values())
        if not inside:
            return replace(column, classes=whole, found=shown & whole, reviewed=() in said)
        document = None if whole else Document(tuple(sorted(members.items())))
        classes = whole | inside
        return replace(
            column,
            classes=classes,
            found=shown & classes,
            derived=True,
            document=document,
            reviewed=() in said,
        )


def _found(findings: Iterable[Finding]) -> dict[Path, frozenset[DataClass]]:
    """By path. What a column's name, and code, say now is in the catalog; what they said then is no matter."""
    found: dict[Path, frozenset[DataClass]] = {}
    for one in findings:
        if one.path or one.source not in OF_THE_CATALOG:
            found[one.path] = found.get(one.path, frozenset()) | {one.data_class}
    return found


NOTHING: Final = Known()
