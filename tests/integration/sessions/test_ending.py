"""How sessions end: closed, killed, over, idle, without a lease, with the broker."""

import asyncio
from datetime import timedelta

import pytest

from dbgate_broker.gateway.seams import Tunnel
from dbgate_broker.sessions.live import MAX_CONNECTIONS
from dbgate_broker.store import leases
from dbgate_broker.store.engine import Store
from dbgate_broker.store.leases import LeaseState
from dbgate_broker.testing.sessions import Connection
from dbgate_core.contract import OpenedSession
from dbgate_core.errors import Denied, LimitExceeded, NotFound, Unreachable
from dbgate_core.secret import Secret
from tests.integration.sessions.world import (
    CAROL,
    DAVE,
    READ,
    WRITE,
    World,
    running,
    until,
)
from tests.unit.approval.people import ALICE, BOB, T0, agent


async def tunnel_of(world: World, opened: OpenedSession) -> Tunnel:
    token = Secret(opened.tunnel_token)
    return await world.sessions.authorize("prod-db", opened.session.id, token)


async def attached(world: World, opened: OpenedSession) -> Connection:
    connection = Connection()
    (await tunnel_of(world, opened)).attach(connection)
    return connection


def ended(connection: Connection) -> bool:
    return connection.ended is not None


def test_a_tunnel_is_given_for_its_own_token_and_database_alone(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            first = await world.sessions.open(ALICE, READ)
            second = await world.sessions.open(ALICE, READ)
            token = Secret(first.tunnel_token)
            tunnel = await world.sessions.authorize("prod-db", first.session.id, token)
            assert tunnel.session_id == first.session.id
            assert tunnel.username == "alice"
            assert (await tunnel.credentials()).username == first.session.db_user
            for database, session, shown in (
                ("prod-db", second.session.id, token),
                ("dev-db", first.session.id, token),
                ("prod-db", "s-none", token),
                ("prod-db", first.session.id, Secret("x" * 43)),
                ("prod-db", first.session.id, Secret("")),
                ("prod-db", first.session.id, Secret("\udcff")),
            ):
                with pytest.raises(Denied) as caught:
                    await world.sessions.authorize(database, session, shown)
                assert caught.value.message == "this session is not open"
            await world.sessions.close(ALICE, first.session.id)
            with pytest.raises(Denied):
                await world.sessions.authorize("prod-db", first.session.id, token)
            with pytest.raises(Denied):
                tunnel.attach(Connection())
            with pytest.raises(Denied):
                await tunnel.credentials()

    asyncio.run(story())


def test_closing_ends_connections_and_user_and_says_so(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            connection = await attached(world, opened)
            assert (await world.sessions.get(ALICE, opened.session.id)).connections == 1
            world.clock.move(60)
            closed = await world.sessions.close(ALICE, opened.session.id, "done")
            assert (closed.state, closed.close_reason) == ("closed", "done")
            assert connection.ended == ("57P01", "done")
            assert not world.vault.users
            (entry,) = world.log.of_kind("session_closed")
            assert (entry["connections"], entry["duration_s"]) == (1, 60)
            assert entry["lease_revoked"] is True
            assert entry["db_user"] == opened.session.db_user
            again = await world.sessions.close(ALICE, opened.session.id, "again")
            assert again.close_reason == "done"
            assert len(world.log.of_kind("session_closed")) == 1

    asyncio.run(story())


def test_a_password_that_still_works_after_the_revocation_is_said(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            world.lets_in = True
            await world.sessions.close(ALICE, opened.session.id)
            (entry,) = world.log.of_kind("session_closed")
            assert entry["lease_revoked"] is False

    asyncio.run(story())


def test_many_closes_at_once_are_one(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            closes = [world.sessions.close(ALICE, opened.session.id, f"{n}") for n in range(8)]
            infos = await asyncio.gather(*closes)
            assert len({info.close_reason for info in infos}) == 1
            assert len(world.log.of_kind("session_closed")) == 1

    asyncio.run(story())


def test_a_closer_who_goes_away_does_not_stop_the_closing(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            world.vault.gate.clear()
            closing = asyncio.create_task(world.sessions.close(ALICE, opened.session.id))
            await until(
                lambda: (
                    not closing.done()
                    and bool(world.sessions._roster.live[opened.session.id].is_shut)
                )
            )
            closing.cancel()
            world.vault.gate.set()
            await until(lambda: not world.vault.users, "the revocation")
            await until(lambda: bool(world.log.of_kind("session_closed")), "the entry")

    asyncio.run(story())


def test_sessions_are_seen_and_killed_by_those_who_may(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            session = opened.session.id
            for stranger in (DAVE, agent(ALICE)):
                assert await world.sessions.list(stranger) == []
                with pytest.raises(NotFound):
                    await world.sessions.get(stranger, session)
                with pytest.raises(NotFound):
                    await world.sessions.close(stranger, session)
            assert [s.id for s in await world.sessions.list(CAROL)] == [session]
            with pytest.raises(Denied):
                await world.sessions.close(CAROL, session)
            assert world.vault.users
            connection = await attached(world, opened)
            killed = await world.sessions.close(BOB, session, "laptop lost")
            assert killed.close_reason == "killed by bob: laptop lost"
            assert connection.ended is not None
            (entry,) = world.log.of_kind("session_closed")
            by = entry["by"]
            assert isinstance(by, dict)
            assert by["name"] == "bob"

    asyncio.run(story())


def test_a_person_sees_and_closes_what_her_agent_opened(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            robot = agent(ALICE, "copilot", "developers")
            opened = await world.sessions.open(robot, READ)
            assert opened.session.principal.on_behalf_of == "alice"
            assert (await world.sessions.close(ALICE, opened.session.id)).state == "closed"

    asyncio.run(story())


def test_at_the_end_of_the_window_connections_end_with_57p01(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            await world.approved()
            opened = await world.sessions.open(ALICE, WRITE)
            connection = await attached(world, opened)
            world.clock.move(3599)
            world.sessions._roster.look()
            assert not ended(connection)
            world.clock.move(1)
            with pytest.raises(Denied):
                await tunnel_of(world, opened)
            await until(lambda: ended(connection))
            assert connection.ended == ("57P01", "the session's window has ended")
            await until(lambda: not world.vault.users)

    asyncio.run(story())


def test_a_session_without_connections_ends_after_a_while_and_a_used_one_does_not(
    store: Store,
) -> None:
    async def story() -> None:
        async with running(store, idle_s=600, abandoned_s=10_000) as world:
            idle, used = (
                await world.sessions.open(ALICE, READ),
                await world.sessions.open(BOB, READ),
            )
            tunnel = await tunnel_of(world, used)
            number = tunnel.attach(Connection())
            world.clock.move(601)
            await until(lambda: len(world.vault.users) == 1)
            assert world.vault.users == {used.session.db_user}
            tunnel.detach(number)
            world.clock.move(599)
            world.sessions._roster.look()
            assert world.sessions._roster.live[used.session.id].closing is None
            world.clock.move(2)
            await until(lambda: not world.vault.users)
            closed = await world.sessions.get(ALICE, idle.session.id)
            assert "nothing was connected" in closed.close_reason

    asyncio.run(story())


def test_a_session_whose_dbgate_gives_no_sign_of_life_ends_soon(store: Store) -> None:
    async def story() -> None:
        async with running(store, abandoned_s=90) as world:
            roster = world.sessions._roster
            killed, watched, used = [await world.sessions.open(ALICE, READ) for _ in range(3)]
            tunnel = await tunnel_of(world, used)
            number = tunnel.attach(Connection())
            world.clock.move(60)
            await world.sessions.get(ALICE, watched.session.id)
            await world.sessions.get(BOB, killed.session.id)  # who may kill it, but does not own it
            await world.sessions.list(ALICE)
            world.clock.move(30)
            await until(lambda: killed.session.id not in roster.live, "the end")
            closed = await world.sessions.get(ALICE, killed.session.id)
            assert closed.close_reason == "its dbgate gave no sign of life for 90 s"
            world.clock.move(59)
            await tunnel_of(world, watched)  # the token is a sign of life, too
            tunnel.detach(number)
            world.clock.move(89)
            roster.look()
            assert roster.live[watched.session.id].closing is None
            assert roster.live[used.session.id].closing is None
            world.clock.move(1)
            await until(lambda: not world.vault.users, "the end of both")

    asyncio.run(story())


def test_clients_are_warned_once_before_the_end_and_late_ones_too(store: Store) -> None:
    async def story() -> None:
        async with running(store, max_s=3600) as world:
            opened = await world.sessions.open(ALICE, READ)
            early = await attached(world, opened)
            world.clock.move(3299)
            world.sessions._roster.look()
            assert early.warnings == []
            world.clock.move(1)
            world.sessions._roster.look()
            world.sessions._roster.look()
            late = await attached(world, opened)
            ends = (T0 + timedelta(hours=1)).strftime("%H:%M:%S")
            for connection in (early, late):
                assert connection.warnings == [f"this session ends at {ends} UTC"]
                assert not ended(connection)

    asyncio.run(story())


def test_a_short_session_is_warned_of_at_half_its_length(store: Store) -> None:
    async def story() -> None:
        async with running(store, max_s=60) as world:
            connection = await attached(world, await world.sessions.open(ALICE, READ))
            world.clock.move(29)
            world.sessions._roster.look()
            assert connection.warnings == []
            world.clock.move(1)
            world.sessions._roster.look()
            assert len(connection.warnings) == 1

    asyncio.run(story())


def test_leases_are_renewed_at_half_their_life_and_never_beyond_the_deadline(store: Store) -> None:
    async def story() -> None:
        async with running(store, max_s=6000, idle_s=100_000, abandoned_s=100_000) as world:
            opened = await world.sessions.open(ALICE, READ)
            held = world.sessions._roster.live[opened.session.id].held
            assert held.expires_at == T0 + timedelta(hours=1)
            world.clock.move(1800)
            await until(lambda: held.expires_at == T0 + timedelta(seconds=5400))
            world.clock.move(1800)
            await until(lambda: held.expires_at == T0 + timedelta(seconds=6000))
            world.clock.move(1300)
            await until(lambda: held.renew_at == T0 + timedelta(seconds=6000))
            assert world.vault.users

    asyncio.run(story())


def test_a_lease_that_vault_has_ended_ends_the_session(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            connection = await attached(world, opened)
            await world.vault.revoke(world.sessions._roster.live[opened.session.id].held.lease_id)
            world.clock.move(1800)
            await until(lambda: connection.ended is not None)
            await until(lambda: bool(world.log.of_kind("session_closed")))
            closed = await world.sessions.get(ALICE, opened.session.id)
            assert closed.close_reason == "Vault has ended its database user"

    asyncio.run(story())


def test_vault_away_at_renewal_leaves_the_session_until_its_lease_ends(store: Store) -> None:
    async def story() -> None:
        async with running(store, idle_s=100_000, abandoned_s=100_000) as world:
            opened = await world.sessions.open(ALICE, READ)
            connection = await attached(world, opened)
            world.vault.down = True
            world.clock.move(3599)
            await until(
                lambda: world.sessions._roster.live[opened.session.id].held.renew_at > world.clock()
            )
            assert connection.ended is None
            world.clock.move(2)
            await until(lambda: connection.ended is not None)

    asyncio.run(story())


def test_vault_away_at_the_close_is_made_good_when_it_is_back(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            world.vault.down = True
            closed = await world.sessions.close(ALICE, opened.session.id)
            assert closed.state == "closed"
            (entry,) = world.log.of_kind("session_closed")
            assert entry["lease_revoked"] is False
            (lease,) = store.call_now(leases.of_session, opened.session.id)
            assert lease.state is LeaseState.ENDING
            assert lease.trouble
            world.vault.down = False
            await world.passes_until(lambda: not world.vault.users, "the reaper's try")

    asyncio.run(story())


def test_the_number_of_connections_has_a_bound(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            tunnel = await tunnel_of(world, opened)
            numbers = [tunnel.attach(Connection()) for _ in range(MAX_CONNECTIONS)]
            assert len(set(numbers)) == MAX_CONNECTIONS
            with pytest.raises(LimitExceeded) as caught:
                tunnel.attach(Connection())
            assert caught.value.sqlstate == "53300"
            tunnel.detach(numbers[0])
            tunnel.detach(numbers[0])
            tunnel.attach(Connection())

    asyncio.run(story())


def test_stopping_closes_all_within_4_s_also_when_vault_hangs(store: Store) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        world = World(store)
        await world.sessions.start()
        opened = [await world.sessions.open(ALICE, READ) for _ in range(5)]
        connection = await attached(world, opened[0])
        world.vault.gate.clear()
        begun = loop.time()
        await world.sessions.stop()
        assert loop.time() - begun < 4
        assert connection.ended == ("57P01", "the broker is stopping")
        with pytest.raises(Unreachable):
            await world.sessions.open(ALICE, READ)
        world.vault.gate.set()
        assert len(world.vault.users) == 5
        successor = world.another()
        await successor.start()
        assert not world.vault.users
        await successor.stop()

    asyncio.run(story())


def test_stopping_in_the_middle_of_openings_leaves_nothing(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        await world.sessions.start()
        opening = [asyncio.create_task(world.sessions.open(ALICE, READ)) for _ in range(6)]
        await until(lambda: bool(world.vault.users))
        await world.sessions.stop()
        await asyncio.gather(*opening, return_exceptions=True)
        assert not world.vault.users
        assert not world.sessions._roster.tasks
        assert await world.another().list(ALICE) == []

    asyncio.run(story())


def test_an_opener_who_goes_away_leaves_nothing_open(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            world.vault.gate.clear()
            opening = asyncio.create_task(world.sessions.open(ALICE, READ))
            await until(lambda: any(True for _ in store.call_now(leases.intents, "ro")))
            opening.cancel()
            world.vault.gate.set()
            await asyncio.gather(opening, return_exceptions=True)
            await until(lambda: not world.vault.users and not world.sessions._roster.tasks)
            assert await world.sessions.list(ALICE) == []

    asyncio.run(story())
