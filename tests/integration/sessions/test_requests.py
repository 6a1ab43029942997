"""Access requests: asked, seen, voted on, waited for, used."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import msgspec
import pytest

from dbgate_broker.sessions.releases import StoreReleases
from dbgate_broker.sessions.requests import Requests
from dbgate_broker.store import sessions
from dbgate_broker.store.engine import Store
from dbgate_core.contract import AskAccess
from dbgate_core.errors import AuditUnavailable, Denied, LimitExceeded, NotFound, UsageError
from dbgate_core.sql.analyse import analyse
from tests.integration.sessions.world import ASK_WRITE, CAROL, DAVE, READ, World, running
from tests.unit.approval.people import ALICE, BOB, CARL, CI, agent

DROP = msgspec.structs.replace(
    ASK_WRITE, access_role="", statement=" drop table orders;\n", reason="TICKET-2"
)


def kinds(world: World) -> list[object]:
    return [entry["kind"] for entry in world.log.entries]


def test_a_request_is_recorded_before_it_is_there(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        world.log.full = True
        with pytest.raises(AuditUnavailable):
            await world.requests.ask(ALICE, ASK_WRITE)
        assert await world.requests.list(ALICE) == []
        world.log.full = False
        made = await world.requests.ask(ALICE, ASK_WRITE)
        assert (made.state, made.approval, made.access_role) == ("pending", "dba:1", "readwrite")
        world.log.full = True
        with pytest.raises(AuditUnavailable):
            await world.requests.approve(BOB, made.id)
        assert (await world.requests.get(ALICE, made.id)).state == "pending"
        world.log.full = False
        approved = await world.requests.approve(BOB, made.id, "checked")
        assert approved.state == "approved"
        assert [(v.reviewer, v.vote, v.comment) for v in approved.votes] == [
            ("bob", "approve", "checked")
        ]
        assert kinds(world) == ["request_created", "request_voted", "request_decided"]
        assert world.log.entries[-1]["state"] == "approved"

    asyncio.run(story())


def test_the_same_pending_request_is_made_once(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        made = await asyncio.gather(*(world.requests.ask(ALICE, ASK_WRITE) for _ in range(6)))
        assert len({request.id for request in made}) == 1
        other = await world.requests.ask(BOB, ASK_WRITE)
        assert other.id != made[0].id
        assert len(world.log.of_kind("request_created")) == 2

    asyncio.run(story())


def test_only_what_can_be_approved_is_asked(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        bad: list[tuple[type[Exception], dict[str, object]]] = [
            (UsageError, {"reason": "  "}),
            (UsageError, {"reason": "x" * 1001}),
            (UsageError, {"duration_s": 9 * 3600}),
            (UsageError, {"duration_s": 0}),
            (UsageError, {"access_role": "readonly"}),
            (UsageError, {"statement": " ;; "}),
            (UsageError, {"statement": "select 1"}),
            (Denied, {"access_role": "admin"}),
            (Denied, {"access_role": "", "statement": "drop database shop"}),
            (NotFound, {"access_role": "root"}),
            (NotFound, {"database": "no-such-db"}),
        ]
        for error, change in bad:
            with pytest.raises(error):
                await world.requests.ask(ALICE, msgspec.structs.replace(ASK_WRITE, **change))
        with pytest.raises(Denied):
            await world.requests.ask(DAVE, ASK_WRITE)
        world.policy.powers.discard(("developers", "request"))
        with pytest.raises(Denied):
            await world.requests.ask(ALICE, ASK_WRITE)
        with pytest.raises(Denied):
            await world.requests.ask(ALICE, DROP)
        assert await world.requests.list(ALICE) == []

    asyncio.run(story())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("delete from orders where id = $1", "approval.not_whole"),
        ("prepare x as delete from orders", "approval.not_whole"),
        ("declare c cursor with hold for select f()", "approval.not_whole"),
    ],
)
def test_a_text_that_is_not_all_that_runs_cannot_be_approved(
    store: Store, text: str, code: str
) -> None:
    async def story() -> None:
        world = World(store)
        world.policy.held[text] = "dba:1"
        asked = Requests(world.config, store, world.policy, world.log, analyse, clock=world.clock)
        with pytest.raises(UsageError) as caught:
            await asked.ask(ALICE, msgspec.structs.replace(DROP, statement=text))
        assert caught.value.code == code

    asyncio.run(story())


def test_what_is_granted_already_is_said(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        await world.approved()
        with pytest.raises(UsageError) as caught:
            await world.requests.ask(ALICE, ASK_WRITE)
        assert "until 2026-05-04 10:00 UTC" in caught.value.message
        assert caught.value.hint == "dbgate connect prod-db --role readwrite"

    asyncio.run(story())


def test_an_empty_role_is_the_lowest_that_may_be_asked_for(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        ask = AskAccess(database="prod-db", access_role="", reason="x")
        assert (await world.requests.ask(ALICE, ask)).access_role == "readwrite"

    asyncio.run(story())


def test_nobody_floods_the_reviewers(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        for number in range(50):
            world.policy.held[f"drop table t{number}"] = "dba:1"
            ask = msgspec.structs.replace(DROP, statement=f"drop table t{number}")
            await world.requests.ask(ALICE, ask)
        with pytest.raises(LimitExceeded):
            await world.requests.ask(ALICE, DROP)

    asyncio.run(story())


def test_requests_are_seen_by_the_requester_reviewers_and_auditors(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        made = await world.requests.ask(ALICE, ASK_WRITE)
        for seeing in (ALICE, BOB, CAROL):
            assert [r.id for r in await world.requests.list(seeing)] == [made.id]
        for blind in (DAVE, agent(ALICE)):
            assert await world.requests.list(blind) == []
            for attempt in (
                world.requests.get(blind, made.id),
                world.requests.wait(blind, made.id, 0),
                world.requests.approve(blind, made.id),
                world.requests.withdraw(blind, made.id),
            ):
                with pytest.raises(NotFound):
                    await attempt
        with pytest.raises(NotFound):
            await world.requests.get(BOB, "r-none")
        with pytest.raises(UsageError):
            await world.requests.list(BOB, "undecided")

    asyncio.run(story())


def test_neither_requester_nor_agent_nor_job_nor_auditor_approves(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        own = await world.requests.ask(BOB, ASK_WRITE)
        made = await world.requests.ask(ALICE, ASK_WRITE)
        for reviewer, request in (
            (BOB, own.id),
            (agent(BOB, "copilot", "dba"), made.id),
            (replace(BOB, asserted_agent="claude"), made.id),
            (CI, made.id),
            (CAROL, made.id),
            (ALICE, made.id),
        ):
            with pytest.raises(Denied):
                await world.requests.approve(reviewer, request)
        assert world.log.of_kind("request_voted") == []

    asyncio.run(story())


def test_votes_at_once_are_all_counted_and_nobody_votes_twice(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        world.policy.quorum = "dba:2"
        made = await world.requests.ask(ALICE, ASK_WRITE)
        first, second = await asyncio.gather(
            world.requests.approve(BOB, made.id), world.requests.approve(CARL, made.id)
        )
        assert {first.state, second.state} == {"pending", "approved"}
        with pytest.raises(UsageError):
            await world.requests.approve(BOB, made.id)
        assert len(world.log.of_kind("request_voted")) == 2

    asyncio.run(story())


def test_one_denial_ends_it_and_withdrawing_is_the_requesters(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        made = await world.requests.ask(ALICE, ASK_WRITE)
        with pytest.raises(Denied):
            await world.requests.withdraw(BOB, made.id)
        assert (await world.requests.deny(BOB, made.id, "no")).state == "denied"
        with pytest.raises(UsageError):
            await world.requests.withdraw(ALICE, made.id)
        again = await world.requests.ask(ALICE, ASK_WRITE)
        assert (await world.requests.withdraw(ALICE, again.id)).state == "withdrawn"
        with pytest.raises(UsageError):
            await world.requests.approve(BOB, again.id)

    asyncio.run(story())


def test_a_waiter_is_woken_by_the_vote(store: Store) -> None:
    async def story() -> None:
        world = World(store)
        loop = asyncio.get_running_loop()
        made = await world.requests.ask(ALICE, ASK_WRITE)
        begun = loop.time()
        assert (await world.requests.wait(ALICE, made.id, 0.05)).state == "pending"
        waiting = asyncio.create_task(world.requests.wait(ALICE, made.id, 30))
        await world.requests.approve(BOB, made.id)
        assert (await waiting).state == "approved"
        assert loop.time() - begun < 5
        assert (await world.requests.wait(ALICE, made.id, 30)).state == "approved"

    asyncio.run(story())


def test_a_waiter_learns_of_another_brokers_vote(store: Store) -> None:
    async def story() -> None:
        world, other = World(store), World(store)
        made = await world.requests.ask(ALICE, ASK_WRITE)
        waiting = asyncio.create_task(world.requests.wait(ALICE, made.id, 30))
        await asyncio.sleep(0)
        await other.requests.approve(BOB, made.id)
        assert (await waiting).state == "approved"

    asyncio.run(story())


def test_a_request_lapses_and_that_is_recorded(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            made = await world.requests.ask(ALICE, ASK_WRITE)
            world.clock.move(24 * 3600)
            assert (await world.requests.get(ALICE, made.id)).state == "expired"
            with pytest.raises(UsageError):
                await world.requests.approve(BOB, made.id)
            await world.passes_until(lambda: bool(world.log.of_kind("request_decided")))
            assert world.log.of_kind("request_decided")[0]["state"] == "expired"

    asyncio.run(story())


async def releases_of(world: World) -> tuple[StoreReleases, str]:
    """The releases of a session of alice, and the digest of the statement that was approved."""
    request = await world.approved(DROP)
    opened = await world.sessions.open(ALICE, READ)
    row = world.store.call_now(sessions.load, opened.session.id)
    assert row is not None
    digest = str(world.log.of_kind("request_decided")[0]["digest"])
    assert (await world.requests.get(ALICE, request)).statement == "drop table orders"
    return StoreReleases(world.store, row, world.clock), digest


def test_an_approved_statement_is_released_once_however_many_race(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            releases, digest = await releases_of(world)
            assert releases.holds(digest, "dba:1")
            assert releases.holds(digest, "dba:1")
            with ThreadPoolExecutor(4) as threads:
                taken = list(threads.map(lambda _: releases.take(digest, "dba:1"), range(12)))
            assert sorted(taken)[:-1] == [""] * 11
            assert taken.count("") == 11
            assert not releases.holds(digest, "dba:1")

    asyncio.run(story())


def test_a_release_is_for_one_text_one_person_one_role_and_the_quorum_of_now(
    store: Store,
) -> None:
    async def story() -> None:
        async with running(store) as world:
            releases, digest = await releases_of(world)
            row = releases.session
            for other in (
                replace(row, principal=BOB),
                replace(row, principal=agent(ALICE, "copilot", "developers")),
                replace(row, database="dev-db"),
                replace(row, access_role="readwrite"),
            ):
                assert replace(releases, session=other).take(digest, "dba:1") == ""
            assert releases.take("0" * 64, "dba:1") == ""
            assert releases.take(digest, "dba:2") == ""
            world.clock.move(3600)
            assert releases.take(digest, "dba:1") == ""

    asyncio.run(story())


def test_a_store_that_is_away_releases_nothing(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            releases, digest = await releases_of(world)
            with store.transaction() as connection:
                connection.exec_driver_sql("alter table access_requests rename to gone")
            assert releases.take(digest, "dba:1") == ""
            assert not releases.holds(digest, "dba:1")
            with store.transaction() as connection:
                connection.exec_driver_sql("alter table gone rename to access_requests")

    asyncio.run(story())
