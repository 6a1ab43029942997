"""What stands under a view: the relations that its definition reads, and the functions it calls."""

from __future__ import annotations

from collections.abc import Set
from functools import lru_cache
from typing import Final

from dbgate_core.errors import DbgateError
from dbgate_core.sql.effects import Action, Effect, Relation
from dbgate_core.sql.parser import parse
from dbgate_core.sql.queries import HANDLERS
from dbgate_core.sql.reach import touched
from dbgate_core.sql.tree import kind, strings
from dbgate_core.sql.walk import Walk

_MAX_VIEWS: Final = 64
"""Views under one view that are followed; one with more is not understood."""


@lru_cache(maxsize=2048)
def _body(definition: str) -> tuple[frozenset[Relation], tuple[Effect, ...]] | None:
    """The relations and the calls in a view's definition; None when it cannot be read."""
    walk = Walk(HANDLERS, None, ())
    try:
        for raw in parse(definition).stmts:
            walk.run(raw.stmt)
    except DbgateError:
        return None
    kept = tuple(effect for effect in walk.effects if effect.action is not Action.SELECT)
    return frozenset(walk.reads), kept


def under_view(walk: Walk, relation: Relation, into: set[Relation]) -> None:
    """Add what the view reads, at any depth, to `into`; what it calls is an effect."""
    pending, seen = [relation], {relation}
    while pending:
        found = walk.find(pending.pop())
        if found is None or not found.definition:
            continue
        body = _body(found.definition)
        if body is None or len(seen) > _MAX_VIEWS:
            walk.not_understood("view")
            continue
        relations, effects = body
        for effect in effects:
            _again(walk, effect)
        for below in {walk.named(name.schema, name.name) for name in relations} - seen:
            seen.add(below)
            into.add(below)
            touched(walk, below, Action.SELECT)
            pending.append(below)


def _again(walk: Walk, effect: Effect) -> None:
    """What the definition calls, looked up in the catalog; a name with dots in it is not found."""
    if effect.action is not Action.CALL or effect.danger:
        walk.add(effect)
        return
    path = tuple(effect.object.split("."))
    if path[-1].isidentifier():
        walk.call(path)
    else:
        walk.operator(path)


def updated(
    walk: Walk, relation: Relation, columns: Set[str]
) -> tuple[Relation, frozenset[str]] | None:
    """The relation that rows of the view belong to, and the columns of it that are meant.

    None for a view that PostgreSQL does not write through: over several relations, or over a query
    (documentation of CREATE VIEW, "Updatable Views").
    """
    found = walk.find(relation)
    if found is None or not found.definition:
        return None
    try:
        select = parse(found.definition).stmts[0].stmt.select_stmt
    except DbgateError:
        return None
    if len(select.from_clause) != 1 or kind(select.from_clause[0]) != "range_var":
        return None
    names = {
        item.res_target.name or strings(item.res_target.val.column_ref.fields)[-1]: strings(
            item.res_target.val.column_ref.fields
        )[-1]
        for item in select.target_list
        if kind(item.res_target.val) == "column_ref"
    }
    meant = frozenset(names.get(column, column) for column in columns)
    return walk.relation(select.from_clause[0].range_var), meant
