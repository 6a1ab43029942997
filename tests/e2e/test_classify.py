"""Columns without a telling name are masked once their values were seen; so are members of documents."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from tests.demo.stage import Stage
from tests.e2e.commands import dbgate, wait_for
from tests.e2e.tunnel import Tunnel, tunnel

pytestmark = pytest.mark.e2e

LOOK_S = 60.0
"""The classifier gives way to everything else."""
CARDS = ("4539578763621486", "5425233430109903", "4916338506082832", "2720993847665529")
SCHEMA = """
create table vault_items (id int primary key, v1 text, v2 jsonb, v3 text);
insert into vault_items
select n, (array['4539578763621486', '5425233430109903', '4916338506082832'])[1 + n % 3],
       jsonb_build_object('email', 'person' || n || '@example.com', 'theme', 'dark' || n,
                          'lines', jsonb_build_array(jsonb_build_object('sku', 'A-' || n))),
       'thing ' || n
from generate_series(1, 60) n;
create table vault_trail (at timestamptz default now(), op text, was text);
create function vault_notes() returns trigger language plpgsql as
$$ begin insert into vault_trail (op, was) values (tg_op, new.email); return new; end $$;
create trigger notes after update on customers for each row execute function vault_notes();
update customers set full_name = full_name where id = 1;
grant select on vault_items, vault_trail to public;
"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One of its own: the tables are there before its broker first looks at the database."""
    with Stage() as running:
        with psycopg.connect(running.ready["postgres"]["prod-db"]) as connection:
            connection.execute(SCHEMA.encode())
        yield running


@pytest.fixture(scope="module")
def prod(stage: Stage) -> Iterator[Tunnel]:
    with tunnel(stage, "alice", "prod-db") as opened:
        yield opened


def classes(stage: Stage) -> dict[tuple[str, str], list[str]]:
    done = dbgate(stage, "databases", "classify", "prod-db", "--all", "--json", person="carol")
    assert done.returncode == 0, done.stderr
    columns = json.loads(done.stdout)["columns"]
    return {(one["column"], one["path"]): one["classes"] for one in columns}


def test_what_a_column_holds_is_found_and_masked(stage: Stage, prod: Tunnel) -> None:
    assert prod.psql("select count(*) from vault_items").returncode == 0
    wait_for(lambda: ("public.vault_items.v3", "") in classes(stage), LOOK_S)
    found = classes(stage)
    assert found["public.vault_items.v1", ""] == ["card_number"]
    assert found["public.vault_items.v2", "email"] == ["email"]
    assert found["public.vault_items.v3", ""] == []

    shown = prod.psql("select v1 from vault_items").stdout
    assert not any(card in shown for card in CARDS)
    assert "***" in shown
    assert "person7@" not in prod.psql("select v2 from vault_items").stdout
    member = prod.psql("select v2->>'email' from vault_items where id = 7").stdout
    assert "person7@" not in member
    assert "@example.com" in member
    assert prod.psql("select v2->>'theme' from vault_items where id = 7").stdout.strip() == "dark7"
    sku = prod.psql("select v2->'lines'->0->>'sku' from vault_items where id = 7")
    assert sku.stdout.strip() == "A-7"
    pairs = prod.psql("select key, value from vault_items, jsonb_each_text(v2)").stdout
    assert "person7@" not in pairs
    assert prod.psql("select v3 from vault_items where id = 7").stdout.strip() == "thing 7"


def test_what_a_trigger_writes_is_masked_and_said_to_be_its(stage: Stage, prod: Tunnel) -> None:
    shown = prod.psql("select op, was from vault_trail")
    assert shown.stdout.startswith("UPDATE|")
    assert "***" in shown.stdout
    told = dbgate(stage, "databases", "classify", "prod-db", "--json", person="carol")
    columns = {one["column"]: one for one in json.loads(told.stdout)["columns"]}
    found = columns["public.vault_trail.was"]
    assert (found["classes"], found["source"]) == (["email"], "code")
    assert "trigger" in json.dumps(found)
    assert "public.vault_trail.op" not in columns


def test_where_values_lie_is_not_for_everybody(stage: Stage, prod: Tunnel) -> None:
    refused = dbgate(stage, "databases", "classify", "prod-db", person="alice")
    assert refused.returncode == 4
    assert "v1" not in refused.stdout
    table = dbgate(stage, "databases", "classify", "prod-db", person="bob").stdout
    assert "card numbers (issuer range, Luhn)" in table


def test_the_log_says_what_was_sampled_and_never_a_value(stage: Stage, prod: Tunnel) -> None:
    def entries(kind: str) -> list[dict[str, object]]:
        done = dbgate(stage, "audit", "search", "--kind", kind, "--json", person="carol")
        assert done.returncode == 0, done.stderr
        assert not any(card in done.stdout for card in CARDS)
        assert "person7@" not in done.stdout
        return [json.loads(line) for line in done.stdout.splitlines()]

    sampled = [e for e in entries("columns_sampled") if e["table"] == "public.vault_items"]
    assert sampled
    scope = sampled[0]["scope"]
    assert isinstance(scope, dict)
    assert scope["who"]["name"] == "dbgate-classifier"
    assert scope["db_user"].startswith("v-")
    assert entries("columns_classified")
    changed = [c for e in entries("classes_changed") for c in e["changes"]]  # type: ignore[attr-defined]
    assert {"column": "public.vault_items.v1", "after": ["card_number"]}.items() <= next(
        c for c in changed if c["column"] == "public.vault_items.v1"
    ).items()
