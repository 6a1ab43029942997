"""The obligation `@rows`: at most so many rows of a result pass."""

from __future__ import annotations

from dbgate_core.errors import LimitExceeded
from dbgate_core.native import count_rows
from dbgate_core.pgwire.guard import RowMask


class LimitedRows:
    """A RowMask that lets `limit` rows of a result pass, masked by another or as they are."""

    def __init__(self, mask: RowMask | None, limit: int) -> None:
        self._mask = mask
        self._limit = limit
        self._passed = 0

    def rewrite(self, messages: bytes) -> bytes:
        """Count, then mask. Raises LimitExceeded for the first row too many."""
        self._passed += count_rows(messages)
        if self._passed > self._limit:
            raise LimitExceeded(
                f"policy lets at most {self._limit} rows of a result pass",
                hint=f"add LIMIT {self._limit}, or a narrower WHERE",
                code="policy.rows",
            )
        return messages if self._mask is None else self._mask.rewrite(messages)
