"""Who is told what a name stands for: only those who may open a session there, now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from dbgate_broker.catalog import CatalogService
from dbgate_broker.explaining import Explainer
from dbgate_broker.live_policies import LivePolicies
from dbgate_broker.store.engine import Store
from dbgate_core.catalog import Catalog
from dbgate_core.contract import Explain, Explanation
from dbgate_core.policy.sketch import sketch
from tests.integration.sessions.world import World
from tests.unit.approval.people import ALICE, BOB
from tests.unit.policy.people import rules

RULES = (
    '@id("all") permit(principal, action, resource);'
    '@id("ask") @approval("dba:1") forbid(principal, action == Action::"connect", resource)'
    'when { context.access_role == "readonly" } unless { principal in Group::"dba" };'
    '@id("no") forbid(principal, action == Action::"connect", resource)'
    'when { context.access_role != "readonly" };'
)
ASK = Explain(database="prod-db", statement="select * from shown")


class Known(CatalogService):
    """A catalog that was read."""

    def newest(self, database_name: str) -> Catalog | None:
        return sketch("create table hidden (id int); create view shown as select id from hidden")


def explained(world: World, who: Any) -> Explanation:
    policies = LivePolicies(Path("unused"), rules(RULES), world.log)
    explainer = Explainer(world.config, policies, Known(), world.log, world.store, world.clock)
    return asyncio.run(explainer.explain(who, ASK))


def kinds(found: Explanation) -> set[str]:
    return {effect["kind"] for effect in found.explanation["effects"]}


def test_who_has_to_be_approved_first_is_told_nothing_of_the_tables(store: Store) -> None:
    world = World(store)
    found = explained(world, ALICE)
    assert (found.access_role, found.catalog) == ("readonly", False)
    assert kinds(found) == {"table"}, "what the grammar alone says"
    assert world.log.of_kind("statement_explained")[0]["text"] == ASK.statement


def test_who_may_open_it_is_told_that_it_is_a_view(store: Store) -> None:
    found = explained(World(store), BOB)
    assert found.catalog
    assert kinds(found) == {"view"}
