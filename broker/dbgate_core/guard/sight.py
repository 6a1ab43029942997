"""What one connection sees of its database: the catalog as it was read, and what names mean in it by now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dbgate_core.catalog import Catalog
from dbgate_core.guard.leave import Leave
from dbgate_core.masking.flows import hidden_flow
from dbgate_core.masking.plan import foresee_rows
from dbgate_core.masking.statements import copies
from dbgate_core.meaning import Meaning, is_plain, runs_code
from dbgate_core.scope import Picture, Scope
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action
from dbgate_core.verdicts import Judged

CATALOG_MAX_AGE_NS: Final = 60 * 1_000_000_000
"""A connection that has been open for longer sees what others' DDL made of the catalog."""
PARTIAL_CATALOG_MAX_AGE_NS: Final = 2 * 1_000_000_000
"""Of a picture that lacks what others held locked."""


class Sight:
    """A picture of the database, with what this connection has done to the meaning of names since."""

    def __init__(self, scope: Scope, picture: Picture, clock_ns: Callable[[], int]) -> None:
        self._epoch = scope.epoch
        self._clock_ns = clock_ns
        self.picture = picture
        self.search_path = scope.search_path
        self.meaning = Meaning()
        self._loaded_ns = clock_ns()

    @property
    def catalog(self) -> Catalog:
        """As it was read."""
        return self.picture.catalog

    @property
    def stale(self) -> bool:
        """Whether the catalog must be read again: after DDL here, and now and then for DDL elsewhere.

        Not while own DDL is uncommitted: nobody else can read what it made.
        """
        if not self.meaning.uncommitted and self.picture.epoch != self._epoch.value:
            return True
        return self._clock_ns() > self.until_ns

    @property
    def until_ns(self) -> int:
        """When the picture is too old, by the clock."""
        max_age = PARTIAL_CATALOG_MAX_AGE_NS if self.catalog.partial else CATALOG_MAX_AGE_NS
        return self._loaded_ns + max_age

    def renew(self, picture: Picture) -> None:
        """Take a new picture of the database."""
        self.picture = picture
        self._loaded_ns = self._clock_ns()
        self.meaning.renewed()

    def readable(self, leave: Leave) -> tuple[Analysis | None, str, bool]:
        """The statement, for lineage; nothing where its names may mean something else by now.

        Its text alone, and True, where only those of relations may.
        """
        code_between = bool(leave.analysis.runs) and runs_code(leave.analysis)
        if self.meaning.holds_since(leave.code_seen) and not code_between:
            return leave.analysis, leave.text, False
        if self.meaning.functions_hold_since(leave.code_seen) and not code_between:
            return None, leave.text, True
        return None, "", False

    def foresee(self, analysis: Analysis) -> None:
        """Find on any thread what masking and following a long text will ask of it, if nothing comes between."""
        meaning, place = self.meaning, (self.catalog, self.search_path)
        own = meaning.clean, meaning.shadows
        blurred = not meaning.holds_since(meaning.code_seen)
        if analysis.returns_rows:
            foresee_rows(analysis.text, *place, meaning.names, *own, blurred=blurred)
        if any(effect.action is Action.COPY_OUT for effect in analysis.effects):
            copies(analysis.text, *place, *own, blurred)
        if not is_plain(analysis):
            meaning.foresee(analysis, *place)

    def flow(self, judged: Judged) -> str:
        """As `Judged.flow`; looked at anew when names may be those of this connection's own tables."""
        meaning, analysis = self.meaning, judged.analysis
        if not (meaning.owned(analysis) or meaning.altered):
            return judged.flow
        own = meaning.clean, meaning.shadows
        text, path = analysis.text, self.search_path
        return hidden_flow(
            text, self.catalog, path, *own, renamed=meaning.altered, moved=meaning.moved_columns
        )
