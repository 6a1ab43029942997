"""Limits of a day: counted for a principal over sessions, restarts and brokers, and begun anew at midnight."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dbgate_broker.sessions.days import Days
from dbgate_broker.store import usage
from dbgate_broker.store.engine import Store
from dbgate_broker.testing.sessions import ManualClock
from dbgate_core.approval.people import identity
from dbgate_core.budget import Budget, Day, Used
from dbgate_core.contract import OpenSession
from dbgate_core.decision import Decision, SessionLimits
from dbgate_core.errors import Denied, LimitExceeded
from tests.integration.sessions.world import READ, World, running
from tests.unit.approval.people import ALICE, BOB, T0, agent

FIVE = SessionLimits(day_statements=5)


def limit(world: World, limits: SessionLimits = FIVE) -> None:
    """Let the policy's permits have these limits."""
    connect = world.policy.connect

    def limited(*args: Any, **options: Any) -> Decision:
        return replace(connect(*args, **options), limits=limits)

    world.policy.connect = limited  # type: ignore[method-assign]


def budget_of(world: World, session: str) -> Budget:
    (found,) = [live for live in world.sessions.live if live.session_id == session]
    return found._guarded.budget


def test_sessions_of_one_share_a_count_that_a_restart_keeps(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            limit(world)
            for _ in range(2):
                opened = await world.sessions.open(ALICE, READ)
                for _ in range(2):
                    budget_of(world, opened.session.id).statement()
            first, _ = world.log.of_kind("session_opened")
            assert first["limits"] == {"day_statements": 5}
            bobs = await world.sessions.open(BOB, READ)
            budget_of(world, bobs.session.id).statement()
        async with running(store) as world:
            limit(world)
            opened = await world.sessions.open(ALICE, READ)
            budget_of(world, opened.session.id).statement()
            with pytest.raises(LimitExceeded, match="5 statements of prod-db a day") as caught:
                budget_of(world, opened.session.id).statement()
            assert caught.value.code == "policy.day_statements"
            assert "00:00 UTC" in caught.value.hint
            with pytest.raises(Denied, match="5 statements of prod-db a day"):
                await world.sessions.open(ALICE, READ)
            assert len(world.vault.users) == 1, "nobody took a lease for what may not begin"
            named = OpenSession(database="prod-db", agent="another-name")
            with pytest.raises(Denied):
                await world.sessions.open(ALICE, named)
            world.clock.move(86_400)
            opened = await world.sessions.open(ALICE, READ)
            budget_of(world, opened.session.id).statement()

    asyncio.run(story())


def counting(store: Store, clock: ManualClock, *used: Day) -> Days:
    return Days(store, clock, lambda: used)


def test_brokers_of_one_store_learn_of_each_other(store: Store) -> None:
    async def story() -> None:
        clock = ManualClock(T0)
        one, other = counting(store, clock), counting(store, clock)
        here, there = await one.of(ALICE, "prod-db"), await other.of(ALICE, "prod-db")
        here.unsaved = Used(2, 30, 400)
        there.unsaved = Used(1, 1, 1)
        for days in (one, other, one):
            await days.save()
        sums = Used(3, 31, 401)
        assert there.used == sums
        assert here.used == (Used(2, 30, 400) if store.single_broker else sums)
        assert (await counting(store, clock).of(ALICE, "prod-db")).used == sums
        assert (await one.of(ALICE, "dev-db")).used == Used()
        assert (await one.of(agent(ALICE, "copilot"), "prod-db")).used == Used()

    asyncio.run(story())


def test_what_is_counted_around_midnight_is_of_one_day_or_the_other(store: Store) -> None:
    async def story() -> None:
        clock = ManualClock(T0)
        days = counting(store, clock)
        day = await days.of(ALICE, "prod-db")
        day.unsaved = Used(2)
        clock.move(86_400)
        await days.save()
        assert day.used == Used()
        day.unsaved = Used(3)
        await days.save()
        place = ("prod-db", identity(ALICE))
        dates = (T0.date(), T0.date() + timedelta(days=1))
        with store.transaction() as connection:
            assert [usage.load(connection, date, place).statements for date in dates] == [2, 3]
        clock.move(86_400 * (usage.KEPT_DAYS + 2))
        await days.save()
        with store.transaction() as connection:
            assert usage.load(connection, dates[0], place) == Used()

    asyncio.run(story())


def test_a_count_that_nobody_uses_is_dropped_and_one_in_use_is_not(store: Store) -> None:
    async def story() -> None:
        clock, used = ManualClock(T0), list[Day]()
        days = Days(store, clock, lambda: used)
        used.append(await days.of(ALICE, "prod-db"))
        await days.of(BOB, "prod-db")
        for _ in range(2):
            clock.move(86_400)
            await days.save()
        assert list(days._days.values()) == used
        assert await days.of(ALICE, "prod-db") is used[0]

    asyncio.run(story())
