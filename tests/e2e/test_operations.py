"""What an operator sees of a broker at work: its metrics say what was done."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dbgate_broker.telemetry import families
from tests.demo.stage import Stage
from tests.e2e.commands import LIMIT_S, dbgate, frozen, wait_for
from tests.e2e.tunnel import tunnel

pytestmark = pytest.mark.e2e
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]
READONLY = {"database": "prod-db", "environment": "production", "access_role": "readonly"}


def get(stage: Stage, path: str, token: str = "") -> tuple[int, bytes]:
    host, port = stage.ready["broker"].split("//")[1].rsplit(":", 1)
    context = ssl.create_default_context(cafile=stage.ready["ca_file"])
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=LIMIT_S)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def scrape(stage: Stage) -> Figures:
    token = Path(stage.home / "dev" / "secrets" / "metrics-token").read_text()
    status, text = get(stage, "/metrics", token)
    assert status == 200, text
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
    }


def value(figures: Figures, name: str, **labels: str) -> float:
    return figures.get((name, frozenset(labels.items())), 0.0)


def grown_in_all(before: Figures, after: Figures) -> float:
    """How many statements have ended, however."""
    name = "dbgate_statements_ended_total"
    where = frozenset(READONLY.items())
    return sum(
        n - before.get(key, 0) for key, n in after.items() if key[0] == name and where <= key[1]
    )


def test_metrics_say_what_was_done(stage: Stage) -> None:
    before = scrape(stage)
    with tunnel(stage, "alice", "prod-db") as opened, psycopg.connect(opened.dsn) as connection:
        connection.execute("select email from customers limit 3").fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("drop table customers")
        during = scrape(stage)
    after = scrape(stage)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    reads = {**READONLY, "verdict": "allow", "kind": "read"}
    assert grown("dbgate_statements_total", **reads) == 1
    refused = [grown("dbgate_statements_total", **READONLY, verdict=verdict, kind="schema")
               for verdict in ("deny", "hold")]  # fmt: skip
    assert sum(refused) == 1
    assert grown("dbgate_connections_opened_total", **READONLY) == 1
    assert grown("dbgate_statement_seconds_count", **READONLY) == grown_in_all(before, after)
    assert value(during, "dbgate_sessions", **READONLY) >= 1
    assert value(during, "dbgate_connections", **READONLY) >= 1
    assert value(during, "dbgate_leases", state="active") >= 1
    assert value(after, "dbgate_audit_entries_total") > value(before, "dbgate_audit_entries_total")
    assert {n for n, _ in after if n.startswith("dbgate_")} <= families.names()
    assert value(after, "process_resident_memory_bytes") > 0


def test_a_vault_that_hangs_shows(stage: Stage) -> None:
    wait_for(lambda: get(stage, "/readyz")[0] == 200)
    with frozen(stage, "openbao"):
        wait_for(lambda: get(stage, "/readyz")[0] == 503)
        assert get(stage, "/healthz")[0] == 200
        figures = scrape(stage)
        assert value(figures, "dbgate_ready", check="vault") == 0
        assert value(figures, "dbgate_ready", check="store") == 1
    wait_for(lambda: get(stage, "/readyz")[0] == 200)


def test_the_metrics_token_is_needed(stage: Stage) -> None:
    assert get(stage, "/metrics", "x" * 43)[0] == 401
    assert dbgate(stage, "whoami").returncode == 0
