"""docs/operations.md and the dashboard name the metrics that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dbgate_broker.telemetry import families

DOCS = Path(__file__).parents[3] / "docs"
NAME = re.compile(r"\b(?:dbgate|process)_\w+")
PROCESS = {
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}
"""Of prometheus_client's ProcessCollector."""


def dashboard() -> Any:
    return json.loads((DOCS / "grafana-dashboard.json").read_text())


def queries(found: Any) -> list[str]:
    return [target["expr"] for panel in found["panels"] for target in panel.get("targets", [])]


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    found = dashboard()
    variables = [one["query"]["query"] for one in found["templating"]["list"][1:]]
    asked = {name for text in [*queries(found), *variables] for name in NAME.findall(text)}
    assert len(asked) > 15
    assert asked <= families.names() | PROCESS


def test_the_dashboard_groups_by_labels_that_there_are() -> None:
    labels: dict[str, set[str]] = {}
    for name, (_, known) in {**families.GAUGES, **families.COUNTERS, **families.HISTOGRAMS}.items():
        labels[name] = {*known, "instance", "job", "le"}
    for query in queries(dashboard()):
        (base,) = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in NAME.findall(query)}
        if base.startswith("process_"):
            continue
        for names in re.findall(r"by \(([^)]*)\)", query):
            assert set(names.split(", ")) <= labels[base], query
        assert set(re.findall(r"(\w+)(?:=~|!=|=)\"", query)) <= labels[base], query


def test_its_panels_have_numbers_and_places_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_the_page_explains_every_metric_and_no_other() -> None:
    text = (DOCS / "operations.md").read_text()
    named = set(NAME.findall(text)) - PROCESS - {"dbgate_stage_seconds_count"}
    exported = {*families.GAUGES, *families.HISTOGRAMS, *(f"{n}_total" for n in families.COUNTERS)}
    assert named == exported
