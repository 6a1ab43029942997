"""What runs behind a statement: the bodies of the routines it calls and of all that it sets off.

A body is read once for a picture of the database and a search_path, without what it sets off in turn;
then all that is reached is put together, so bodies that call each other end. What is read stands in the
statement's effects. What is not is a `call`, whose detail says so: it is never nothing.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.behaviour import DATABASE, DDL, Behaviour, Hook, Piece, Routine
from dbgate_core.errors import DbgateError
from dbgate_core.sql.bodies import Body, body_of
from dbgate_core.sql.effects import Action, Effect
from dbgate_core.sql.parser import parse
from dbgate_core.sql.searches import searches
from dbgate_core.sql.tree import Node, kind
from dbgate_core.sql.walk import Walk

MAX_FOLLOWED: Final = 256
"""Bodies behind one statement; of one that reaches more, the rest is not understood."""
FOLLOWED: Final = "followed"
"""How the detail of a call begins whose body was read: its effects are judged as the statement's own."""
_NOTHING: Final = Effect(Action.SELECT)
_ROWS: Final = frozenset({"new", "old"})


def follow(walk: Walk) -> None:
    """Add to the walk what its routines and hooks do, at any depth."""
    if walk.catalog is None:
        return
    behaviour = walk.catalog.behaviour
    walk.hooks |= _event_triggers(walk, behaviour)
    if not (walk.routines or walk.hooks):
        return
    named = frozenset(walk.routines)
    pending: list[int | Hook] = [*walk.routines, *walk.hooks]
    seen: set[int | Hook] = set()
    while pending:
        item = pending.pop()
        if item in seen:
            continue
        seen.add(item)
        if len(seen) > MAX_FOLLOWED:
            walk.not_understood("too many functions")
            return
        piece = piece_of(walk, behaviour, item)
        _merge(walk, piece)
        pending += piece.routines
        pending += piece.hooks
        pending += _event_triggers(walk, behaviour)
        if not isinstance(item, Hook):
            whole = piece.whole and walk.settled
            _called(walk, behaviour.routines.get(item), whole, item in named)
            continue
        if not piece.whole:
            walk.not_understood("rule")
        if item.routine:
            pending.append(item.routine)


def _event_triggers(walk: Walk, behaviour: Behaviour) -> set[Hook]:
    """What DDL sets off: any of it, for a filter by tags is not read."""
    hooks = behaviour.hooks.get(DATABASE)
    if not hooks or not (
        walk.changes_schema or any(effect.action in DDL for effect in walk.effects)
    ):
        return set()
    return set(hooks)


def _called(walk: Walk, routine: Routine | None, whole: bool, named: bool) -> None:
    """The effect of a call that the statement names, and of every call that is not followed."""
    if routine is None:
        walk.add(Effect(Action.CALL, "", "function", detail="not followed"))
        return
    name = f"{routine.schema}.{routine.name}"
    walk.functions.add(name)
    if whole and not named:
        return
    what = "procedure" if routine.procedure else "function"
    said = FOLLOWED if whole else f"not {FOLLOWED}"
    walk.add(Effect(Action.CALL, name, what, detail=f"{said}: {routine.words}"))


def _merge(walk: Walk, piece: Piece) -> None:
    for effect in piece.effects:
        walk.add(effect)
    walk.reads |= piece.reads
    walk.writes |= piece.writes
    walk.behind |= piece.writes
    walk.functions |= piece.functions
    walk.changes_schema |= piece.changes_schema
    walk.sets_search_path |= piece.sets_search_path
    walk.portals |= piece.portals
    walk.searches |= piece.searches


def piece_of(walk: Walk, behaviour: Behaviour, item: int | Hook) -> Piece:
    """What a body or hook does, read once for a picture and a search_path."""
    key = (item, walk.search_path)
    if (found := behaviour.remembered(key)) is not None:
        return found
    if isinstance(item, Hook):
        body = _hooked(item.text)
    else:
        routine = behaviour.routines.get(item)
        body = body_of(routine.definition) if routine and routine.definition else Body()
    return behaviour.remember(key, read(walk, body))


def read(outer: Walk, body: Body) -> Piece:
    """What the body does, in the place of the outer walk."""
    path = outer.search_path if body.path is None else body.path
    walk = Walk(outer.handlers, outer.catalog, path, variables=body.variables)
    try:
        for node in body.nodes:
            if kind(node):  # a rule without a condition
                walk.run(node)
    except RecursionError:
        walk.incomplete = True
    # What PREPAREs, makes tables or sets a path changes what later text means: for those who follow
    # names (`meaning`), it is code. A path that the function sets for itself ends with it.
    sets_path = walk.sets_search_path and body.path is None
    moves = walk.moves_names or sets_path or bool(walk.defines) or walk.changes_schema
    return Piece(
        tuple(effect for effect in walk.effects if effect != _NOTHING),
        frozenset(walk.reads),
        frozenset(walk.writes),
        frozenset(walk.functions),
        frozenset(walk.routines),
        frozenset(walk.hooks),
        body.whole and not walk.incomplete and not moves,
        walk.changes_schema,
        sets_path,
        body.portals,
        searches(body.nodes, walk.catalog, walk.reads, path, body.variables),
    )


def inlined(walk: Walk, body: Body) -> None:
    """Add what the body does to the walk, to be followed with it."""
    piece = read(walk, body)
    _merge(walk, piece)
    walk.routines |= piece.routines
    walk.hooks |= piece.hooks


def _hooked(text: str) -> Body:
    """An expression as a SELECT of it; a rule's actions and condition; a trigger's WHEN; statistics."""
    if not text:
        return Body(whole=True)
    try:
        node = parse(text).stmts[0].stmt
    except (DbgateError, IndexError):
        return Body()
    nodes: list[Node] = [node]
    if kind(node) == "create_trig_stmt":
        nodes = [node.create_trig_stmt.when_clause]
    elif kind(node) == "create_stats_stmt":
        nodes = list(node.create_stats_stmt.exprs)
    elif kind(node) == "rule_stmt":
        nodes = [*node.rule_stmt.actions, node.rule_stmt.where_clause]
    return Body(tuple(nodes), _ROWS, whole=True)
