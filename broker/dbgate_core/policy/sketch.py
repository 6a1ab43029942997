"""A catalog drawn from CREATE statements, so that statements can be judged without a database.

As far as judging and masking read a catalog: relations, their columns' names, types and classes, views,
functions. What else a real one knows (inheritance, system catalogs, domains) is not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dbgate_core.catalog import FIRST_USER_OID, Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.errors import UsageError
from dbgate_core.masking.classes import classify_column
from dbgate_core.masking.types import TEXT_OID
from dbgate_core.masking.views import with_view_classes
from dbgate_core.sql.parser import parse, unparse
from dbgate_core.sql.tree import Node, kind, strings

_TYPES: Final = {
    "bool": "boolean", "bpchar": "character", "float4": "real", "float8": "double precision",
    "int2": "smallint", "int4": "integer", "int8": "bigint", "serial": "integer",
    "bigserial": "bigint", "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone", "varchar": "character varying",
}  # fmt: skip
"""As format_type() prints what the grammar names otherwise."""
_SCHEMA: Final = "public"


def sketch(text: str) -> Catalog:
    """The catalog of a text of CREATE TABLE, VIEW, MATERIALIZED VIEW, FUNCTION and SCHEMA.

    Raises UsageError for any other statement, and what `parse` raises.
    """
    drawn = _Drawing()
    for raw in parse(text).stmts:
        _draw(drawn, raw.stmt)
    version = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return with_view_classes(Catalog(drawn.relations, version, drawn.functions))


@dataclass(slots=True)
class _Drawing:
    relations: list[CatalogRelation] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)

    def add(
        self, name: Node, what: RelationKind, columns: tuple[Column, ...], definition: str = ""
    ) -> None:
        oid, schema = FIRST_USER_OID + len(self.relations), name.schemaname or _SCHEMA
        relation = CatalogRelation(oid, schema, name.relname, what, columns, definition)
        self.relations.append(relation)


def _draw(drawn: _Drawing, node: Node) -> None:
    match kind(node):
        case "create_stmt":
            made = node.create_stmt
            columns = tuple(_columns(made.relation.relname, made.table_elts))
            drawn.add(made.relation, RelationKind.TABLE, columns)
        case "view_stmt":
            view = node.view_stmt
            names = strings(view.aliases) or _outputs(drawn, view.query)
            _view(drawn, view.view, RelationKind.VIEW, names, view.query)
        case "create_table_as_stmt":
            made = node.create_table_as_stmt
            names = strings(made.into.col_names) or _outputs(drawn, made.query)
            _view(drawn, made.into.rel, RelationKind.MATVIEW, names, made.query)
        case "create_function_stmt":
            drawn.functions.append(strings(node.create_function_stmt.funcname)[-1])
        case "create_schema_stmt":
            pass
        case other:
            raise UsageError(
                f"a sketch of tables holds no {other.removesuffix('_stmt').replace('_', ' ')}",
                hint="CREATE TABLE, VIEW, MATERIALIZED VIEW, FUNCTION and SCHEMA",
            )


def _columns(table: str, elements: Node) -> Iterator[Column]:
    definitions = [e.column_def for e in elements if kind(e) == "column_def"]
    for number, column in enumerate(definitions, start=1):
        name = strings(column.type_name.names)[-1]
        written = _TYPES.get(name, name) + ("[]" if column.type_name.array_bounds else "")
        classes = classify_column(table, column.colname, written)
        yield Column(number, column.colname, TEXT_OID, classes)


def _view(
    drawn: _Drawing, name: Node, what: RelationKind, columns: tuple[str, ...], query: Node
) -> None:
    made = tuple(Column(i, column, TEXT_OID) for i, column in enumerate(columns, start=1))
    drawn.add(name, what, made, unparse(query))


def _outputs(drawn: _Drawing, query: Node) -> tuple[str, ...]:
    """The names of a view's columns. Raises UsageError when they are not plain to see."""
    names: list[str] = []
    for target in query.select_stmt.target_list:
        value = target.res_target.val
        fields = strings(value.column_ref.fields) if kind(value) == "column_ref" else ("",)
        if target.res_target.name:
            names.append(target.res_target.name)
        elif fields[-1] == "*":
            names += _all_of(drawn, query.select_stmt.from_clause)
        else:
            names.append(fields[-1] or "?column?")
    return tuple(names)


def _all_of(drawn: _Drawing, sources: Node) -> Iterator[str]:
    for source in sources:
        named = source.range_var
        schema = named.schemaname or _SCHEMA
        found = [r for r in drawn.relations if (r.schema, r.name) == (schema, named.relname)]
        if kind(source) != "range_var" or len(sources) > 1 or not found:
            raise UsageError("a view's * is not plain to see", hint="name the view's columns")
        yield from (column.name for column in found[-1].columns)
