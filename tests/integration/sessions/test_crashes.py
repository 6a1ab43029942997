"""The broker dies, or a service fails, between any two steps: nothing stays alive."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from dbgate_broker.sessions.service import Sessions
from dbgate_broker.store import leases, sessions
from dbgate_broker.store.engine import Store, open_store
from dbgate_broker.store.leases import LeaseRow, LeaseState
from dbgate_broker.store.sessions import SessionState
from dbgate_broker.testing.sessions import NoGuards
from dbgate_core.errors import DbgateError, Unreachable
from tests.integration.credentials.servers import PASSWORD, Postgres
from tests.integration.sessions.mortal import Life, MortalProvider, MortalStore
from tests.integration.sessions.world import READ, World, new_store, running
from tests.unit.approval.people import ALICE

MOST_STEPS = 60


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Both kinds of store; in PostgreSQL's, other brokers may live."""
    if request.param == "sqlite":
        opened = new_store(tmp_path)
    else:
        database: Postgres = request.getfixturevalue("estate").database
        name = f"state_{uuid4().hex}"
        database.query(f"create database {name}")
        at = f"127.0.0.1:{database.port}/{name}?sslmode=disable"
        opened = open_store(f"postgresql://postgres:{PASSWORD}@{at}")
    yield opened
    opened.close()


def mortal(world: World, life: Life) -> Sessions:
    return Sessions(
        world.config,
        MortalStore(world.store, life),
        MortalProvider(world.vault, life),
        world.policy,
        world.log,
        NoGuards(),
        clock=world.clock,
        proof=world.refused,
    )


async def open_and_close(doomed: Sessions) -> None:
    opened = await doomed.open(ALICE, READ)
    await doomed.close(ALICE, opened.session.id)


def live_through(world: World, life: Life) -> asyncio.Task[None]:
    """Play a session, until its process dies if it does."""
    task = asyncio.create_task(open_and_close(mortal(world, life)))
    task.add_done_callback(lambda _: life.dead.set())
    return task


def nothing_left(world: World) -> bool:
    store = world.store
    rows = store.call_now(sessions.listing)
    journal = [lease for row in rows for lease in store.call_now(leases.of_session, row.id)]
    return (
        not world.vault.users
        and all(row.state is SessionState.CLOSED for row in rows)
        and all(lease.state is LeaseState.ENDED for lease in journal)
    )


def test_a_broker_that_dies_at_any_step_leaves_nothing_after_the_next_start(store: Store) -> None:
    async def story() -> int:
        world = World(store)
        for dies_at in range(MOST_STEPS):
            life = Life(dies_at)
            task = live_through(world, life)
            await life.dead.wait()
            alive = len(world.vault.users)
            assert alive <= 1
            successor = world.another()
            await successor.start()
            assert nothing_left(world), f"after a crash at step {dies_at}"
            await successor.stop()
            if task.done():
                return dies_at
            life.buried.set()
            await asyncio.gather(task, return_exceptions=True)
        raise AssertionError("it never finishes")

    assert asyncio.run(story()) > 12


class Failing(Life):
    """Not a death but a fault: the one call at that step fails, before or after its effect."""

    async def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Unreachable("a fault", hint="of the test")


def test_a_service_that_fails_once_at_any_step_leaves_nothing(store: Store) -> None:
    async def story() -> int:
        async with running(store) as world:
            for fails_at in range(1, MOST_STEPS):
                life = Failing(fails_at)
                tried = mortal(world, life)
                with contextlib.suppress(DbgateError):
                    await open_and_close(tried)
                failed, life.dies_at = life.steps >= fails_at, -1
                for session in list(tried._roster.live.values()):
                    await tried._roster.end(session, "cleaning up")
                await tried._reap()
                await world.passes_until(lambda: nothing_left(world), f"the end after {fails_at}")
                if not failed:
                    return fails_at
            raise AssertionError("it never finishes")

    assert asyncio.run(story()) > 12


def test_a_start_without_vault_succeeds_and_makes_good_later(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        await world.sessions.open(ALICE, READ)
        world.vault.down = True
        successor = world.another()
        await successor.start()
        assert world.vault.users
        world.vault.down = False
        await world.passes_until(lambda: nothing_left(world))
        await successor.stop()

    asyncio.run(story())


def test_a_lease_that_only_vault_knows_is_revoked_and_one_being_taken_is_not(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        await world.vault.issue("ro", 3600)
        await world.sessions.start()
        assert not world.vault.users
        orphans, opened = world.sessions._orphans, await world.sessions.open(ALICE, READ)
        await orphans.sweep("ro")
        assert world.vault.users == {opened.session.db_user}
        row = store.call_now(sessions.load, opened.session.id)
        assert row is not None
        intent = LeaseRow("l-2", row.id, "prod-db", "ro", world.clock())
        store.call_now(leases.intend, intent)
        taken = await world.vault.issue("ro", 3600)
        assert not await orphans.sweep("ro")
        assert taken.username in world.vault.users
        world.clock.move(1)
        assert store.call_now(
            leases.activate, "l-2", taken.lease_id, taken.username, taken.expires_at
        )
        assert await orphans.sweep("ro")
        assert taken.username in world.vault.users
        await world.sessions.stop()

    asyncio.run(story())


def test_sessions_of_a_living_broker_are_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        monkeypatch.setattr(type(store), "single_broker", False)
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            other = world.another()
            await other.start()
            assert world.vault.users == {opened.session.db_user}
            closed = await other.close(ALICE, opened.session.id)
            assert closed.state == "closed"
            assert not world.vault.users
            await world.passes_until(lambda: not world.sessions._roster.live, "its notice")
            await other.stop()

    asyncio.run(story())
