"""What a session may use up: its statements, rows and bytes, counted over all its connections."""

from __future__ import annotations

from dbgate_core.decision import NO_LIMITS, SessionLimits
from dbgate_core.errors import LimitExceeded


class Budget:
    """Counts down. Not thread-safe: for the event loop of its broker alone."""

    def __init__(self, limits: SessionLimits = NO_LIMITS) -> None:
        self.limits = limits
        self.bounded = limits != NO_LIMITS
        self.counts_rows = limits.rows is not None or limits.row_bytes is not None
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


def _exceeded(name: str, limit: int, what: str) -> LimitExceeded:
    return LimitExceeded(
        f"policy lets a session have at most {limit} {what}",
        hint="select less at a time; another session begins anew",
        code=f"policy.session_{name}",
    )
