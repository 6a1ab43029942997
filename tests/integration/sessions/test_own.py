"""The broker's own sessions: recorded and given back as anybody's, whatever ends them."""

from __future__ import annotations

import asyncio

import pytest

from dbgate_broker.classify.service import CLASSIFIER
from dbgate_broker.store import leases
from dbgate_broker.store.engine import Store
from dbgate_broker.store.leases import LeaseState
from dbgate_core.errors import AuditUnavailable, Unreachable
from tests.integration.sessions.world import World, running


def ended(world: World, store: Store) -> None:
    assert world.vault.users == set()
    (closed,) = world.log.of_kind("session_closed")
    assert closed["who"] == {
        "kind": "Workload",
        "name": "dbgate-classifier",
        "issuer": "dbgate",
        "subject": "classifier",
        "groups": [],
    }
    (lease,) = store.call_now(leases.of_session, str(closed["session"]))
    assert lease.state is LeaseState.ENDED


def test_it_has_a_user_of_the_lowest_role_and_gives_it_back(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            database = world.config.databases[0]
            async with world.sessions.borrow(CLASSIFIER, database, "to look", 60) as own:
                assert {own.credentials.username} == world.vault.users
                assert own.scope["access_role"] == "readonly"
                (opened,) = world.log.of_kind("session_opened")
                assert (opened["session"], opened["reason"]) == (own.scope["session"], "to look")
            ended(world, store)

    asyncio.run(story())


@pytest.mark.parametrize("failure", [ValueError, asyncio.CancelledError])
def test_what_goes_wrong_within_gives_it_back(store: Store, failure: type[BaseException]) -> None:
    async def story() -> None:
        async with running(store) as world:
            with pytest.raises(failure):
                async with world.sessions.borrow(CLASSIFIER, world.config.databases[0], "x", 60):
                    raise failure
            ended(world, store)

    asyncio.run(story())


def test_without_a_log_there_is_none(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            world.log.full = True
            with pytest.raises(AuditUnavailable):
                async with world.sessions.borrow(CLASSIFIER, world.config.databases[0], "x", 60):
                    raise AssertionError("it was entered")
            assert world.vault.users == set()

    asyncio.run(story())


def test_a_broker_that_stops_lends_nothing(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            await world.sessions.drain(0)
            with pytest.raises(Unreachable):
                world.sessions.borrow(CLASSIFIER, world.config.databases[0], "x", 60)

    asyncio.run(story())
