"""Limits on results: the obligation `@rows` of one result, and what is left of the session's budget."""

from __future__ import annotations

from dbgate_core.budget import Budget
from dbgate_core.errors import LimitExceeded
from dbgate_core.native import count_rows
from dbgate_core.pgwire.guard import CopyMask, RowMask


class LimitedRows:
    """A RowMask that lets `limit` rows of a result pass, masked by another or as they are."""

    def __init__(self, mask: RowMask | None, limit: int | None, budget: Budget) -> None:
        self._mask = mask
        self._limit = limit
        self._budget = budget
        self._passed = 0

    @property
    def values(self) -> int:
        """As the mask's."""
        return 0 if self._mask is None else self._mask.values

    def rewrite(self, messages: bytes) -> bytes:
        """Count, then mask. Raises LimitExceeded for the first row too many."""
        rows = count_rows(messages)
        self._passed += rows
        if self._limit is not None and self._passed > self._limit:
            raise LimitExceeded(
                f"policy lets at most {self._limit} rows of a result pass",
                hint=f"add LIMIT {self._limit}, or a narrower WHERE",
                code="policy.rows",
            )
        if self._budget.counts_rows:
            self._budget.results(rows, len(messages))
        return messages if self._mask is None else self._mask.rewrite(messages)


class LimitedCopy:
    """A CopyMask that counts the bytes of COPY data, masked by another or as they are."""

    def __init__(self, mask: CopyMask | None, budget: Budget) -> None:
        self._mask = mask
        self._budget = budget

    @property
    def values(self) -> int:
        """As the mask's."""
        return 0 if self._mask is None else self._mask.values

    def rewrite(self, data: bytes) -> bytes:
        """Count, then mask. Raises LimitExceeded for the first byte too many."""
        self._budget.results(0, len(data))
        return data if self._mask is None else self._mask.rewrite(data)

    def finish(self) -> bytes:
        """What the mask has left."""
        return b"" if self._mask is None else self._mask.finish()
