"""The metrics: their names, kinds and meanings, and how tallies become their samples.

docs/operations.md and the dashboard may name only what stands here; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from dbgate_broker.telemetry.tally import Histogram, Tallies, Tally
from dbgate_core.counts import Counts
from dbgate_core.pgwire.guard import Status
from dbgate_core.sql.kinds import KINDS

NS: Final = 1e9
US: Final = 1e6
FIRST_PLACE: Final = 8
"""Of durations, the least that is shown: 256 us."""
WHERE: Final = ("database", "environment", "access_role")
"""The labels of whatever belongs to a session."""
STAGES: Final = ("judge", "record", "plan", "mask")

Samples = Iterable[tuple[Sequence[str], float]]
"""Values by their labels' values."""

GAUGES: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "dbgate_build_info": ("Version of dbgate and of its policies; always 1", ("version", "policy")),
    "dbgate_ready": ("Whether a part that new sessions need answers", ("check",)),
    "dbgate_sessions": ("Open sessions of this broker", WHERE),
    "dbgate_connections": ("Client connections attached to sessions of this broker", WHERE),
    "dbgate_gateway_connections": ("Connections to the gateway, those that log in included", ()),
    "dbgate_gateway_connections_limit": ("The most connections that the gateway takes", ()),
    "dbgate_leases": ("Leases in the journal that are not ended, of all brokers", ("state",)),
    "dbgate_leases_overdue": ("Leases whose revocation failed at least once", ()),
    "dbgate_requests_pending": ("Access requests that wait for a decision, of all brokers", ()),
    "dbgate_audit_backlog_entries": ("Written entries that are not yet so", ("until",)),
    "dbgate_audit_disk_free_bytes": ("Room on the audit log's disk", ()),
}
COUNTERS: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "dbgate_statements": (
        "Statements that were let begin, denied or held",
        (*WHERE, "verdict", "kind"),
    ),
    "dbgate_statements_ended": ("Statements that began and ended", (*WHERE, "status")),
    "dbgate_connections_opened": ("Connections whose guard was made", WHERE),
    "dbgate_connection_failures": ("Connections that ended by an error", ("database", "code")),
    "dbgate_catalog_readings": ("Readings of a database's catalog", ("database", "outcome")),
    "dbgate_audit_entries": ("Entries of the audit log, since its beginning", ()),
    "dbgate_audit_append_failures": ("Entries that could not be written", ()),
    "dbgate_notifications": ("Tries to tell a channel something", ("channel", "outcome")),
    "dbgate_api_requests": ("Answers of the API", ("method", "route", "status")),
}
"""Without the `_total` that Prometheus adds."""
HISTOGRAMS: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "dbgate_stage_seconds": (
        "The broker's own work, of one statement a second and connection",
        (*WHERE, "stage"),
    ),
    "dbgate_statement_seconds": ("From a statement's begin entry to its outcome", WHERE),
    "dbgate_hold_seconds": ("Connections held while the catalog is read again", WHERE),
    "dbgate_api_request_seconds": ("Answers of the API", ("method", "route")),
}


def names() -> set[str]:
    """Every name as a query sees it."""
    parts = {f"{name}{part}" for name in HISTOGRAMS for part in ("_bucket", "_count", "_sum")}
    return {*GAUGES, *(f"{name}_total" for name in COUNTERS), *parts}


def gauge(name: str, values: Samples) -> Metric:
    """A gauge by its label values."""
    said, labels = GAUGES[name]
    family = GaugeMetricFamily(name, said, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def counter(name: str, values: Samples) -> Metric:
    """A counter by its label values."""
    said, labels = COUNTERS[name]
    family = CounterMetricFamily(name, said, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def histogram(name: str, values: Iterable[tuple[tuple[str, ...], Histogram]]) -> Metric:
    """A histogram by its label values, in seconds."""
    said, labels = HISTOGRAMS[name]
    family = HistogramMetricFamily(name, said, labels=labels)
    for key, found in values:
        below, buckets = 0, []
        bounds = [f"{bound / NS:g}" for bound in found.bounds]
        for bound, count in zip([*bounds, "+Inf"], found.counts, strict=True):
            below += count
            buckets.append((bound, below))
        family.add_metric(key, buckets, found.sum_ns / NS)
    return family


def of_statements(tallies: Tallies) -> Iterator[Metric]:
    """What the tallies of statements say."""
    all_of_them = list(tallies.statements.values())
    yield counter("dbgate_statements", [
        ((*_where(one), verdict, kind), counted[kind])
        for one in all_of_them for verdict, counted in _verdicts(one.counts) for kind in KINDS
    ])  # fmt: skip
    yield counter("dbgate_statements_ended", [
        ((*_where(one), status.value), one.counts.ended[status]) for one in all_of_them for status in Status
    ])  # fmt: skip
    yield counter("dbgate_connections_opened", [(_where(o), o.connections) for o in all_of_them])
    stages = [((*_where(one), name), _stage(one, name)) for one in all_of_them for name in STAGES]
    yield histogram("dbgate_stage_seconds", stages)
    yield _durations(all_of_them)
    yield histogram("dbgate_hold_seconds", [(_where(o), o.catalog_wait) for o in all_of_them])


def of_the_rest(tallies: Tallies) -> Iterator[Metric]:
    """What the broker's other tallies say."""
    yield counter("dbgate_connection_failures", tallies.failures.items())
    yield counter("dbgate_notifications", tallies.notifications.items())
    answers = [((m, route, str(s)), n) for (m, route, s), n in tallies.requests.items()]
    yield counter("dbgate_api_requests", answers)
    yield histogram("dbgate_api_request_seconds", list(tallies.request_times.items()))


def _where(tally: Tally) -> tuple[str, str, str]:
    return tally.database, tally.environment, tally.access_role


def _verdicts(counts: Counts) -> Iterable[tuple[str, dict[str, int]]]:
    return (("allow", counts.allowed), ("deny", counts.denied), ("hold", counts.held))


def _durations(tallies: Iterable[Tally]) -> Metric:
    """Counted by powers of two, so every second one will do."""
    said, labels = HISTOGRAMS["dbgate_statement_seconds"]
    family = HistogramMetricFamily("dbgate_statement_seconds", said, labels=labels)
    for one in tallies:
        found = one.counts.durations
        shown = range(FIRST_PLACE, len(found) - 1, 2)
        buckets: list[tuple[str, float]] = [(f"{2**n / US:g}", sum(found[: n + 1])) for n in shown]
        family.add_metric(
            _where(one), [*buckets, ("+Inf", sum(found))], one.counts.duration_us / US
        )
    return family


def _stage(tally: Tally, name: str) -> Histogram:
    return {"judge": tally.judge, "record": tally.record, "plan": tally.plan, "mask": tally.mask}[
        name
    ]
