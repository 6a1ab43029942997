"""How many statements of a text change rows, and whether PostgreSQL says of all of them how many.

A limit of rows changed rests on CommandComplete, which counts what the outer statement inserts, updates,
deletes, merges or copies in. It does not count what WITH queries and the routines that a statement
names change: under a limit such text is refused. Rows that triggers and foreign keys change in turn
are not counted, and no reason to refuse: they follow from the rows that are.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.behaviour import Behaviour, Hook, Piece
from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.following import MAX_FOLLOWED, piece_of
from dbgate_core.sql.tree import Node, kind
from dbgate_core.sql.walk import Walk

_COUNTED: Final = frozenset({"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})
_DEFINITIONS: Final = frozenset({"create_function_stmt", "create_trig_stmt", "rule_stmt"})
"""What stands in them does not run with them."""
_MAY_CHANGE: Final = frozenset({Danger.NONE, Danger.CODE, Danger.NETWORK})
"""Dangers of calls that may change rows of tables; the others do what they are named for."""
_FOREIGN: Final = frozenset({"c", "internal"})


def uncounted(walk: Walk, node: Node) -> str:
    """What of the statement changes rows that nobody counts, or may; empty for nothing."""
    name = kind(node)
    if name in _DEFINITIONS:
        return ""
    if walk.incomplete:
        return "what dbgate does not understand"
    if walk.changes > _outer_changes(name, node):
        return "rows changed inside of another statement"
    if _unknown_call(walk.effects) or (name == "do_stmt" and walk.behind):
        return "rows changed by code"
    if (walk.routines or walk.hooks) and _behind(walk):
        return "rows changed by code"
    return ""


def _outer_changes(name: str, node: Node) -> int:
    return int(name in _COUNTED or (name == "copy_stmt" and node.copy_stmt.is_from))


def _unknown_call(effects: dict[Effect, None] | tuple[Effect, ...]) -> bool:
    """A call of what the catalog does not have, or that is on no list: it may do anything."""
    return any(
        effect.action is Action.CALL and effect.danger in _MAY_CHANGE and not _read(effect)
        for effect in effects
    )


def _read(effect: Effect) -> bool:
    """Whether the catalog has the routine: then its body is looked at."""
    return effect.danger is Danger.NONE and "followed" in effect.detail


def _behind(walk: Walk) -> bool:
    """Whether a routine or a rule behind the statement changes rows, or may; triggers apart."""
    behaviour = walk.catalog.behaviour if walk.catalog else Behaviour()
    pending: list[int | Hook] = [*walk.routines, *walk.hooks]
    seen: set[int | Hook] = set()
    while pending:
        item = pending.pop()
        if item in seen or _is_trigger(item):
            continue
        seen.add(item)
        piece = piece_of(walk, behaviour, item)
        if len(seen) > MAX_FOLLOWED or piece.writes or _unknown_call(piece.effects):
            return True
        if _is_closed(behaviour, item, piece, walk.settled):
            return True
        pending += [*piece.routines, *piece.hooks]
        if isinstance(item, Hook) and item.routine:
            pending.append(item.routine)
    return False


def _is_trigger(item: int | Hook) -> bool:
    return isinstance(item, Hook) and bool(item.routine and item.events)


def _is_closed(behaviour: Behaviour, item: int | Hook, piece: Piece, settled: bool) -> bool:
    """Whether the body is not read. One in C that is not volatile computes: nothing else holds it to it."""
    if isinstance(item, Hook):
        return not piece.whole
    routine = behaviour.routines.get(item)
    if routine is None or not settled:
        return True
    if routine.language in _FOREIGN:
        return routine.volatility == "volatile"
    return not piece.whole
