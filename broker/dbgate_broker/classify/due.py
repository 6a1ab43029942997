"""Which columns of a catalog are to be looked at now. Views have their classes by lineage."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.classify.finding import OF_THE_CATALOG
from dbgate_core.classify.known import Kept, Known
from dbgate_core.masking.types import ELEMENTS, FAMILIES, Family

AGAIN: Final = timedelta(hours=24)
"""Columns fill with other things over time."""
EMPTY_AGAIN: Final = timedelta(minutes=15)
"""For a column that had no values yet, or could not be read."""
_STORED: Final = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATVIEW})
_SAMPLED: Final = frozenset(
    {
        Family.TEXT,
        Family.INT4,
        Family.INT8,
        Family.NUMERIC,
        Family.JSON,
        Family.JSONB,
        Family.XML,
        Family.BYTEA,
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """A table and those of its columns that are due."""

    relation: CatalogRelation
    columns: tuple[Column, ...]


def due(catalog: Catalog, known: Known, now: datetime) -> list[Target]:
    """The tables with columns that are due, but for partitions, which are seen through their parent."""
    inside = {child for found in catalog.behaviour.descendants.values() for child in found}
    targets = []
    for relation in catalog.relations:
        if not _is_looked_at(relation, inside):
            continue
        columns = tuple(c for c in relation.columns if _is_due(catalog, known, relation, c, now))
        if columns:
            targets.append(Target(relation, columns))
    return targets


def gone(catalog: Catalog, known: Known) -> list[Kept]:
    """What is kept of columns that are there no more."""
    there = {(r.schema, r.name, column.name) for r in catalog.relations for column in r.columns}
    return [kept for name, kept in known.kept.items() if name not in there]


def family(catalog: Catalog, column: Column) -> tuple[Family | None, bool]:
    """The type family under a column's domains, and whether it is an array of that."""
    base = catalog.base_type(column.type_oid)
    element = ELEMENTS.get(base)
    return FAMILIES.get(element if element is not None else base), element is not None


def is_sampled(catalog: Catalog, column: Column) -> bool:
    """Can values of its type be of a class at all, and be read as text without a user's code."""
    found, array = family(catalog, column)
    return found in _SAMPLED and (not array or found is Family.TEXT)


def is_document(catalog: Catalog, column: Column) -> bool:
    """Does it hold JSON by its type."""
    return family(catalog, column) in ((Family.JSON, False), (Family.JSONB, False))


def is_markup(catalog: Catalog, column: Column) -> bool:
    """Does it hold XML by its type."""
    return family(catalog, column) == (Family.XML, False)


def _is_looked_at(relation: CatalogRelation, inside: Collection[int]) -> bool:
    mine = relation.schema == "pg_catalog" or relation.temporary
    return relation.kind in _STORED and not mine and relation.oid not in inside


def _is_due(
    catalog: Catalog, known: Known, relation: CatalogRelation, column: Column, now: datetime
) -> bool:
    kept = known.kept.get((relation.schema, relation.name, column.name))
    if kept is None or kept.type_oid != column.type_oid:
        return True
    name = (relation.schema, relation.name, column.name)
    named = {
        f.data_class for f in kept.looked.findings if f.source in OF_THE_CATALOG and not f.path
    }
    if named != column.classes - column.found and name not in known.review.said:
        return True
    if not is_sampled(catalog, column):
        return False
    return now - kept.looked_at >= (AGAIN if kept.looked.values else EMPTY_AGAIN)
