"""What a database does by itself: functions' bodies, and what sets them off without being named.

Part of the catalog's picture. A statement on a table may fire triggers, rules, row security, defaults
and constraints, cascade over foreign keys and reach partitions; `dbgate_core.sql.following` reads them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dbgate_core.sql.effects import Action, Effect, Relation

if TYPE_CHECKING:
    from dbgate_core.sql.searches import Search

MAX_PIECES: Final = 4_096
"""Readings of bodies kept with a picture; beyond, all are forgotten and read again."""


@dataclass(frozen=True, slots=True)
class Routine:
    """A function or procedure outside pg_catalog.

    `definition` is its CREATE statement; empty when its language is not followed, or it is too long.
    """

    oid: int
    schema: str
    name: str
    language: str
    volatility: str
    security_definer: bool = False
    procedure: bool = False
    definition: str = ""

    @property
    def words(self) -> str:
        """Language, volatility and whose rights it runs with, for an effect's detail."""
        definer = " security definer" if self.security_definer else ""
        return f"{self.language} {self.volatility}{definer}"


@dataclass(frozen=True, slots=True)
class Hook:
    """What runs when one of `events` comes to its relation (a COPY FROM is an insert).

    A routine, by its OID, or a text: `SELECT` of an expression, a CREATE RULE, a CREATE STATISTICS.
    UTILITY stands for upkeep: ANALYZE, REINDEX and the like compute the expressions of what is kept up.
    """

    events: frozenset[Action]
    routine: int = 0
    text: str = ""


DDL: Final = frozenset({Action.CREATE, Action.ALTER, Action.DROP, Action.GRANT})
DATABASE: Final = 0
"""In the place of a relation's OID: what DDL sets off, whatever it is about (event triggers)."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key, seen from the table that it points to.

    `on_delete` and `on_update` are what comes to the rows of `relation` (an OID) that point there:
    DELETE, UPDATE or nothing. `keys` are the columns pointed to, `columns` those that point.
    """

    relation: int
    on_delete: Action | None
    on_update: Action | None
    keys: frozenset[str]
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Piece:
    """What one body or hook does when it runs, without what it sets off in turn.

    `whole` is false when some of it was not understood. `portals`: it opens, closes or reads some. `searches` are the
    protected columns that it picks rows by.
    """

    effects: tuple[Effect, ...] = ()
    reads: frozenset[Relation] = frozenset()
    writes: frozenset[Relation] = frozenset()
    functions: frozenset[str] = frozenset()
    routines: frozenset[int] = frozenset()
    hooks: frozenset[Hook] = frozenset()
    whole: bool = True
    changes_schema: bool = False
    sets_search_path: bool = False
    portals: bool = False
    searches: frozenset[Search] = frozenset()


@dataclass(slots=True)
class Behaviour:
    """Routines by OID; hooks, references and descendants by a relation's OID; the rest by name.

    `operators` and `types` give the routines behind a user's operator, and behind a type's casts;
    `domains` the checks behind a type's OID.
    """

    routines: Mapping[int, Routine] = field(default_factory=dict)
    hooks: Mapping[int, tuple[Hook, ...]] = field(default_factory=dict)
    references: Mapping[int, tuple[Reference, ...]] = field(default_factory=dict)
    descendants: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    operators: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    types: Mapping[str, tuple[Hook, ...]] = field(default_factory=dict)
    domains: Mapping[int, tuple[Hook, ...]] = field(default_factory=dict)
    _named: dict[str, tuple[Routine, ...]] = field(init=False, repr=False)
    _pieces: dict[Hashable, Piece] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the routines by name."""
        named: dict[str, list[Routine]] = {}
        for routine in self.routines.values():
            named.setdefault(routine.name, []).append(routine)
        self._named = {name: tuple(found) for name, found in named.items()}
        self._pieces = {}

    def named(self, path: tuple[str, ...]) -> Iterable[Routine]:
        """The routines that the name may mean: all overloads, and without a schema in all schemas.

        So neither types of arguments nor a search_path can make the answer too short.
        """
        found = self._named.get(path[-1], ())
        if len(path) == 1:
            return found
        return [routine for routine in found if routine.schema == path[-2]]

    def remembered(self, key: Hashable) -> Piece | None:
        """A piece read before, for a pure function of this picture and the key."""
        return self._pieces.get(key)

    def remember(self, key: Hashable, piece: Piece) -> Piece:
        """Keep the piece."""
        if len(self._pieces) >= MAX_PIECES:
            self._pieces.clear()
        self._pieces[key] = piece
        return piece
