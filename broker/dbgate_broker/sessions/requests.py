"""Access requests: asked, voted on, waited for, withdrawn; every step recorded, then done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from dbgate_broker.config import Config, DatabaseConfig
from dbgate_broker.sessions import access, asking, inputs, visibility
from dbgate_broker.sessions.asking import Analyse, Wish
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.sessions.lapsing import environment_of
from dbgate_broker.sessions.policy import ConnectPolicy, facts_of
from dbgate_broker.sessions.records import (
    REQUEST_CREATED,
    REQUEST_DECIDED,
    REQUEST_VOTED,
    record,
    request_scope,
)
from dbgate_broker.sessions.tickets import new_request_id
from dbgate_broker.sessions.views import request_info
from dbgate_broker.sessions.waiting import LOOK_AGAIN_S, Waiting
from dbgate_broker.store import requests
from dbgate_broker.store.engine import Store
from dbgate_broker.store.requests import Stored
from dbgate_core.approval import rules
from dbgate_core.approval.request import AccessRequest, Choice, State, Vote
from dbgate_core.audit.recorder import Recorder
from dbgate_core.audit.who import who
from dbgate_core.contract import AccessRequestInfo, AskAccess
from dbgate_core.errors import Denied, LimitExceeded, NotFound, Unreachable, UsageError
from dbgate_core.pgwire.guard import Hold
from dbgate_core.principal import Principal

MAX_WAIT_S: Final = 30.0
MIN_DURATION_S: Final = 60
MAX_PENDING_OF_ONE: Final = 50
"""Pending requests of one principal: more would be noise to the reviewers."""
MAX_TRIES: Final = 5
"""Of a change that another broker's change came before."""

T = TypeVar("T")
Change = Callable[[AccessRequest], AccessRequest]


class Requests:
    """The access requests of one broker."""

    def __init__(
        self,
        config: Config,
        store: Store,
        policy: ConnectPolicy,
        recorder: Recorder,
        analyse: Analyse,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config, self._store, self._policy, self._clock = config, store, policy, clock
        self._recorder, self._analyse = recorder, analyse
        self._databases = {database.name: database for database in config.databases}
        self._one_at_a_time = asyncio.Lock()
        self._waiting = Waiting()

    async def ask(self, principal: Principal, ask: AskAccess) -> AccessRequestInfo:
        """Make an access request; the same one that is pending already is given instead.

        Raises NotFound, UsageError (nothing to ask, or malformed), Denied, LimitExceeded,
        AuditUnavailable, Unreachable.
        """
        reason = inputs.required(
            ask.reason, inputs.MAX_REASON, "the reason", "--reason 'TICKET-1: what for'"
        )
        longest_s = self._config.sessions.max_grant_s
        if not MIN_DURATION_S <= ask.duration_s <= longest_s:
            raise UsageError(f"a grant lasts {MIN_DURATION_S} s to {longest_s} s", hint="--for 1h")
        database = access.find(self._config.databases, ask.database)
        wish = await self._wish(principal, database, ask)
        return await _whole(self._create(principal, database, wish, reason, ask.duration_s))

    async def list(self, principal: Principal, state: str = "") -> list[AccessRequestInfo]:
        """The requests that a principal may see, the newest first; one state's, or all."""
        if state and state not in set(State):
            raise UsageError(
                f"{state[:50]!r} is no state of a request", hint=", ".join(s.value for s in State)
            )
        sees, now = self._sight(principal), self._clock()
        found = await self._store.call(
            requests.listing,
            State(state) if state else None,
            lambda request: sees(request.requester, request.database),
        )
        settled = [rules.settle(stored.request, now) for stored in found]
        return [request_info(r) for r in settled if not state or r.state.value == state]

    async def get(self, principal: Principal, request_id: str) -> AccessRequestInfo:
        """One request. Raises NotFound also when the principal may not see it."""
        stored = await self._visible(principal, request_id)
        return request_info(rules.settle(stored.request, self._clock()))

    async def wait(
        self, principal: Principal, request_id: str, timeout_s: float
    ) -> AccessRequestInfo:
        """One request, when it is no longer pending or after `timeout_s` (at most 30 s)."""
        deadline = asyncio.get_running_loop().time() + min(max(timeout_s, 0.0), MAX_WAIT_S)
        with self._waiting.of(request_id) as changed:
            while True:
                changed.clear()
                info = await self.get(principal, request_id)
                if info.state != State.PENDING or not await changed.until(deadline):
                    return info

    async def approve(
        self, principal: Principal, request_id: str, comment: str = ""
    ) -> AccessRequestInfo:
        """Vote for it. Raises Denied, UsageError when it is decided already, NotFound."""
        return await self._vote(principal, request_id, Choice.APPROVE, comment)

    async def deny(
        self, principal: Principal, request_id: str, comment: str = ""
    ) -> AccessRequestInfo:
        """Vote against it: that ends it. Raises as `approve`."""
        return await self._vote(principal, request_id, Choice.DENY, comment)

    async def hold(
        self, session: GuardedSession, hold: Hold, limit_s: int, rows: int | None
    ) -> AccessRequest:
        """Make the request of a statement that waits in its session: one of its own each time.

        It lapses when the wait does, and once approved lasts as long as sending it again takes.
        Raises Denied where policy lets the principal ask for nothing, LimitExceeded,
        AuditUnavailable, Unreachable.
        """
        leave = self._policy.may(session.principal, "request", facts_of(session.database))
        if not leave.allowed:
            refusal = hold.refusal
            raise Denied(refusal.message, hint=leave.message or leave.hint, rule=refusal.rule)
        now = self._clock()
        where = f"held in session {session.id}"
        request = AccessRequest(
            id=new_request_id(),
            database=session.database.name,
            access_role=session.access_role,
            requester=session.principal,
            reason=f"{session.reason} ({where})" if session.reason else where,
            approval=hold.approval,
            duration_s=MIN_DURATION_S,
            created_at=now,
            expires_at=now + timedelta(seconds=limit_s),
            statement=hold.statement,
            digest=hold.digest,
            effects=hold.effects,
            estimated_rows=rows,
        )
        return await _whole(self._keep(request))

    async def decision(self, request_id: str, waits: Callable[[], bool]) -> AccessRequest:
        """A request once it is no longer pending, or nobody `waits` for it any more, however long that takes.

        Raises Unreachable.
        """
        loop = asyncio.get_running_loop()
        with self._waiting.of(request_id) as changed:
            while True:
                changed.clear()
                stored = await self._store.call(requests.load, request_id)
                if stored is None:
                    raise NotFound(f"request {request_id} is gone")
                request = rules.settle(stored.request, self._clock())
                if request.state is not State.PENDING or not waits():
                    return request
                await changed.until(loop.time() + LOOK_AGAIN_S)

    async def withdraw(self, principal: Principal, request_id: str) -> AccessRequestInfo:
        """Take an own pending request back. Raises Denied, UsageError, NotFound."""
        return await _whole(
            self._change(
                principal,
                request_id,
                lambda request: rules.withdraw(request, principal, self._clock()),
            )
        )

    async def _wish(self, principal: Principal, database: DatabaseConfig, ask: AskAccess) -> Wish:
        now = self._clock()
        running = await self._store.call(requests.running_of, principal, now, database.name)
        found = access.standings(self._policy, principal, database, running, now)
        if not ask.statement:
            return asking.role_wish(database, found, ask.access_role)
        analysis = self._analyse(ask.statement)
        if not analysis.statements:
            raise UsageError("there is no statement in this text")
        return asking.statement_wish(
            self._policy, principal, database, found, ask.access_role, analysis
        )

    async def _create(
        self,
        principal: Principal,
        database: DatabaseConfig,
        wish: Wish,
        reason: str,
        duration_s: int,
    ) -> AccessRequestInfo:
        async with self._one_at_a_time:
            now = self._clock()
            pending = await self._pending(principal, now)
            for request in pending:
                same = (request.database, request.access_role, request.digest)
                if same == (database.name, wish.access_role, wish.digest):
                    return request_info(request)
            _demand_room(pending)
            request = AccessRequest(
                id=new_request_id(),
                database=database.name,
                access_role=wish.access_role,
                requester=principal,
                reason=reason,
                approval=wish.approval,
                duration_s=duration_s,
                created_at=now,
                expires_at=now + timedelta(seconds=self._config.sessions.request_expiry_s),
                statement=wish.statement,
                digest=wish.digest,
            )
            await self._insert(request)
            return request_info(request)

    async def _keep(self, request: AccessRequest) -> AccessRequest:
        async with self._one_at_a_time:
            _demand_room(await self._pending(request.requester, request.created_at))
            await self._insert(request)
            return request

    async def _insert(self, request: AccessRequest) -> None:
        fields: dict[str, object] = {
            "reason": request.reason,
            "duration_s": request.duration_s,
            "statement": request.statement,
            "expires_at": request.expires_at.isoformat(),
        }
        if request.effects:
            fields["effects"] = list(request.effects)
        if request.estimated_rows is not None:
            fields["estimated_rows"] = request.estimated_rows
        await self._record(REQUEST_CREATED, request, fields)
        await self._store.call(requests.insert, request)

    async def _pending(self, principal: Principal, now: datetime) -> Sequence[AccessRequest]:
        found = await self._store.call(requests.pending_of, principal)
        settled = [rules.settle(stored.request, now) for stored in found]
        return [request for request in settled if request.state is State.PENDING]

    async def _vote(
        self, principal: Principal, request_id: str, choice: Choice, comment: str
    ) -> AccessRequestInfo:
        comment = inputs.bounded(comment, inputs.MAX_COMMENT, "the comment")

        def cast(request: AccessRequest) -> AccessRequest:
            database = self._databases.get(request.database)
            facts = facts_of(database) if database else None
            leave = self._policy.may(principal, "approve", facts)
            vote = Vote(principal, choice, comment, self._clock())
            return rules.cast(request, vote, leave)

        return await _whole(self._change(principal, request_id, cast))

    async def _change(
        self, principal: Principal, request_id: str, change: Change
    ) -> AccessRequestInfo:
        """Apply a rule; record what it does, then store it. Of two brokers at once one tries again."""
        async with self._one_at_a_time:
            for _ in range(MAX_TRIES):
                stored = await self._visible(principal, request_id)
                changed = change(stored.request)
                await self._record_change(principal, stored.request, changed)
                if await self._store.call(requests.save, changed, stored.version):
                    self._waiting.wake(request_id)
                    return request_info(changed)
        raise Unreachable(f"request {request_id} is being changed by others", hint="try again")

    async def _record_change(
        self, principal: Principal, before: AccessRequest, after: AccessRequest
    ) -> None:
        for vote in after.votes[len(before.votes) :]:
            fields: dict[str, object] = {
                "who": who(vote.reviewer),
                "vote": vote.choice.value,
                "comment": vote.comment,
            }
            await self._record(REQUEST_VOTED, after, fields)
        if after.state is not before.state:
            ends = after.window_ends_at.isoformat() if after.window_ends_at else None
            fields = {"state": after.state.value, "by": who(principal), "window_ends_at": ends}
            await self._record(REQUEST_DECIDED, after, fields)

    async def _record(
        self, kind: str, request: AccessRequest, fields: Mapping[str, object]
    ) -> None:
        scope = request_scope(request, environment_of(self._databases, request))
        await record(self._recorder, kind, {**scope, **fields})

    def _sight(self, principal: Principal) -> visibility.Sight:
        return visibility.sight(self._policy, self._databases, principal, "approve", "audit_read")

    async def _visible(self, principal: Principal, request_id: str) -> Stored:
        stored = await self._store.call(requests.load, request_id)
        if stored is None or not self._sight(principal)(
            stored.request.requester, stored.request.database
        ):
            raise NotFound(f"there is no request {request_id[:64]!r}", hint="dbgate requests list")
        return stored


def _demand_room(pending: Sequence[AccessRequest]) -> None:
    if len(pending) >= MAX_PENDING_OF_ONE:
        raise LimitExceeded(
            f"you have {MAX_PENDING_OF_ONE} pending requests",
            hint="dbgate requests withdraw REQUEST",
        )


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Do it to its end also when the caller goes away: what is recorded is then stored, too."""
    return await asyncio.shield(asyncio.ensure_future(work))
