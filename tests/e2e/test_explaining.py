"""A statement explained by the broker: its own policies and tables, for whoever is signed in."""

from __future__ import annotations

import json

import pytest

from tests.demo.stage import Stage
from tests.e2e.commands import dbgate

pytestmark = pytest.mark.e2e

EXPLAIN = ("policy", "explain", "--broker", "--database", "prod-db")


def test_it_names_effects_rules_and_what_to_ask_for(stage: Stage) -> None:
    assert dbgate(stage, "query", "prod-db", "select 1").returncode == 0
    done = dbgate(stage, *EXPLAIN, "update products set price = 1 where id = 1")
    assert done.returncode == 4, done.stderr
    assert "table public.products" in done.stdout
    assert "readonly-changes-nothing (statements.cedar:" in done.stdout
    assert "in the access role readwrite: dbgate request-approval prod-db" in done.stdout
    held = dbgate(stage, *EXPLAIN, "--role", "readwrite", "drop table products", "--json")
    assert held.returncode == 5, held.stderr
    told = json.loads(held.stdout)
    assert (told["verdict"], told["access_role"]) == ("hold", "readwrite")
    assert dbgate(stage, *EXPLAIN, "select name from products").returncode == 0


def test_nothing_of_it_runs_and_it_is_on_record(stage: Stage) -> None:
    text = "delete from products where id = 424242"
    dbgate(stage, *EXPLAIN, text)
    found = dbgate(stage, "audit", "search", "--text", text, "--json", person="carol").stdout
    kinds = {json.loads(line)["kind"] for line in found.splitlines()}
    assert kinds == {"statement_explained"}


def test_who_may_not_open_it_learns_nothing_of_it(stage: Stage) -> None:
    done = dbgate(stage, *EXPLAIN, "select * from products", person="carol")
    assert done.returncode == 2, done.stdout
    assert "there is no database 'prod-db' that you may see" in done.stderr
    assert done.stdout == ""
