"""Names that Parse and Bind gave, so that SQL does not run what is behind them.

A text that Parse sent is recorded when Execute runs it. SQL's EXECUTE and FETCH would run it, too, and
the log would hold no more than its name. So these may not, for names that the protocol ever gave: whether
one still stands for the same is not asked, for a failure can leave behind a name what was there before.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.pgwire.guard import Moved

MAX_NAMES: Final = 5_000
"""Of either kind; with more of them given on a connection, all names count as given."""


class Taken:
    """Follows one connection. None stands for all names."""

    def __init__(self) -> None:
        self._statements: set[str] | None = set()
        self._portals: set[str] | None = set()

    def statement(self, name: str) -> None:
        """Parse gives the name."""
        self._statements = _with(self._statements, name)

    def portal(self, name: str) -> None:
        """Bind gives the name."""
        self._portals = _with(self._portals, name)

    @property
    def has_portals(self) -> bool:
        """Whether there may be any."""
        return self._portals is None or bool(self._portals)

    def no_portals(self) -> None:
        """No transaction is open, and nothing under way: the server has no portal that Bind made."""
        self._portals = set()

    def run_by(self, moves: Moved) -> str:
        """A name that these would run and may not; empty when there is none."""
        return _first(moves.executes, self._statements) or _first(moves.fetches, self._portals)


def _with(names: set[str] | None, name: str) -> set[str] | None:
    if names is None or not name:
        return names
    names.add(name)
    return names if len(names) <= MAX_NAMES else None


def _first(run: frozenset[str], taken: set[str] | None) -> str:
    return min(run if taken is None else run & taken, default="") if run else ""
