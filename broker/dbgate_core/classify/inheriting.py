"""Partitions and tables that inherit: what their parents' columns hold, theirs may hold, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dbgate_core.catalog import CatalogRelation, Column


def inherited(
    relations: Sequence[CatalogRelation], descendants: Mapping[int, Sequence[int]]
) -> list[CatalogRelation]:
    """The relations, each column of a descendant with the classes of its parents' namesakes."""
    by_oid = {relation.oid: relation for relation in relations}
    for oid, children in descendants.items():
        parent = by_oid.get(oid)
        if parent is None or not parent.classes:
            continue
        for child in children:
            if child in by_oid:
                by_oid[child] = _with(by_oid[child], parent)
    return [by_oid[relation.oid] for relation in relations]


def _with(child: CatalogRelation, parent: CatalogRelation) -> CatalogRelation:
    columns = tuple(_joined(column, parent.column(column.name)) for column in child.columns)
    return replace(child, columns=columns)


def _joined(column: Column, above: Column | None) -> Column:
    if above is None or above.classes <= column.classes:
        return column
    document = above.document if not column.classes else None
    classes = column.classes | above.classes
    found = column.found | (above.classes - column.classes)
    return replace(column, classes=classes, found=found, derived=above.derived, document=document)
