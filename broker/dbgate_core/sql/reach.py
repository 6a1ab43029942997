"""What a statement sets off on a relation that it touches: hooks, descendants, foreign keys."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING, Final

from dbgate_core.catalog import CatalogRelation, RelationKind
from dbgate_core.sql.effects import Action, Danger, Effect, Predicate, Relation

if TYPE_CHECKING:
    from dbgate_core.sql.walk import Walk

CASCADE: Final = "cascade"
_FOREIGN: Final = "foreign table"
_KEEPS_CHILDREN: Final = frozenset({Action.INSERT})
"""What comes to a table's partitions, but to no other table that inherits from it."""


def touched(
    walk: Walk,
    relation: Relation,
    action: Action,
    predicate: Predicate = Predicate.NONE,
    columns: Set[str] = frozenset(),
) -> None:
    """Follow the action on the relation and on all below it (ONLY is not believed).

    Hooks are gathered in the walk and read at its end; cascades are writes of their own.
    """
    found = walk.find(relation)
    if found is None or walk.catalog is None or (found.oid, action, predicate) in walk.touched:
        return
    walk.touched.add((found.oid, action, predicate))
    _set_off(walk, found, action)
    _cascade(walk, found, action, predicate, columns)
    if action in _KEEPS_CHILDREN and found.kind is not RelationKind.PARTITIONED:
        return
    into = walk.reads if action is Action.SELECT else walk.writes
    for oid in walk.catalog.behaviour.descendants.get(found.oid, ()):
        below = walk.catalog.by_oid(oid)
        if below is not None:
            into.add(Relation(below.schema, below.name))
            _set_off(walk, below, action)
            _cascade(walk, below, action, predicate, columns)


def _set_off(walk: Walk, found: CatalogRelation, action: Action) -> None:
    assert walk.catalog is not None  # noqa: S101 - its relation was found
    behaviour = walk.catalog.behaviour
    if found.kind is RelationKind.FOREIGN:
        name = str(Relation(found.schema, found.name))
        walk.add(Effect(action, name, _FOREIGN, danger=Danger.NETWORK, detail="another server"))
    for hook in behaviour.hooks.get(found.oid, ()):
        if action in hook.events:
            walk.hooks.add(hook)
    if action in (Action.INSERT, Action.UPDATE) and behaviour.domains:
        for column in found.columns:
            walk.hooks.update(behaviour.domains.get(column.type_oid, ()))


def _cascade(
    walk: Walk, found: CatalogRelation, action: Action, predicate: Predicate, columns: Set[str]
) -> None:
    """Foreign keys: rows that point to deleted or changed ones go, or change, with them."""
    assert walk.catalog is not None  # noqa: S101 - its relation was found
    for reference in walk.catalog.behaviour.references.get(found.oid, ()):
        pointing = walk.catalog.by_oid(reference.relation)
        moved = not columns or bool(columns & reference.keys)
        done = reference.on_delete if action is Action.DELETE else None
        if action is Action.UPDATE and moved:
            done = reference.on_update
        if pointing is None or done is None:
            continue
        written = reference.columns if done is Action.UPDATE else frozenset[str]()
        walk.write(done, Relation(pointing.schema, pointing.name), predicate, written, CASCADE)


def kept_up(walk: Walk, relation: Relation | None) -> None:
    """ANALYZE, REINDEX, CLUSTER, VACUUM compute the expressions of indexes and statistics.

    Those of every relation for none, and for a name that is not a relation's, as that of an index.
    """
    if walk.catalog is None:
        return
    behaviour = walk.catalog.behaviour
    found = walk.find(relation) if relation is not None else None
    places: Iterable[int] = behaviour.hooks
    if found is not None:
        places = (found.oid, *behaviour.descendants.get(found.oid, ()))
    for place in places:
        kept = (h for h in behaviour.hooks.get(place, ()) if Action.UTILITY in h.events)
        walk.hooks.update(kept)


def truncated(walk: Walk, relation: Relation, *, cascade: bool) -> None:
    """TRUNCATE: its triggers; with CASCADE, every table that points to it is emptied, too."""
    touched(walk, relation, Action.TRUNCATE)
    found = walk.find(relation)
    if not cascade or found is None or walk.catalog is None:
        return
    for reference in walk.catalog.behaviour.references.get(found.oid, ()):
        pointing = walk.catalog.by_oid(reference.relation)
        if pointing is None or (name := Relation(pointing.schema, pointing.name)) in walk.writes:
            continue
        walk.writes.add(name)
        kind = walk.kind_of(name)
        walk.add(Effect(Action.TRUNCATE, str(name), kind, detail=CASCADE, destructive=True))
        truncated(walk, name, cascade=True)
