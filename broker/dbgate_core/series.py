"""Searches in series: who asks `email LIKE 'a%'`, then `'b%'`, reads a protected column without being shown it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dbgate_core.sql.searches import How, Search

SERIES: Final = 20
"""So many searches by one column within the window are a series."""
WINDOW_NS: Final = 300 * 1_000_000_000
MAX_COLUMNS: Final = 200
"""Columns of which searches are remembered; with more, the one that was searched the longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A series by one column: what the log then says."""

    column: str
    searches: int = SERIES
    window_s: int = WINDOW_NS // 1_000_000_000


def tells(searches: Iterable[Search]) -> bool:
    """Does one of them tell a part of a value: all do but the comparison with whole given ones."""
    return any(search.how is not How.EQUALITY for search in searches)


class Series:
    """Of one session, over all its connections. For the event loop of its broker alone."""

    def __init__(self) -> None:
        self._times: dict[str, deque[int]] = {}

    def note(self, searches: Iterable[Search], now_ns: int) -> list[Alert]:
        """A statement with these begins; the series that it makes full, each told once a window."""
        columns = {search.column for search in searches if search.how is not How.EQUALITY}
        return [Alert(column) for column in sorted(columns) if self._is_full(column, now_ns)]

    def _is_full(self, column: str, now_ns: int) -> bool:
        times = self._times.pop(column, None) or deque(maxlen=SERIES)
        self._times[column] = times  # the last one now
        if len(self._times) > MAX_COLUMNS:
            del self._times[next(iter(self._times))]
        times.append(now_ns)
        full = len(times) == SERIES and now_ns - times[0] <= WINDOW_NS
        if full:
            times.clear()
        return full
