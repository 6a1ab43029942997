"""What stands under a view: the relations that its definition reads, and the functions it calls."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from dbgate_core.errors import DbgateError
from dbgate_core.sql.effects import Action, Effect, Relation
from dbgate_core.sql.parser import parse
from dbgate_core.sql.queries import HANDLERS
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
            walk.add(effect)
        for below in {walk.named(name.schema, name.name) for name in relations} - seen:
            seen.add(below)
            into.add(below)
            pending.append(below)
