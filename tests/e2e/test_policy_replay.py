"""Rules are tried on what the broker recorded, before they count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.demo.stage import Stage
from tests.e2e.commands import dbgate

pytestmark = pytest.mark.e2e

RULES = """
@id("all") permit (principal, action, resource);
@id("no-orders") @message("orders are not for you")
forbid (principal, action == Action::"select", resource)
when { context.statement.reads.contains("public.orders") };
"""


def test_a_change_is_replayed_over_the_brokers_log_and_least_rules_come_of_it(
    stage: Stage, tmp_path: Path
) -> None:
    for text in ("select count(*) from orders", "select count(*) from products"):
        assert dbgate(stage, "query", "prod-db", text).returncode == 0
    (tmp_path / "a.cedar").write_text(RULES)
    argv = ("policy", "diff", "default", str(tmp_path), "--replay", "1h..", "--json")
    assert dbgate(stage, *argv).returncode == 4, "alice may not read the log"
    done = dbgate(stage, *argv, person="carol")
    assert done.returncode == 4, done.stderr
    told = json.loads(done.stdout)
    denied = [case for case in told["cases"] if case["change"] == "denied"]
    assert "select count(*) from orders" in {case["text"] for case in denied}
    assert {rule["rule"] for case in denied for rule in case["after"]["rules"]} == {"no-orders"}

    suggested = dbgate(
        stage, "policy", "suggest", "--for", "alice", "--used", "1h..", person="carol"
    )
    assert suggested.returncode == 0, suggested.stderr
    assert '"public.products"' in suggested.stdout
