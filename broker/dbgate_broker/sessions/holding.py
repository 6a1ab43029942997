"""A held statement's wait: its request made, its decision waited for, both recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import Credentials, LiveGuard, Tell
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.sessions.requests import Requests
from dbgate_core import holds
from dbgate_core.approval.request import AccessRequest, State
from dbgate_core.audit.who import who
from dbgate_core.errors import DbgateError
from dbgate_core.holds import Ended
from dbgate_core.pgwire.guard import Hold, Refusal

STATEMENT_HELD: Final = "statement_held"
HOLD_ENDED: Final = "statement_hold_ended"

Estimate = Callable[[DatabaseConfig, Credentials, str], Awaitable[int | None]]
"""How many rows a statement means, if that can be told."""


class Holding:
    """The statements of one broker that wait."""

    def __init__(self, requests: Requests, estimate: Estimate) -> None:
        self._requests = requests
        self._estimate = estimate
        self._tasks: set[asyncio.Task[None]] = set()

    async def decide(
        self,
        session: GuardedSession,
        guard: LiveGuard,
        hold: Hold,
        credentials: Credentials,
        *,
        in_transaction: bool,
        tell: Tell,
    ) -> Refusal | None:
        """Wait until somebody decides; what the client is told unless the statement may run then.

        Other policies end the wait as well, unless they hold the text for the same people: None,
        it is to be judged anew. Cancelled, it takes the request back. Whoever asked must not go on
        before this has ended.
        """
        limit_s = session.hold_s
        if in_transaction:
            limit_s = min(limit_s, holds.MAX_IN_TRANSACTION_S)
        wait = _Wait(self._requests, session, guard, hold)
        try:
            rows = None
            if hold.plannable:
                rows = await self._estimate(session.database, credentials, hold.statement)
            request = await wait.begin(limit_s, rows)
            tell(*holds.notice(request, limit_s))
            request = await self._requests.decision(request.id, lambda: guard.holds(hold))
            if request.state is State.PENDING:
                self._spawn(wait.take_back())
                wait.broken(Ended.CHANGED, "the policies have changed")
                return None
            return wait.end(request)
        except DbgateError as exc:
            self._spawn(wait.take_back())
            wait.broken(Ended.FAILED, exc.code)
            return Refusal(exc.sqlstate, exc.message, hint=exc.hint, rule=exc.rule)
        except asyncio.CancelledError:
            self._spawn(wait.take_back())
            wait.broken(Ended.WITHDRAWN, "the client cancelled or left, or its session ended")
            raise

    async def stop(self) -> None:
        """Wait for the requests that are being taken back."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="hold-undoing")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Wait:
    """One wait, with its two entries: none is left without its end."""

    def __init__(
        self, requests: Requests, session: GuardedSession, guard: LiveGuard, hold: Hold
    ) -> None:
        self._requests = requests
        self._session = session
        self._guard = guard
        self._hold = hold
        self._making: asyncio.Task[AccessRequest] | None = None
        self._held = ""
        self._begun = asyncio.get_running_loop().time()

    async def begin(self, limit_s: int, rows: int | None) -> AccessRequest:
        """Make the request, and record that the statement waits for it. Raises DbgateError."""
        work = self._requests.hold(self._session, self._hold, limit_s, rows)
        self._making = asyncio.ensure_future(work)
        request = await asyncio.shield(self._making)
        fields = {
            "request": request.id,
            "digest": request.digest,
            "approval": request.approval,
            "limit_s": limit_s,
        }
        self._guard.note(STATEMENT_HELD, fields)
        self._held = request.id
        return request

    def end(self, request: AccessRequest) -> Refusal:
        """Record the decision and who made it. Raises AuditUnavailable."""
        by = [who(vote.reviewer) for vote in request.votes]
        self._record(Ended(request.state.value), {"by": by})
        return holds.answer(self._hold, request)

    def broken(self, ended: Ended, why: str) -> None:
        """Record that the wait ended without a decision. The log may be what failed: then it stays so."""
        try:
            self._record(ended, {"why": why})
        except DbgateError:
            self._held = ""

    def _record(self, ended: Ended, fields: dict[str, object]) -> None:
        request, self._held = self._held, ""
        if request:
            waited_ms = int((asyncio.get_running_loop().time() - self._begun) * 1000)
            told = {"request": request, "outcome": ended.value, "waited_ms": waited_ms}
            self._guard.note(HOLD_ENDED, told | fields)

    async def take_back(self) -> None:
        """Withdraw the request, were it only made by now. One that is decided stays decided."""
        if self._making is None:
            return
        try:
            request = await self._making
            await self._requests.withdraw(self._session.principal, request.id)
        except DbgateError:
            return
