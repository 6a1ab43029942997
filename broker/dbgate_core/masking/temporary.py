"""Which of a connection's own tables hold nothing protected: temporary ones, and what it makes.

A backend begins without temporary tables, and all that make one pass its guard. So a table that
was made here, by statements that all were understood and moved nothing protected, may be shown. As soon as
anything else was written, or code ran that cannot be followed, none of them may, for good.

An ordinary table that stands alone is nobody else's until it is committed, and the catalog does not
have it yet. Nothing protected may be written to it (`flows`), so it is clean until code runs.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.errors import LimitExceeded
from dbgate_core.masking.makes import makes
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Effect

MAX_TABLES: Final = 1_000
"""Their names are kept as long as the connection lives."""
_FOREIGN: Final = frozenset({Action.CALL, Action.DO, Action.UNKNOWN})
_DEFINING: Final = frozenset({Action.CREATE, Action.ALTER, Action.DROP})
_NAMING: Final = frozenset({Action.CREATE, Action.ALTER})
_PLAIN: Final = frozenset({"index", "statistics"})
_CODE: Final = frozenset({"function", "procedure", "trigger", "rule", "aggregate", "operator"})
_WRITING: Final = frozenset({Action.INSERT, Action.UPDATE, Action.MERGE, Action.CREATE})


class CleanTables:
    """The names of the clean tables.

    `shadows` are the names of all temporary ones that were ever made, clean or not: PostgreSQL finds
    such a table before one of the same name in the path.
    """

    def __init__(self) -> None:
        self.shadows: frozenset[str] = frozenset()
        self._temporary: frozenset[str] = frozenset()
        self._uncommitted: frozenset[str] = frozenset()
        self._tainted = False

    @property
    def names(self) -> frozenset[str]:
        """Those that hold nothing protected."""
        return self._temporary | self._uncommitted

    def demand_room(self, analysis: Analysis) -> None:
        """Raises LimitExceeded for one more table than are followed."""
        if len(self.shadows) >= MAX_TABLES and any(map(_makes_temporary, analysis.effects)):
            raise LimitExceeded(
                f"a connection makes at most {MAX_TABLES} temporary tables of different names",
                hint="use the same names again, or connect anew",
            )

    def concerned(self, analysis: Analysis) -> bool:
        """Whether the statement could fill a temporary table that is or becomes clean."""
        if self._tainted:
            return False
        writes = any(effect.action in _WRITING for effect in analysis.effects)
        return writes and bool(self._temporary or any(map(_makes_temporary, analysis.effects)))

    def begin(self, analysis: Analysis, taints: bool, *, path_known: bool) -> None:
        """A statement begins; `taints` (flows.taints) is asked for when it is `concerned`."""
        foreign = analysis.incomplete or any(_runs_code(effect) for effect in analysis.effects)
        # A trigger's `INSERT INTO log` may find a table of that name here first.
        own = self.shadows | self.names
        foreign = foreign or any(relation.name in own for relation in analysis.behind)
        renames = any(_renames(effect) for effect in analysis.effects)
        renames = renames and not makes(analysis.text).alone
        self._tainted |= taints or foreign
        if self._tainted or renames:
            self._temporary = frozenset()
        if foreign or renames:
            self._uncommitted = frozenset()
        if any(effect.action in _NAMING for effect in analysis.effects):
            anywhere = self._tainted or not path_known
            self.shadows |= makes(analysis.text).temporary_names(self.shadows, anywhere=anywhere)

    def end(
        self, analysis: Analysis, *, ok: bool, tag: str, alone: bool, uncommitted: bool
    ) -> None:
        """It ended. `alone`: a failure undoes nothing but this statement (the simple protocol).

        `uncommitted`: what it made is not there for others yet.
        """
        if tag == "COMMIT":  # AND CHAIN: the next transaction has begun
            self.forget_uncommitted()
        elif tag == "ROLLBACK" or not (ok or alone):
            self._temporary = self._uncommitted = frozenset()
        elif ok and any(map(_makes, analysis.effects)):
            if not self._tainted:
                self._temporary |= makes(analysis.text).temporary
            if uncommitted and len(self._uncommitted) < MAX_TABLES:
                self._uncommitted |= makes(analysis.text).alone

    def forget_uncommitted(self) -> None:
        """What was made is for others, too, and for the catalog to tell; or who knows what is in it."""
        self._uncommitted = frozenset()


def _makes(effect: Effect) -> bool:
    return effect.action is Action.CREATE and effect.kind == "table"


def _makes_temporary(effect: Effect) -> bool:
    return _makes(effect) and _is_temporary(effect)


def _is_temporary(effect: Effect) -> bool:
    return "temporary" in effect.detail.split()


def _runs_code(effect: Effect) -> bool:
    if effect.action in _FOREIGN:
        return True
    return effect.action in _DEFINING and effect.kind in _CODE


def _renames(effect: Effect) -> bool:
    """Whether a name may mean another table afterwards."""
    if effect.action is Action.CREATE:
        return not _is_temporary(effect) and effect.kind not in _PLAIN
    discards = effect.action is Action.UTILITY and "discard" in f"{effect.kind} {effect.detail}"
    return discards or effect.action in (Action.ALTER, Action.DROP)
