"""Names of SQL's own prepared statements and cursors, when other policies have come into force.

EXECUTE, FETCH and MOVE run what was judged when it was prepared or declared. From the first change of
policies on, a connection may name only what it has defined since, and what went well: a PREPARE of a
name that exists fails, and leaves the earlier one behind it.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.errors import Denied
from dbgate_core.sql.analysis import Analysis

MAX_NAMES: Final = 1_000
"""Defined since; beyond, all must be defined anew."""


class Earlier:
    """Follows one connection."""

    def __init__(self) -> None:
        self._since: set[str] | None = None

    def changed(self) -> None:
        """Other policies are in force."""
        self._since = set()

    def ended(self, analysis: Analysis) -> None:
        """A statement went well: what it defines was judged by the policies in force."""
        if self._since is None or not analysis.defines:
            return
        if len(self._since) + len(analysis.defines) > MAX_NAMES:
            self._since.clear()
        self._since.update(analysis.defines)

    def demand(self, analysis: Analysis) -> None:
        """Raises Denied for a statement that runs what earlier policies let be prepared."""
        if self._since is None:
            return
        if before := analysis.runs - self._since:
            raise Denied(
                f'the policies have changed since "{min(before)}" was prepared or declared',
                hint="prepare or declare it again, under another name or after DEALLOCATE or CLOSE",
                code="policy.changed",
            )
