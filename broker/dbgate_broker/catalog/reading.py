"""From the rows of pg_catalog to a Catalog: kinds, base types, classes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

from dbgate_broker.catalog.behaviour import BehaviourRows, behaviour
from dbgate_broker.catalog.shapes import ShapeRow, shapes
from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.classify.inheriting import inherited
from dbgate_core.classify.known import NOTHING, Known
from dbgate_core.masking.classes import DataClass, classify_column
from dbgate_core.masking.functions import SENSITIVE_SYSTEM_COLUMNS
from dbgate_core.masking.generated import with_generated_classes
from dbgate_core.masking.triggers import with_filled_classes
from dbgate_core.masking.types import ELEMENTS, TEXT_OID
from dbgate_core.masking.views import with_view_classes

RelationRow = tuple[int, str, str, str, str]
ColumnRow = tuple[int, int, str, int, str, str, str, bool]
FunctionRow = tuple[str]
TypeRow = tuple[int, int, int, str]

_KINDS: Final = {
    "r": RelationKind.TABLE,
    "p": RelationKind.PARTITIONED,
    "v": RelationKind.VIEW,
    "m": RelationKind.MATVIEW,
    "f": RelationKind.FOREIGN,
    "S": RelationKind.SEQUENCE,
}
_ARRAYS: Final = {element: array for array, element in ELEMENTS.items()}
_MAX_DOMAIN_HOPS: Final = 32
_MAX_ROUNDS: Final = 6
"""Triggers that read views of tables that triggers fill, so deep."""
HASHED_ROWS: Final = 200
"""At once: the interpreter's lock is not given up within a repr(), and the broker's loop waits for it."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the queries gave, in the order of `queries` and `behaviour_queries`."""

    relations: Sequence[RelationRow]
    columns: Sequence[ColumnRow]
    functions: Sequence[FunctionRow]
    types: Sequence[TypeRow]
    shapes: Sequence[ShapeRow] = ()
    behaviour: BehaviourRows = field(default_factory=BehaviourRows)
    partial: bool = False


def build(rows: Rows, known: Known = NOTHING) -> Catalog:
    """The catalog: the classes of tables' columns by name and what is known, of views' by lineage."""
    named = {oid: (schema, name) for oid, schema, name, _, _ in rows.relations}
    columns: dict[int, list[Column]] = {}
    for row in rows.columns:
        if row[0] in named:
            columns.setdefault(row[0], []).append(_column(*named[row[0]], row))
    relations = [
        CatalogRelation(
            oid,
            schema,
            name,
            _KINDS.get(kind, RelationKind.OTHER),
            tuple(columns.get(oid, ())),
            sql,
        )
        for oid, schema, name, kind, sql in rows.relations
    ]
    below = base_types(rows.types)
    made_of = {oid: [column.type_oid for column in found] for oid, found in columns.items()}
    functions = [name for (name,) in rows.functions]
    behaves = behaviour(rows.behaviour)
    relations = [known.applied(relation) for relation in relations]
    catalog = Catalog(
        inherited(relations, behaves.descendants),
        _version(rows, known),
        functions,
        below,
        behaves,
        shapes(rows.shapes, made_of, rows.types, below),
        partial=rows.partial,
    )
    return _followed(catalog)


def _followed(catalog: Catalog) -> Catalog:
    """With what views, generated columns and triggers make of classes; each may read what another fills."""
    catalog = with_view_classes(with_generated_classes(catalog))
    for _ in range(_MAX_ROUNDS):
        filled = with_filled_classes(catalog)
        if filled is catalog:
            return catalog
        before, catalog = catalog, with_view_classes(with_generated_classes(filled))
        if _views(catalog) == _views(before):  # no trigger reads anything else than before
            return catalog
    return catalog


def _views(catalog: Catalog) -> list[frozenset[DataClass]]:
    return [relation.classes for relation in catalog.relations if relation.definition]


def _column(schema: str, table: str, row: ColumnRow) -> Column:
    _, attnum, name, type_oid, type_name, comment, generated, not_null = row
    if schema == "pg_catalog":
        secret = name in SENSITIVE_SYSTEM_COLUMNS
        classes = frozenset({DataClass.SECRET}) if secret else frozenset[DataClass]()
    else:
        classes = classify_column(table, name, type_name, comment)
    return Column(attnum, name, type_oid, classes, comment, generated=generated, not_null=not_null)


def base_types(rows: Iterable[TypeRow]) -> dict[int, int]:
    """Domains and arrays of domains to what they are made of; citext is text on the wire."""
    listed = list(rows)
    below = {oid: TEXT_OID if name == "citext" else base for oid, _, base, name in listed}
    resolved: dict[int, int] = {}
    for oid, array, _, _ in listed:
        base = oid
        for _ in range(_MAX_DOMAIN_HOPS):
            if base not in below:
                break
            base = below[base]
        resolved[oid] = base
        if array and base in _ARRAYS:
            resolved[array] = _ARRAYS[base]
    return resolved


def _version(rows: Rows, known: Known) -> str:
    digest = hashlib.sha256(known.version.encode())
    behaves = rows.behaviour
    for part in (rows.relations, rows.columns, rows.functions, rows.types, rows.shapes,
                 *(getattr(behaves, one.name) for one in fields(behaves))):  # fmt: skip
        digest.update(b"%d" % len(part))
        for start in range(0, len(part), HASHED_ROWS):
            digest.update(repr(part[start : start + HASHED_ROWS]).encode())
    return digest.hexdigest()[:16]
