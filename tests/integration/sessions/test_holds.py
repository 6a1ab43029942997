"""The wait of a held statement: asked, shown, decided, taken back; every end on record."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.sessions.holding import Holding
from dbgate_broker.sessions.releases import StoreReleases
from dbgate_broker.store import sessions
from dbgate_broker.store.engine import Store
from dbgate_broker.store.sessions import SessionRow
from dbgate_broker.testing.gateway import DiaryGuard
from dbgate_core.approval.digest import statement_digest
from dbgate_core.contract import AccessRequestInfo
from dbgate_core.errors import Denied
from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.secret import Secret
from tests.integration.sessions.world import READ, World, until
from tests.unit.approval.people import ALICE, BOB, CARL, agent

TEXT = "drop table orders"
DIGEST = statement_digest(TEXT, "prod-db", "readonly")
WHY = Refusal("42501", "dropping is held", hint="ask for it", rule="held")
HOLD = Hold(TEXT, TEXT, DIGEST, "dba:1", WHY, ("dropping the table orders",), plannable=True)
NOBODY = Credentials("v-alice", Secret("x"))


@dataclass
class Place:
    """A world with an open session of alice, and everything that waits in it."""

    world: World
    row: SessionRow
    hold_s: int = 600
    planned: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.guard = DiaryGuard()
        self.holding = Holding(self.world.requests, self.estimate)

    async def estimate(self, database: object, credentials: object, statement: str) -> int | None:
        self.planned.append(statement)
        return 42

    @property
    def session(self) -> GuardedSession:
        database = self.world.config.databases[0]
        return GuardedSession(
            self.row.id, self.row.principal, database, "readonly", self.releases, "T-7", self.hold_s
        )

    @property
    def releases(self) -> StoreReleases:
        return StoreReleases(self.world.store, self.row, self.world.clock)

    def wait(self, hold: Hold = HOLD, *, short: bool = False) -> asyncio.Task[Refusal]:
        return asyncio.create_task(self.answer(hold, short=short))

    async def answer(self, hold: Hold = HOLD, *, short: bool = False) -> Refusal:
        """What is due unless it may run; the statement is not to be judged anew."""
        answer = await self.decided(hold, short=short)
        assert answer is not None
        return answer

    async def decided(self, hold: Hold = HOLD, *, short: bool = False) -> Refusal | None:
        return await self.holding.decide(
            self.session, self.guard, hold, NOBODY, in_transaction=short,
            tell=lambda message, hint: self.told.append(f"{message} {hint}"),
        )  # fmt: skip

    async def asked(self, count: int = 1) -> list[AccessRequestInfo]:
        """The requests, the newest first, once all were told of."""
        await until(lambda: len(self.told) == count, "the notice")
        return await self.world.requests.list(ALICE)

    def ends(self) -> list[tuple[object, object]]:
        entries = [entry for kind, entry in self.guard.entries if kind == "statement_hold_ended"]
        return [(entry["request"], entry["outcome"]) for entry in entries]


async def place(store: Store, **changes: Any) -> Place:
    world = World(store)
    opened = await world.sessions.open(ALICE, READ)
    row = await store.call(sessions.load, opened.session.id)
    assert row is not None
    return Place(world, row, **changes)


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_reviewers_see_what_it_does_and_the_client_what_to_type(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = here.wait()
        (request,) = await here.asked()
        assert (request.statement, request.effects, request.estimated_rows) == (
            TEXT, ["dropping the table orders"], 42,
        )  # fmt: skip
        assert request.reason == f"T-7 (held in session {here.row.id})"
        assert (request.expires_at - request.created_at).total_seconds() == 600
        assert f"dbgate approve {request.id}" in here.told[0]
        assert here.world.log.of_kind("request_created")[0]["estimated_rows"] == 42
        await here.world.requests.approve(BOB, request.id)
        assert (await waiting).hint == f"dbgate requests show {request.id}"
        assert here.releases.take(DIGEST, "dba:1") == request.id
        assert here.releases.take(DIGEST, "dba:1") == ""
        kinds = [kind for kind, _ in here.guard.entries]
        assert kinds == ["statement_held", "statement_hold_ended"]
        assert here.guard.entries[1][1]["by"][0]["name"] == "bob"  # type: ignore[index]  # as JSON

    play(story())


def test_what_explain_would_run_is_not_planned(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = here.wait(replace(HOLD, plannable=False))
        (request,) = await here.asked()
        assert (request.estimated_rows, here.planned) == (None, [])
        await here.world.requests.deny(BOB, request.id)
        await waiting

    play(story())


def test_a_denial_says_who_and_why(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = here.wait()
        (request,) = await here.asked()
        await here.world.requests.deny(BOB, request.id, "not on a friday")
        told = await waiting
        assert told.message == f"request {request.id} was denied by bob: not on a friday"
        assert (told.sqlstate, told.rule) == ("42501", "held")
        assert not here.releases.holds(DIGEST, "dba:1")
        assert here.ends() == [(request.id, "denied")]

    play(story())


@pytest.mark.parametrize(("short", "limit_s"), [(False, 600), (True, 30)])
def test_it_lapses_with_its_limit(store: Store, short: bool, limit_s: int) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = here.wait(short=short)
        (request,) = await here.asked()
        here.world.clock.move(limit_s - 1)
        assert (await here.world.requests.get(ALICE, request.id)).state == "pending"
        here.world.clock.move(1)
        assert "in time" in (await waiting).message
        with pytest.raises(Exception, match="expired"):
            await here.world.requests.approve(BOB, request.id)
        assert here.ends() == [(request.id, "expired")]

    play(story())


def test_a_cancelled_wait_takes_its_request_back(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = here.wait()
        (request,) = await here.asked()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await here.holding.stop()
        assert (await here.world.requests.get(ALICE, request.id)).state == "withdrawn"
        assert here.ends() == [(request.id, "withdrawn")]
        with pytest.raises(Exception, match="withdrawn"):
            await here.world.requests.approve(BOB, request.id)

    play(story())


def test_one_cancelled_while_it_is_asked_leaves_nothing_pending(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        for turns in range(12):
            waiting = here.wait()
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await here.holding.stop()
        states = {request.state for request in await here.world.requests.list(ALICE)}
        assert states <= {"withdrawn"}

    play(story())


def test_each_of_two_has_a_request_of_its_own(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        first = here.wait()
        (one,) = await here.asked()
        second = here.wait()
        other = next(r for r in await here.asked(2) if r.id != one.id)
        await here.world.requests.approve(BOB, other.id)
        await second
        assert not first.done()
        assert here.releases.take(DIGEST, "dba:1") == other.id
        await here.world.requests.deny(BOB, one.id)
        assert "denied" in (await first).message

    play(story())


def test_nobody_releases_his_own_nor_an_agent(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = here.wait()
        (request,) = await here.asked()
        for who in (ALICE, agent(BOB, "copilot", "dba"), agent(ALICE, "copilot", "dba")):
            with pytest.raises(Denied):
                await here.world.requests.approve(who, request.id)
        assert not waiting.done()
        await here.world.requests.withdraw(ALICE, request.id)
        assert (await waiting).sqlstate == "57014"
        assert here.ends() == [(request.id, "withdrawn")]

    play(story())


def test_an_approval_serves_this_text_role_and_person(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = here.wait()
        (request,) = await here.asked()
        await here.world.requests.approve(BOB, request.id)
        await waiting
        for text, role in ((f"{TEXT} cascade", "readonly"), (TEXT, "readwrite")):
            assert not here.releases.holds(statement_digest(text, "prod-db", role), "dba:1")
        carls = StoreReleases(here.world.store, replace(here.row, principal=CARL), here.world.clock)
        assert not carls.holds(DIGEST, "dba:1")
        here.world.clock.move(61)
        assert not here.releases.holds(DIGEST, "dba:1")

    play(story())


def test_a_decision_of_another_broker_is_noticed(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = here.wait()
        (request,) = await here.asked()
        await World(store).requests.approve(BOB, request.id)
        await waiting
        assert here.ends() == [(request.id, "approved")]

    play(story())


def test_other_policies_end_the_wait_and_take_its_request_back(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        waiting = asyncio.create_task(here.decided())
        (request,) = await here.asked()
        here.guard.changed = True
        assert await waiting is None
        await here.holding.stop()
        assert here.ends() == [(request.id, "policy_changed")]
        assert (await here.world.requests.get(ALICE, request.id)).state == "withdrawn"

    play(story())


def test_whoever_may_not_ask_is_refused_at_once(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        here.world.policy.powers.discard(("developers", "request"))
        told = await here.wait()
        assert (told.sqlstate, told.message) == ("42501", WHY.message)
        assert await here.world.requests.list(ALICE) == []
        assert here.guard.entries == []

    play(story())


def test_without_a_log_nothing_waits(store: Store) -> None:
    async def story() -> None:
        here = await place(store)
        here.world.log.full = True
        assert (await here.wait()).sqlstate == "53100"
        assert await here.world.requests.list(ALICE) == []

    play(story())
