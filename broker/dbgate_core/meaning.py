"""What names mean on one connection, as far as its guard can know (docs/adr/0005).

A verdict and a plan of masks read names: of tables, prepared statements, portals. Statements that pass
here may give them another meaning; this follows them.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.catalog import Catalog
from dbgate_core.masking.flows import taints
from dbgate_core.masking.makes import makes
from dbgate_core.masking.moved import moved_columns
from dbgate_core.masking.temporary import CleanTables
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.following import FOLLOWED

MAX_NAMES: Final = 1_000
"""Names of prepared statements and cursors whose texts are remembered; of others all is masked."""
_CODE: Final = frozenset({Action.CALL, Action.DO, Action.UNKNOWN})
"""They may run PL/pgSQL, which can give names of statements and portals another meaning."""
_DDL: Final = frozenset({Action.CREATE, Action.ALTER, Action.DROP, Action.GRANT})
_RELATIONS: Final = frozenset({"table", "index", "sequence", "view", "materialized view"})
"""DDL on these gives no function another meaning."""
_ADDING: Final = frozenset({"table", "index"})
"""CREATE of these gives no other meaning to names that the catalog knows, while the path is known."""
_NAMELESS_DANGERS: Final = frozenset({Danger.OTHER_SESSION, Danger.RESOURCE})
_NAMELESS: Final = frozenset(
    {"add constraint", "validate constraint", "set not null", "drop not null"}
)
"""What ALTER TABLE does that leaves names, columns and what fills these as they were."""


class Meaning:
    """Follows one connection. `names` are the texts behind PREPAREd statements and cursors, as the
    server has confirmed them, in its order; `renamed_count` counts when any of them may have changed
    otherwise.

    `path_known` is false once the search_path may have changed; `uncommitted` while own DDL is seen by
    nobody else; `moved_columns` are names that own DDL gave to columns, as `masking.moved` has it; `code_seen` counts the statements that ran code which cannot be followed.
    """

    def __init__(self) -> None:
        self.path_known = True
        self.names: dict[str, str] = {}
        self.renamed_count = 0
        self.uncommitted = False
        self.code_seen = 0
        self._altered = False
        self._moved = False
        self.moved_columns: frozenset[str] = frozenset()
        self._tables = CleanTables()

    @property
    def clean(self) -> frozenset[str]:
        """The temporary tables that may be shown; none when their names may be found elsewhere."""
        return self._tables.names if self.path_known else frozenset()

    @property
    def shadows(self) -> frozenset[str]:
        """The names that temporary tables of this connection have or had."""
        return self._tables.shadows

    def shadowed(self, analysis: Analysis) -> bool:
        """May a name in it be one of the connection's own temporary tables instead."""
        shadows = self.shadows
        return bool(shadows) and any(r.name in shadows for r in analysis.reads | analysis.writes)

    @property
    def altered(self) -> bool:
        """Whether own DDL did more than add tables, indexes and constraints, since the catalog was read."""
        return self._altered

    def owned(self, analysis: Analysis) -> bool:
        """As `shadowed`, and may one be a clean table of this connection's open transaction."""
        own = self.shadows | self.clean
        return bool(own) and any(r.name in own for r in analysis.reads | analysis.writes)

    def holds_since(self, code_seen: int) -> bool:
        """Whether names mean what the catalog says, and what they meant when so much code had run.

        Not from own DDL until the catalog is read again. What RowDescription traces to a table is
        masked as ever.
        """
        moved_path = self.uncommitted and not self.path_known
        return not (self._altered or moved_path or code_seen != self.code_seen)

    def functions_hold_since(self, code_seen: int) -> bool:
        """As `holds_since`, for the names of functions, operators and types alone."""
        moved = self._moved or (self.uncommitted and not self.path_known)
        return not moved and code_seen == self.code_seen

    def settled_since(self, code_seen: int) -> bool:
        """As `holds_since`, and no name of this connection's own may stand in a statement."""
        own = self.names or self._tables.shadows or self._tables.names
        return not (own or self._altered or self.uncommitted or code_seen != self.code_seen)

    def terms_since(self, code_seen: int) -> tuple[tuple[object, str, object], ...]:
        """All that `settled_since` looks at: objects, names of attributes, and the values that they must have."""
        nothing: frozenset[str] = frozenset()
        return (
            (self, "names", {}),
            (self._tables, "shadows", nothing),
            (self._tables, "names", nothing),
            (self, "_altered", False),
            (self, "uncommitted", False),
            (self, "code_seen", code_seen),
        )

    def demand_room(self, analysis: Analysis) -> None:
        """Raises LimitExceeded for one more temporary table than are followed."""
        self._tables.demand_room(analysis)

    def follow(self, analysis: Analysis, catalog: Catalog, search_path: tuple[str, ...]) -> None:
        """A statement begins: what it changes in how later ones are read."""
        taken = self._taints(analysis, catalog, search_path)
        self._tables.begin(analysis, taken, path_known=self.path_known)
        if runs_code(analysis):
            self.code_seen += 1
            self._forget_names()
        if analysis.changes_schema and not all(map(_unseen, analysis.effects)):
            self.uncommitted = True
            self._altered = self._altered or not all(map(_adds, analysis.effects))
            self._moved = self._moved or not all(map(_on_relations, analysis.effects))
            if any(map(_renames_column, analysis.effects)):
                self.moved_columns |= moved_columns(analysis.text)
        if analysis.sets_search_path:
            self.path_known = False

    def foresee(self, analysis: Analysis, catalog: Catalog, search_path: tuple[str, ...]) -> None:
        """Look for what `follow` and `ended` ask of a long text; on any thread."""
        self._taints(analysis, catalog, search_path)
        makes(analysis.text)

    def _taints(self, analysis: Analysis, catalog: Catalog, path: tuple[str, ...]) -> bool:
        """May it put protected values into a temporary table of this connection."""
        if not self._tables.concerned(analysis):
            return False
        return taints(analysis.text, catalog, path, self.clean, self.shadows)

    def ended(self, analysis: Analysis, *, ok: bool, tag: str, alone: bool, since: int) -> None:
        """It ended. `alone`: a failure undoes nothing but this statement (the simple protocol).

        `since` is `renamed_count` as it was when it began. What fails may have defined some of its
        names, or none, and left behind them what was there.
        """
        self._tables.end(analysis, ok=ok, tag=tag, alone=alone, uncommitted=self.uncommitted)
        if not ok or since != self.renamed_count:
            for name in analysis.defines:
                self.names.pop(name, None)
        elif analysis.defines:
            if len(self.names) + len(analysis.defines) > MAX_NAMES:
                self.names.clear()
            self.names.update(analysis.defines)

    def renamed(self, name: str) -> None:
        """Something else than SQL's own PREPARE or DECLARE moves the name."""
        self.names.pop(name, None)
        self.renamed_count += 1

    def _forget_names(self) -> None:
        """Code may move all of them."""
        self.names.clear()
        self.renamed_count += 1

    def committed(self) -> bool:
        """No transaction is open: whether own DDL has become visible to others by that."""
        self._tables.forget_uncommitted()
        was, self.uncommitted = self.uncommitted, False
        return was

    def distrust(self) -> None:
        """Other policies are in force: those before may have let anything be written."""
        self._tables.forget_uncommitted()

    def renewed(self) -> None:
        """The catalog was read again; it does not show what is uncommitted."""
        self._altered = self._altered and self.uncommitted
        self._moved = self._moved and self.uncommitted
        if not self.uncommitted:
            self.moved_columns = frozenset()


def runs_code(analysis: Analysis) -> bool:
    """Does it run code that cannot be followed, or that gives portals another meaning."""
    return analysis.portals or any(map(_is_code, analysis.effects))


def _is_code(effect: Effect) -> bool:
    """Of a function whose body was read, all that it does to names is known: nothing, else it were not `followed`.

    The system's own that lock, sleep or end other sessions do nothing to them either; a user's of the same name has
    an effect of its own.
    """
    read = effect.kind == "function" and effect.detail.startswith(FOLLOWED)
    return effect.action in _CODE and not (read or effect.danger in _NAMELESS_DANGERS)


def is_plain(analysis: Analysis) -> bool:
    """Does it read tables and nothing else: no name, table or setting is another one afterwards."""
    changes = analysis.changes_schema or analysis.sets_search_path or analysis.defines
    if analysis.incomplete or changes:
        return False
    return all(effect.action is Action.SELECT for effect in analysis.effects)


def _unseen(effect: Effect) -> bool:
    """Is it nothing that the catalog would show: no DDL, or on temporary tables."""
    return effect.action not in _DDL or effect.detail == "temporary"


def _on_relations(effect: Effect) -> bool:
    return _unseen(effect) or effect.kind in _RELATIONS


def _adds(effect: Effect) -> bool:
    created = effect.action is Action.CREATE and effect.kind in _ADDING
    return created or _unseen(effect) or _is_nameless(effect)


def _renames_column(effect: Effect) -> bool:
    return effect.action is Action.ALTER and effect.detail == "rename column"


def _is_nameless(effect: Effect) -> bool:
    return (effect.action, effect.kind) == (Action.ALTER, "table") and effect.detail in _NAMELESS
