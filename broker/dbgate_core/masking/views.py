"""The classes of views' columns, inherited by lineage of their definitions."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.errors import DbgateError
from dbgate_core.masking.carried import Outputs
from dbgate_core.masking.lineage import query_outputs
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.parser import parse

MAX_ROUNDS: Final = 12
"""Views over views this deep are followed; what still changes then is fully masked."""
_VIEWS: Final = frozenset({RelationKind.VIEW, RelationKind.MATVIEW})


def with_view_classes(catalog: Catalog) -> Catalog:
    """The catalog with each view's columns classed by what its definition reads.

    Rounds go on until nothing changes, because views read views. A definition that cannot be
    followed gives its columns everything that it may read.
    """
    views = [r for r in catalog.relations if r.kind in _VIEWS and r.schema != "pg_catalog"]
    for _ in range(MAX_ROUNDS):
        changed = {view.oid: found for view in views if (found := _classed(view, catalog)) != view}
        if not changed:
            return catalog
        catalog = _replaced(catalog, changed)
        views = [changed.get(view.oid, view) for view in views]
    everything = Outputs(None, Scope(catalog, ()).anything)
    return _replaced(catalog, {view.oid: _with(view, everything) for view in views})


def _replaced(catalog: Catalog, changed: dict[int, CatalogRelation]) -> Catalog:
    relations = [changed.get(relation.oid, relation) for relation in catalog.relations]
    return catalog.with_relations(relations)


def _classed(view: CatalogRelation, catalog: Catalog) -> CatalogRelation:
    scope = Scope(catalog, (view.schema, "public"))
    try:
        statements = parse(view.definition).stmts
        outputs = query_outputs(statements[0].stmt, scope)
    except (DbgateError, RecursionError, IndexError):
        outputs = Outputs(None, scope.anything)
    return _with(view, outputs)


def _with(view: CatalogRelation, outputs: Outputs) -> CatalogRelation:
    count = len(view.columns)
    columns: list[Column] = []
    for index, column in enumerate(view.columns):
        carried = outputs.at(index, count)
        derived = carried.derived or len(carried.classes) > 1
        columns.append(
            replace(column, classes=carried.classes, derived=derived, document=carried.document)
        )
    return replace(view, columns=tuple(columns))
