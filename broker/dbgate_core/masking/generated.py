"""The classes of generated columns, by lineage of the expressions that fill them."""

from __future__ import annotations

from dataclasses import replace

from dbgate_core.catalog import Catalog, CatalogRelation, Column
from dbgate_core.errors import DbgateError
from dbgate_core.masking.carried import Carried, Source
from dbgate_core.masking.lineage import expression
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.parser import parse


def with_generated_classes(catalog: Catalog) -> Catalog:
    """The catalog with each generated column classed by what its expression reads, too.

    One look is enough: PostgreSQL lets no such expression read another generated column.
    """
    if not any(column.generated for found in catalog.relations for column in found.columns):
        return catalog
    return catalog.with_relations(_classed(found, catalog) for found in catalog.relations)


def _classed(relation: CatalogRelation, catalog: Catalog) -> CatalogRelation:
    if not relation.classes or not any(column.generated for column in relation.columns):
        return relation
    carried = tuple((c.name, Carried(c.classes, c.derived)) for c in relation.columns)
    row = Source(relation.name, carried)
    scope = Scope(catalog, (relation.schema, "public")).within((row,))
    return replace(relation, columns=tuple(_column(c, row, scope) for c in relation.columns))


def _column(column: Column, row: Source, scope: Scope) -> Column:
    if not column.generated or column.reviewed:
        return column
    try:
        select = parse(f"SELECT {column.generated}").stmts[0].stmt.select_stmt
        found = expression(select.target_list[0].res_target.val, scope)
    except (DbgateError, RecursionError, IndexError):
        found = row.row
    if found.classes <= column.classes:
        return column
    return replace(column, classes=column.classes | found.classes, derived=True)
