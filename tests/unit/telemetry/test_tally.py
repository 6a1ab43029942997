"""What is counted, and under which labels it is shown."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from dbgate_broker.telemetry import families
from dbgate_broker.telemetry.tally import (
    STAGE_NS,
    WAIT_NS,
    Histogram,
    Tallies,
)
from dbgate_core.counts import PLACES, Counts
from dbgate_core.errors import Denied
from dbgate_core.pgwire.guard import Outcome, Status
from dbgate_core.sql.effects import Action, Effect
from dbgate_core.sql.kinds import KIND_OF, KINDS, kind_of


def samples(found: Metric) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for one in found.samples}


def test_every_action_has_a_kind_and_every_kind_an_action() -> None:
    assert set(KIND_OF) == set(Action)
    assert set(KIND_OF.values()) == set(KINDS)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ((), "session"),
        ((Action.SET,), "session"),
        ((Action.SELECT,), "read"),
        ((Action.SELECT, Action.CALL), "code"),
        ((Action.UPDATE, Action.SELECT), "write"),
        ((Action.SELECT, Action.DROP, Action.INSERT), "schema"),
        ((Action.GRANT, Action.DROP), "privilege"),
        ((Action.UNKNOWN, Action.GRANT), "unknown"),
    ],
)
def test_a_statement_counts_as_its_weightiest_effect(
    actions: tuple[Action, ...], expected: str
) -> None:
    assert kind_of(Effect(action) for action in actions) == expected


@pytest.mark.parametrize("bounds", [STAGE_NS, WAIT_NS])
def test_a_bound_belongs_to_what_is_below_it(bounds: tuple[int, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))
    times = Histogram(bounds)
    for ns in (0, bounds[0], bounds[0] + 1, bounds[-1], bounds[-1] + 1):
        times.observe(ns)
    assert times.counts[0] == 2
    assert times.counts[1] == 1
    assert times.counts[-2:] == [1, 1]
    assert times.sum_ns == 2 * (bounds[0] + bounds[-1]) + 2


def test_a_histogram_is_shown_cumulative_in_seconds() -> None:
    times = Histogram((1_000_000, 2_000_000))
    for ns in (500_000, 1_500_000, 9_000_000_000):
        times.observe(ns)
    shown = families.histogram("dbgate_api_request_seconds", [(("GET", "/healthz"), times)])
    labels = {"method": "GET", "route": "/healthz"}
    buckets = {one.labels["le"]: one.value for one in shown.samples if one.name.endswith("_bucket")}
    assert buckets == {"0.001": 1, "0.002": 2, "+Inf": 3}
    assert samples(shown)["dbgate_api_request_seconds_count", tuple(labels.items())] == 3
    assert samples(shown)["dbgate_api_request_seconds_sum", tuple(labels.items())] == 9.002


def test_a_connection_gets_one_tally_a_database_and_role() -> None:
    tallies = Tallies()
    assert tallies.of("a", "production", "readonly") is tallies.of("a", "production", "readonly")
    assert tallies.of("a", "production", "readonly") is not tallies.of("a", "production", "admin")


def test_everything_counted_is_shown_under_a_known_name_and_can_be_parsed() -> None:
    tallies = Tallies()
    tallies.of("prod-db", "production", 'read"only\n').counts.allowed["read"] += 3
    tallies.connection_failed("prod-db", Denied("no", code="session.not_open"))
    tallies.answered("GET", "/v1/sessions/{id}", 404, 1_000)

    class Everything:
        def collect(self) -> list[Metric]:
            return [*families.of_statements(tallies), *families.of_the_rest(tallies)]

        def describe(self) -> list[Metric]:
            return []

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Everything())
    found: Mapping[str, Metric] = {
        one.name: one for one in text_string_to_metric_families(generate_latest(registry).decode())
    }
    assert {s.name for one in found.values() for s in one.samples} <= families.names()
    read = {"kind": "read", "verdict": "allow", "access_role": "read\"only\n",
            "database": "prod-db", "environment": "production"}  # fmt: skip
    assert [s.value for s in found["dbgate_statements"].samples if s.labels == read] == [3]
    assert [(s.labels, s.value) for s in found["dbgate_api_requests"].samples] == [
        ({"method": "GET", "route": "/v1/sessions/{id}", "status": "404"}, 1)
    ]
    assert [(s.labels, s.value) for s in found["dbgate_connection_failures"].samples] == [
        ({"database": "prod-db", "code": "session.not_open"}, 1)
    ]


def test_a_statements_duration_is_counted_below_the_next_power_of_two() -> None:
    counts = Counts()
    for us in (0, 1, 255, 256, 2**40):
        counts.end(Outcome(Status.OK), us)
    assert [place for place, count in enumerate(counts.durations) if count] == [
        0,
        1,
        8,
        9,
        PLACES - 1,
    ]
    tallies = Tallies()
    tallies.of("prod-db", "production", "readonly").counts = counts
    shown = {found.name: found for found in families.of_statements(tallies)}
    buckets = {
        one.labels["le"]: one.value
        for one in shown["dbgate_statement_seconds"].samples
        if one.name.endswith("_bucket")
    }
    assert buckets["0.000256"] == 3
    assert buckets["0.001024"] == 4
    assert buckets["+Inf"] == 5
