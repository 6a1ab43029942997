"""Sessions of a broker that drains: none opens, none is joined, each ends when nothing of it runs."""

import asyncio

import pytest

from dbgate_broker.store.engine import Store
from dbgate_broker.testing.sessions import Connection
from dbgate_core.errors import Denied, Unreachable
from dbgate_core.secret import Secret
from tests.integration.sessions.world import READ, running, until
from tests.unit.approval.people import ALICE


def test_a_session_ends_when_its_last_connection_has(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            idle = await world.sessions.open(ALICE, READ)
            busy = await world.sessions.open(ALICE, READ)
            tunnel = await world.sessions.authorize(
                "prod-db", busy.session.id, Secret(busy.tunnel_token)
            )
            connection = Connection()
            number = tunnel.attach(connection)
            draining = asyncio.create_task(world.sessions.drain(60))
            await until(lambda: connection.drained is not None)
            assert connection.drained == ("57P01", "the broker is stopping")
            assert connection.ended is None
            with pytest.raises(Denied, match="the broker is stopping"):
                tunnel.attach(Connection())
            assert (await tunnel.credentials()).username == busy.session.db_user
            with pytest.raises(Unreachable, match="the broker is stopping"):
                await world.sessions.open(ALICE, READ)
            await until(lambda: idle.session.id not in {s.session_id for s in world.sessions.live})
            assert not draining.done()
            tunnel.detach(number)
            assert await draining
            assert not world.sessions.live

    asyncio.run(story())


def test_the_limit_ends_the_wait(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            tunnel = await world.sessions.authorize(
                "prod-db", opened.session.id, Secret(opened.tunnel_token)
            )
            connection = Connection()
            tunnel.attach(connection)
            assert not await world.sessions.drain(0)
            await world.sessions.stop()
            assert connection.ended == ("57P01", "the broker is stopping")

    asyncio.run(story())


def test_a_broker_without_sessions_is_drained_at_once(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            assert await world.sessions.drain(60)

    asyncio.run(story())
