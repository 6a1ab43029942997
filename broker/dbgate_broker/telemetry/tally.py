"""What is counted as it happens. Nothing is exported here: the collector reads these when it is asked for metrics. Labels are names
of the configuration and closed sets, so their number has a bound. For the event loop's thread alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from dbgate_core.counts import Counts
from dbgate_core.errors import DbgateError

Bounds = tuple[int, ...]
US: Final = 1_000
MS: Final = 1_000_000
STAGE_NS: Final[Bounds] = (
    2 * US, 5 * US, 10 * US, 20 * US, 50 * US, 100 * US, 200 * US, 500 * US,
    MS, 2 * MS, 5 * MS, 10 * MS, 20 * MS, 50 * MS, 100 * MS, 1_000 * MS,
)  # fmt: skip
"""For the broker's own work on a statement: from a remembered verdict to a judgement gone wrong."""
WAIT_NS: Final[Bounds] = (
    MS, 2 * MS, 5 * MS, 10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS,
    1_000 * MS, 2_000 * MS, 5_000 * MS, 10_000 * MS, 30_000 * MS, 60_000 * MS, 600_000 * MS,
)  # fmt: skip
"""For what waits for others: PostgreSQL, Vault, the store."""


class Histogram:
    """How often a duration fell between two bounds, in nanoseconds; the last place is beyond all."""

    __slots__ = ("bounds", "counts", "sum_ns")

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum_ns = 0

    def observe(self, ns: int) -> None:
        """Count one; a bound belongs to what is below it (Prometheus' `le`)."""
        self.counts[bisect_left(self.bounds, ns)] += 1
        self.sum_ns += ns


def _stage() -> Histogram:
    return Histogram(STAGE_NS)


def _wait() -> Histogram:
    return Histogram(WAIT_NS)


@dataclass(slots=True)
class Tally:
    """The statements of one database and access role. A connection holds its own from the start.

    `counts` are exact; the stages `judge` to `mask` are those of statements that were sampled.
    """

    database: str
    environment: str
    access_role: str
    counts: Counts = field(default_factory=Counts)
    judge: Histogram = field(default_factory=_stage)
    record: Histogram = field(default_factory=_stage)
    plan: Histogram = field(default_factory=_stage)
    mask: Histogram = field(default_factory=_stage)
    catalog_wait: Histogram = field(default_factory=_wait)
    connections: int = 0


@dataclass(slots=True)
class Tallies:
    """All that one broker counts."""

    statements: dict[tuple[str, str, str], Tally] = field(default_factory=dict)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    notifications: Counter[tuple[str, str]] = field(default_factory=Counter)
    request_times: dict[tuple[str, str], Histogram] = field(default_factory=dict)

    def of(self, database: str, environment: str, access_role: str) -> Tally:
        """The tally of a database and access role."""
        key = (database, environment, access_role)
        if (found := self.statements.get(key)) is None:
            found = self.statements[key] = Tally(*key)
        return found

    def connection_failed(self, database: str, exc: DbgateError) -> None:
        """Count a connection that ended by an error; `database` is empty before it was authorised."""
        self.failures[database, exc.code] += 1

    def answered(self, method: str, route: str, status: int, ns: int) -> None:
        """Count an answer of the API. `route` is the path as the table has it, with its `{id}`."""
        self.requests[method, route, status] += 1
        key = (method, route)
        if (times := self.request_times.get(key)) is None:
            times = self.request_times[key] = _wait()
        times.observe(ns)
