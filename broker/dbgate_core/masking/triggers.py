"""The classes of columns that triggers and rules fill: no statement shows what these write there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from dbgate_core.behaviour import Hook
from dbgate_core.catalog import Catalog, CatalogRelation, Column
from dbgate_core.errors import DbgateError
from dbgate_core.masking.body_writes import by_definition
from dbgate_core.masking.filled import Classes, Filled, Fills
from dbgate_core.masking.lineage import ANY_COLUMN
from dbgate_core.masking.routines import may_read_protected
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.effects import Action

MAX_ROUNDS: Final = 3
"""What is filled fills others in turn; columns that still change then carry everything."""
_CHANGES: Final = frozenset({Action.INSERT, Action.UPDATE, Action.DELETE, Action.TRUNCATE})
_OF_EXTENSIONS: Final = frozenset({"moddatetime", "autoinc", "insert_username", "lo_manage"})
"""In C, and known (PostgreSQL documentation, "spi", "lo"): times, numbers, the user's name, nothing."""
_TSVECTOR: Final = 3614


def with_filled_classes(catalog: Catalog) -> Catalog:
    """The catalog with what triggers and rules write in the classes of its columns.

    A column of lexemes has the classes of its table, for the system's own triggers fill it from other columns.
    """
    catalog = _with(catalog, _lexemes(catalog.relations))
    hooked = [
        (relation.oid, hook)
        for relation in catalog.relations
        for hook in catalog.behaviour.hooks.get(relation.oid, ())
        if hook.events & _CHANGES and _writes_more(hook, catalog)
    ]
    for round_ in range(MAX_ROUNDS + 1 if hooked and catalog.classes else 0):
        fills: Fills = {}
        for oid, hook in hooked:
            _join(fills, _filled(oid, hook, catalog))
        if round_ == MAX_ROUNDS:
            fills = dict.fromkeys(fills, catalog.classes)
        found = _with(catalog, _spread(fills, catalog))
        if found is catalog:
            break
        catalog = found
    return catalog


def _lexemes(relations: Iterable[CatalogRelation]) -> Fills:
    return {
        (relation.oid, column.name): relation.classes
        for relation in relations
        for column in relation.columns
        if column.type_oid == _TSVECTOR and relation.classes and relation.schema != "pg_catalog"
    }


def _writes_more(hook: Hook, catalog: Catalog) -> bool:
    """Is it more than an expression."""
    routine = catalog.behaviour.routines.get(hook.routine)
    if routine is not None and routine.language == "c" and routine.name in _OF_EXTENSIONS:
        return False
    return bool(hook.routine) or hook.text.startswith("CREATE RULE")


def _filled(oid: int, hook: Hook, catalog: Catalog) -> Fills:
    relation = catalog.by_oid(oid)
    if relation is None:
        return {}
    filled = Filled(Scope(catalog, (relation.schema, "public")), relation)
    routine = catalog.behaviour.routines.get(hook.routine)
    text = routine.definition if routine else hook.text
    if not relation.classes and routine and not may_read_protected(routine, catalog):
        return {}
    try:
        by_definition(text, filled)
    except (DbgateError, RecursionError, LookupError):
        filled.unread()
    return filled.fills


def _join(fills: Fills, more: Fills) -> None:
    for place, classes in more.items():
        fills[place] = fills.get(place, frozenset()) | classes


def _spread(fills: Fills, catalog: Catalog) -> Fills:
    """The same of the tables above and below: what is read of one may be rows of the other."""
    spread = dict(fills)
    for above, children in catalog.behaviour.descendants.items():
        family = {above, *children}
        for (oid, column), classes in fills.items():
            if oid in family:
                _join(spread, {(member, column): classes for member in family})
    return spread


def _with(catalog: Catalog, fills: Fills) -> Catalog:
    """The catalog with what is filled; itself where that says nothing new."""
    changed: dict[int, CatalogRelation] = {}
    for oid in {oid for oid, _ in fills}:
        relation = catalog.by_oid(oid)
        if relation is None:
            continue
        columns = tuple(_column(column, oid, fills) for column in relation.columns)
        if columns != relation.columns:
            changed[oid] = replace(relation, columns=columns)
    if not changed:
        return catalog
    return catalog.with_relations(changed.get(r.oid, r) for r in catalog.relations)


def _column(column: Column, oid: int, fills: Fills) -> Column:
    nothing: Classes = frozenset()
    found = fills.get((oid, ANY_COLUMN), nothing) | fills.get((oid, column.name), nothing)
    if found <= column.classes or column.reviewed:
        return column
    classes, filled = column.classes | found, column.filled | (found - column.classes)
    return replace(column, classes=classes, filled=filled, derived=True, document=None)
