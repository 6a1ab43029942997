"""From the rows of `behaviour_queries` to a Behaviour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from dbgate_broker.catalog.behaviour_queries import MAX_HOOKS, MAX_ROUTINES
from dbgate_core.behaviour import DDL, Behaviour, Hook, Reference, Routine
from dbgate_core.sql.effects import Action

RoutineRow = tuple[int, str, str, str, str, bool, bool, str]
TriggerRow = tuple[int, int, int, str]
TextRow = tuple[int, str, str]
ReferenceRow = tuple[int, int, str, str, list[str], list[str]]
TypeRow = tuple[int, str, int, str]

_VOLATILITY: Final = {"i": "immutable", "s": "stable", "v": "volatile"}
_TRIGGER_BITS: Final = {
    4: Action.INSERT, 8: Action.DELETE, 16: Action.UPDATE, 32: Action.TRUNCATE,
}  # fmt: skip
"""PostgreSQL source, catalog/pg_trigger.h: TRIGGER_TYPE_INSERT ..."""
_EVENT_TRIGGER: Final = 65_536
"""The bit that the query gives event triggers."""
_RULE_EVENTS: Final = {
    "1": Action.SELECT,
    "2": Action.UPDATE,
    "3": Action.INSERT,
    "4": Action.DELETE,
}
_LETTERS: Final = {
    "a": Action.INSERT, "w": Action.UPDATE, "d": Action.DELETE, "r": Action.SELECT,
    "u": Action.UTILITY,
}  # fmt: skip
_EVERY: Final = frozenset(_LETTERS.values())
_REFERENTIAL: Final = {"c": Action.DELETE, "n": Action.UPDATE, "d": Action.UPDATE}

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class BehaviourRows:
    """What the queries gave, in their order."""

    routines: Sequence[RoutineRow] = ()
    triggers: Sequence[TriggerRow] = ()
    rules: Sequence[TextRow] = ()
    expressions: Sequence[TextRow] = ()
    references: Sequence[ReferenceRow] = ()
    inherits: Sequence[tuple[int, int]] = ()
    operators: Sequence[tuple[str, int]] = ()
    casts: Sequence[TypeRow] = ()

    @property
    def too_many(self) -> bool:
        """Whether a query gave more than it may: the rest of its rows is not here."""
        hooks = (self.triggers, self.rules, self.expressions, self.references, self.inherits,
                 self.operators, self.casts)  # fmt: skip
        return len(self.routines) > MAX_ROUTINES or any(len(rows) > MAX_HOOKS for rows in hooks)


def behaviour(rows: BehaviourRows) -> Behaviour:
    """What the database does by itself."""
    hooks: list[tuple[int, Hook]] = [
        *_triggers(rows.triggers),
        *_rules(rows.rules),
        *_expressions(rows.expressions),
    ]
    types = [
        (oid, name, Hook(frozenset(), routine, f"SELECT ({text})" if text else ""))
        for oid, name, routine, text in rows.casts
    ]
    return Behaviour(
        {row[0]: _routine(row) for row in rows.routines},
        _grouped(hooks),
        _grouped([(row[0], _reference(row)) for row in rows.references]),
        _descendants(_grouped(rows.inherits)),
        _grouped(rows.operators),
        _grouped([(name, hook) for _, name, hook in types]),
        _grouped([(oid, hook) for oid, _, hook in types]),
    )


def _routine(row: RoutineRow) -> Routine:
    oid, schema, name, language, volatility, definer, procedure, definition = row
    spelled = _VOLATILITY.get(volatility, "volatile")
    return Routine(oid, schema, name, language, spelled, definer, procedure, definition)


def _triggers(rows: Iterable[TriggerRow]) -> Iterable[tuple[int, Hook]]:
    for relation, bits, routine, definition in rows:
        if bits == _EVENT_TRIGGER:
            yield relation, Hook(DDL, routine, definition)
            continue
        events = frozenset(event for bit, event in _TRIGGER_BITS.items() if bits & bit)
        yield relation, Hook(events, routine, definition)


def _rules(rows: Iterable[TextRow]) -> Iterable[tuple[int, Hook]]:
    for relation, event, definition in rows:
        yield relation, Hook(frozenset({_RULE_EVENTS[event]}), text=definition)


def _expressions(rows: Iterable[TextRow]) -> Iterable[tuple[int, Hook]]:
    for relation, letters, text in rows:
        known = frozenset(_LETTERS[letter] for letter in letters if letter in _LETTERS)
        whole = text if text.startswith("CREATE STATISTICS ") else f"SELECT ({text})"
        yield relation, Hook(known or _EVERY, text=whole)


def _reference(row: ReferenceRow) -> Reference:
    _, pointing, deleted, updated, keys, columns = row
    on_update = Action.UPDATE if updated in _REFERENTIAL else None
    return Reference(
        pointing, _REFERENTIAL.get(deleted), on_update, frozenset(keys), frozenset(columns)
    )


_Key = TypeVar("_Key", int, str)


def _grouped(pairs: Iterable[tuple[_Key, _Row]]) -> dict[_Key, tuple[_Row, ...]]:
    """The distinct values of each key, in order."""
    found: dict[_Key, dict[_Row, None]] = {}
    for key, value in pairs:
        found.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in found.items()}


def _descendants(children: dict[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """All that is below a relation, not only its children. A relation may stand below several."""
    found: dict[int, tuple[int, ...]] = {}
    for parent in children:
        below: dict[int, None] = {}
        pending = list(children[parent])
        while pending:
            child = pending.pop()
            if child not in below:
                below[child] = None
                pending += children.get(child, ())
        found[parent] = tuple(sorted(below))
    return found
