"""What is known of a statement's text once it was read: its effects, and what it touches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dbgate_core.sql.effects import Action, Effect, Relation
from dbgate_core.sql.kinds import kind_of
from dbgate_core.sql.searches import Search

_EXECUTING: Final = frozenset({"execute"})
_FETCHING: Final = frozenset({"fetch", "move"})


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysis of one text, which may hold several statements.

    `text` is as sent; `canonical` is stripped of outer blanks and semicolons (what an approval is
    bound to). `statements` counts them: 0 for an empty text. `reads` and `writes` are the
    relations touched, as named and with the catalog's schema where it knows one; the relations
    under a view, and what triggers and rules reach, included. `behind` are those that bodies behind
    the statement write. `incomplete` is set when
    something was not understood: the effects then hold an `unknown`.

    `moves_names`: names of prepared statements or portals may mean something else afterwards
    (PREPARE, DEALLOCATE, EXECUTE, DECLARE, CLOSE, DISCARD). `changes_schema`: the catalog must be read
    again afterwards. `defines` gives the texts behind names that the text PREPAREs or DECLAREs.
    `sets_search_path`: unqualified names may mean something else in later statements.
    `returns_rows`: at least one statement of it gives rows. `kind` is that of its weightiest effect.
    `changes` counts the statements that change rows; `uncounted` says what of it changes rows, or may, that PostgreSQL does not count.
    `searches` are the protected columns that rows are picked by. `portals`: code in it opens, closes or reads some.
    `executes` and `fetches` are the names whose text or rows it asks for: of prepared statements by
    EXECUTE, of portals by FETCH and MOVE.
    """

    text: str
    canonical: str
    statements: int
    effects: tuple[Effect, ...]
    reads: frozenset[Relation] = frozenset()
    writes: frozenset[Relation] = frozenset()
    behind: frozenset[Relation] = frozenset()
    functions: frozenset[str] = frozenset()
    incomplete: bool = False
    moves_names: bool = False
    changes_schema: bool = False
    sets_search_path: bool = False
    returns_rows: bool = False
    defines: dict[str, str] = field(default_factory=dict)
    changes: int = 0
    uncounted: str = ""
    searches: frozenset[Search] = frozenset()
    portals: bool = False
    kind: str = field(init=False, compare=False)
    executes: frozenset[str] = field(init=False, compare=False)
    fetches: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Look through the effects once: what comes of it is asked for with every run."""
        object.__setattr__(self, "kind", kind_of(self.effects))
        object.__setattr__(self, "executes", _named(self.effects, _EXECUTING))
        object.__setattr__(self, "fetches", _named(self.effects, _FETCHING))

    @property
    def runs(self) -> frozenset[str]:
        """Both."""
        return self.executes | self.fetches


def _named(effects: tuple[Effect, ...], details: frozenset[str]) -> frozenset[str]:
    return frozenset(
        effect.object
        for effect in effects
        if effect.action is Action.UTILITY and effect.detail in details
    )
