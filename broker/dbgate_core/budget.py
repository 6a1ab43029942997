"""What a session may use up: its statements, rows and bytes, counted over all its connections; and what a day's may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dbgate_core.decision import NO_LIMITS, SessionLimits
from dbgate_core.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Used:
    """What was used up: statements that began, and what passed of results."""

    statements: int = 0
    rows: int = 0
    row_bytes: int = 0

    def plus(self, other: Used) -> Used:
        """Both together."""
        return Used(
            self.statements + other.statements,
            self.rows + other.rows,
            self.row_bytes + other.row_bytes,
        )


class Day:
    """What one principal used of one database today, in all sessions of this broker; and in others', as last read.

    Not thread-safe, as `Budget`. `begin` starts it, and each day after.
    """

    def __init__(self, database: str) -> None:
        self.database: Final = database
        self._known = Used()
        self.unsaved = Used()

    @property
    def used(self) -> Used:
        """All of today."""
        return self._known.plus(self.unsaved)

    def begin(self, known: Used) -> None:
        """Of this day the store knows so much; what is unsaved is of it, too."""
        self._known = known

    def saved(self, part: Used, known: Used) -> None:
        """That part of what was unsaved is in the store, which now knows this much."""
        left = self.unsaved
        self.unsaved = Used(
            left.statements - part.statements,
            left.rows - part.rows,
            left.row_bytes - part.row_bytes,
        )
        self._known = known

    def demand(self, limits: SessionLimits) -> None:
        """Raises LimitExceeded when there is nothing left of any limit of the day."""
        self._demand(limits, 0)

    def statement(self, limits: SessionLimits) -> None:
        """One more begins. Raises as `demand`."""
        self._demand(limits, 0)
        self.unsaved = self.unsaved.plus(Used(statements=1))

    def results(self, limits: SessionLimits, rows: int, row_bytes: int) -> None:
        """So many more are to pass. Raises LimitExceeded when they may not."""
        self.unsaved = self.unsaved.plus(Used(rows=rows, row_bytes=row_bytes))
        self._demand(limits, 1, statements=False)

    def _demand(self, limits: SessionLimits, over: int, *, statements: bool = True) -> None:
        """Is what is used less than each limit, or with `over` no more than it."""
        used = self.used
        each = (
            ("statements", limits.day_statements, used.statements, "statements"),
            ("rows", limits.day_rows, used.rows, "rows of results"),
            ("bytes", limits.day_row_bytes, used.row_bytes, "bytes of results"),
        )
        for name, limit, count, what in each if statements else each[1:]:
            if limit is not None and count >= limit + over:
                raise LimitExceeded(
                    f"policy lets you have at most {limit} {what} of {self.database} a day",
                    hint="the day ends at 00:00 UTC; who keeps the policies can raise the limit",
                    code=f"policy.day_{name}",
                )


class Budget:
    """Counts down. Not thread-safe: for the event loop of its broker alone."""

    def __init__(self, limits: SessionLimits = NO_LIMITS, day: Day | None = None) -> None:
        """`day` is due where a limit is a day's."""
        if limits.of_days and day is None:
            raise ValueError("limits of a day without a day")
        self.limits = limits
        self.day = day if limits.of_days else None
        self.bounded = limits != NO_LIMITS
        self.no_copies = limits.rows is not None or limits.day_rows is not None
        of_bytes = (limits.row_bytes, limits.day_row_bytes)
        self.counts_rows = self.no_copies or any(limit is not None for limit in of_bytes)
        self._statements = 0
        self._rows = 0
        self._row_bytes = 0

    def statement(self) -> None:
        """One more begins. Raises LimitExceeded when there is nothing left, of rows and bytes either."""
        limits = self.limits
        if limits.statements is not None and self._statements >= limits.statements:
            raise _exceeded("statements", limits.statements, "statements")
        if limits.rows is not None and self._rows >= limits.rows:
            raise _exceeded("rows", limits.rows, "rows of results")
        if limits.row_bytes is not None and self._row_bytes >= limits.row_bytes:
            raise _exceeded("row_bytes", limits.row_bytes, "bytes of results")
        if self.day is not None:
            self.day.statement(limits)
        self._statements += 1

    def results(self, rows: int, size_bytes: int) -> None:
        """So many more are to pass. Raises LimitExceeded when they may not; then none does any more."""
        limits = self.limits
        self._rows += rows
        self._row_bytes += size_bytes
        if limits.rows is not None and self._rows > limits.rows:
            raise _exceeded("rows", limits.rows, "rows of results")
        if limits.row_bytes is not None and self._row_bytes > limits.row_bytes:
            raise _exceeded("row_bytes", limits.row_bytes, "bytes of results")
        if self.day is not None:
            self.day.results(limits, rows, size_bytes)


def _exceeded(name: str, limit: int, what: str) -> LimitExceeded:
    return LimitExceeded(
        f"policy lets a session have at most {limit} {what}",
        hint="select less at a time; another session begins anew",
        code=f"policy.session_{name}",
    )
