"""Sessions: opened, listed, closed, killed; and the tunnels that the gateway asks for."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Final

from dbgate_broker.config import Config, DatabaseConfig
from dbgate_broker.credentials.proof import Proof, login_refused
from dbgate_broker.credentials.provider import CredentialProvider
from dbgate_broker.gateway.seams import Tunnel
from dbgate_broker.sessions import access, inputs, lapsing, visibility
from dbgate_broker.sessions.days import SAVE_S, Days
from dbgate_broker.sessions.ending import End, Ending
from dbgate_broker.sessions.guards import Guards
from dbgate_broker.sessions.leasing import Leasing
from dbgate_broker.sessions.live import LiveSession, not_open
from dbgate_broker.sessions.opening import Opening
from dbgate_broker.sessions.orphans import Orphans
from dbgate_broker.sessions.own import Own, own_session
from dbgate_broker.sessions.policy import ConnectPolicy, facts_of
from dbgate_broker.sessions.roster import DRAINED as STOPPING
from dbgate_broker.sessions.roster import Roster
from dbgate_broker.sessions.tickets import Ticket
from dbgate_broker.sessions.views import session_info
from dbgate_broker.sessions.watcher import Chore, Watcher
from dbgate_broker.store import requests, sessions
from dbgate_broker.store.engine import Store
from dbgate_broker.store.sessions import SessionRow, SessionState
from dbgate_core.audit.recorder import Recorder
from dbgate_core.contract import DatabaseInfo, OpenedSession, OpenSession, SessionInfo
from dbgate_core.database import DatabaseFacts
from dbgate_core.errors import DbgateError, Denied, LimitExceeded, NotFound, Unreachable, UsageError
from dbgate_core.principal import Principal
from dbgate_core.secret import Secret

START_S: Final = 3.0
"""For removing what an earlier run left before the first session; what takes longer goes on beside."""
STOP_S: Final = 3.0
"""For closing every session at the end; what is not done then, the next start does."""
MAX_OPEN_OF_ONE: Final = 100
"""Open sessions of one principal in one broker: each is a user in PostgreSQL."""

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Sessions:
    """The sessions of one broker. `start()` before the first use, `stop()` at the end.

    `broker` names this run of the broker, and no other one: what carries another name in the
    store was left behind, unless that broker was seen alive of late.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        provider: CredentialProvider,
        policy: ConnectPolicy,
        recorder: Recorder,
        guards: Guards,
        *,
        clock: Callable[[], datetime] = utc_now,
        broker: str = "",
        proof: Proof = login_refused,
    ) -> None:
        self._config, self._store, self._policy, self._clock = config, store, policy, clock
        self._broker = broker or f"b-{secrets.token_hex(8)}"
        self._databases = {database.name: database for database in config.databases}
        environments = {name: found.environment for name, found in self._databases.items()}
        self._recorder = recorder
        self._vault_roles = sorted({r.vault_role for d in config.databases for r in d.access_roles})
        self._orphans = Orphans(store, provider, clock)
        self._leasing = Leasing(store, provider, self._orphans, proof, clock)
        self._ending = Ending(store, self._leasing, recorder, environments, clock)
        limits = config.sessions
        self._roster = Roster(
            self._leasing,
            self._ending,
            clock,
            idle_s=limits.idle_s,
            abandoned_s=limits.abandoned_s if store.single_broker else None,
        )
        self._days = Days(
            store, clock, lambda: (each.day for each in self._roster.live.values() if each.day)
        )
        self._opening = Opening(
            broker=self._broker,
            config=config,
            store=store,
            policy=policy,
            leasing=self._leasing,
            ending=self._ending,
            recorder=recorder,
            guards=guards,
            clock=clock,
            days=self._days,
            spawn=lambda work: self._roster.spawn(work, "session-undoing"),
        )
        self._stopping = False
        self._watcher = Watcher(self._roster.look, self._chores(), clock)

    async def start(self) -> None:
        """End what an earlier run left open, and begin to watch deadlines and leases.

        Vault is not needed for it: leases that cannot be revoked now are tried again until they are.
        Raises Unreachable when the store does not answer.
        """
        await self._store.call(sessions.seen, self._broker, self._clock())
        await asyncio.wait(
            {self._roster.spawn(self._recover(), "sessions-recovery")}, timeout=START_S
        )
        self._watcher.start()

    async def drain(self, limit_s: float) -> bool:
        """Open no more, and let what runs end; False when something still ran at the limit.

        Idle connections end at once, the others when their statement and transaction have ended; a
        session without connections is closed, and its lease revoked.
        """
        self._stopping = True
        for live in list(self._roster.live.values()):
            live.drain(STOPPING)
        return await self._roster.emptied(limit_s)

    async def stop(self) -> None:
        """Close every session, within 4 s; what cannot be revoked stays in the journal."""
        self._stopping = True
        await self._watcher.stop()
        opening = [task for task in self._roster.tasks if task.get_name() == "session-opening"]
        for task in opening:
            task.cancel()
        for live in list(self._roster.live.values()):
            self._roster.end(live, STOPPING)
        await self._roster.finish_all(STOP_S)
        try:
            async with asyncio.timeout(0.5):
                await self._days.save()
                await self._store.call(sessions.forget, self._broker)
        except (TimeoutError, DbgateError):
            log.warning("this broker is not signed off in the store")

    @property
    def live(self) -> Collection[LiveSession]:
        """The sessions that are open in this broker."""
        return self._roster.live.values()

    async def databases_for(self, principal: Principal) -> list[DatabaseInfo]:
        """The databases a principal may see, and how each access role stands to it."""
        now = self._clock()
        running = await self._store.call(requests.running_of, principal, now)
        infos = []
        for database in self._config.databases:
            found = access.standings(self._policy, principal, database, running, now)
            if info := access.database_info(database, found):
                infos.append(info)
        return infos

    def facts(self, database: str) -> DatabaseFacts:
        """What policy knows of a configured database. Raises NotFound."""
        return facts_of(access.find(self._config.databases, database))

    async def open(self, principal: Principal, ask: OpenSession) -> OpenedSession:
        """Open a session. Raises NotFound, Denied, ApprovalNeeded, Unreachable, LimitExceeded.

        It goes on in a task of its own: a caller that goes away in the middle leaves nothing half
        done, and nothing open that nobody has the ticket of.
        """
        self._demand_running()
        mine = [
            s for s in self._roster.live.values() if visibility.owns(principal, s.row.principal)
        ]
        if len(mine) >= MAX_OPEN_OF_ONE:
            raise LimitExceeded(
                f"you have {MAX_OPEN_OF_ONE} open sessions", hint="`dbgate sessions list`"
            )
        task = self._roster.spawn(self._opening.open(principal, ask), "session-opening")
        try:
            live, ticket = await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            task.add_done_callback(self._unwanted)
            raise
        self._roster.live[live.session_id] = live
        try:
            self._demand_running()
        except Unreachable:
            self._roster.end(live, STOPPING)
            raise
        return self._answer(live, ticket)

    def borrow(
        self, principal: Principal, database: DatabaseConfig, reason: str, longest_s: int
    ) -> AbstractAsyncContextManager[Own]:
        """A session of the broker's own. Raises as `own_session`."""
        self._demand_running()
        return own_session(self._opening, principal, database, reason, longest_s)

    async def list(self, principal: Principal, state: str = "open") -> list[SessionInfo]:
        """The sessions a principal may see, the newest first: `open`, `closed`, or `` for all."""
        if state not in ("", "open", "closed"):
            raise UsageError(f"{state[:50]!r} is no state of a session", hint="open or closed")
        sees = self._sight(principal)
        rows = await self._store.call(
            sessions.listing,
            SessionState(state) if state else None,
            lambda row: sees(row.principal, row.database),
        )
        return [self._info(row) for row in rows]

    async def get(self, principal: Principal, session_id: str) -> SessionInfo:
        """One session. Raises NotFound also when the principal may not see it.

        Its owner's look keeps a session that nothing is connected to from counting as abandoned.
        """
        row = await self._visible(principal, session_id)
        live = self._roster.live.get(session_id)
        if live is not None and visibility.owns(principal, row.principal):
            live.seen()
        return self._info(row)

    async def close(self, principal: Principal, session_id: str, reason: str = "") -> SessionInfo:
        """Close an own session, or kill another's; its database user is gone when this returns.

        When Vault does not answer, the user stays in the journal and is removed as soon as it does;
        the session is closed all the same. Closing what is closed changes nothing.
        """
        reason = inputs.bounded(reason, inputs.MAX_REASON, "the reason")
        row = await self._visible(principal, session_id)
        self._demand_may_close(principal, row)
        live = self._roster.live.get(session_id)
        if live is not None:
            said = f"killed by {principal.name}" + (f": {reason}" if reason else "")
            own = visibility.owns(principal, row.principal)
            await asyncio.shield(
                self._roster.end(live, (reason or "closed") if own else said, principal)
            )
        elif row.state is not SessionState.CLOSED:  # another broker's: it notices within seconds
            end = End(reason or f"closed by {principal.name}", principal)
            await asyncio.shield(self._roster.spawn(self._ending.end(row, end), "session-ending"))
        return self._info(await self._visible(principal, session_id))

    async def authorize(self, database: str, session_id: str, token: Secret) -> Tunnel:
        """The gateway's `Tunnels`: a CONNECT's database, session and token to its tunnel.

        1. The session is open in this broker.
        2. The token is this session's.
        3. The database is this session's.
        All failures are one answer, so nothing is learned by trying. Raises Denied.
        """
        live = self._roster.live.get(session_id)
        if live is None or not live.stub.admits(token) or live.database.name != database:
            raise not_open(database)
        live.demand_open()
        live.seen()
        return live

    def _demand_running(self) -> None:
        if self._stopping:
            raise Unreachable(STOPPING, hint="try again in a moment")

    def _answer(self, live: LiveSession, ticket: Ticket) -> OpenedSession:
        listen = self._config.listen
        return OpenedSession(
            session=self._info(live.row),
            tunnel_token=ticket.token.expose(),
            username=live.username,
            password=ticket.password.expose(),
            dbname=live.database.dbname,
            gateway_host=listen.public_host or listen.host,
            gateway_port=listen.gateway_port,
        )

    def _info(self, row: SessionRow) -> SessionInfo:
        live = self._roster.live.get(row.id)
        return session_info(row, live.connections if live else 0)

    def _sight(self, principal: Principal) -> visibility.Sight:
        actions = ("session_kill", "audit_read")
        return visibility.sight(self._policy, self._databases, principal, *actions)

    async def _visible(self, principal: Principal, session_id: str) -> SessionRow:
        row = await self._store.call(sessions.load, session_id)
        if row is None or not self._sight(principal)(row.principal, row.database):
            raise NotFound(f"there is no session {session_id[:64]!r}", hint="dbgate sessions list")
        return row

    def _demand_may_close(self, principal: Principal, row: SessionRow) -> None:
        if visibility.owns(principal, row.principal):
            return
        database = self._databases.get(row.database)
        decision = self._policy.may(
            principal, "session_kill", facts_of(database) if database else None
        )
        if not decision.allowed:
            raise Denied(
                decision.message or f"no policy lets you kill sessions of {row.database}",
                hint=decision.hint,
                rule=", ".join(decision.policies),
            )

    def _unwanted(self, task: asyncio.Task[tuple[LiveSession, Ticket]]) -> None:
        """Close what was opened for a caller who has gone."""
        if not task.cancelled() and task.exception() is None:
            self._roster.end(task.result()[0], "its opener went away")

    async def _recover(self) -> None:
        """Remove what an earlier run left, in this order; the chores do again what fails."""
        try:
            await self._ending.left_behind(self._broker)
            await self._leasing.reap(all_of_them=True)
            await self._orphans.sweep_all(self._vault_roles)
        except DbgateError as exc:
            log.warning("what an earlier run left is not removed yet: %s", exc.message)

    async def _reap(self) -> None:
        await self._ending.retry()
        await self._leasing.reap()

    def _chores(self) -> Sequence[Chore]:
        return [
            Chore("sessions: sign of life", 10, self._sign),
            Chore("sessions: left behind", 20, lambda: self._ending.left_behind(self._broker)),
            Chore("leases: reap", 2, self._reap),
            Chore(
                "leases: compare with Vault",
                300,
                lambda: self._orphans.sweep_all(self._vault_roles),
            ),
            Chore("requests: lapse", 15, self._lapse),
            Chore("limits of the day: count", SAVE_S, self._days.save),
        ]

    async def _sign(self) -> None:
        """Say that this broker lives, and notice what another one has closed."""
        await self._store.call(sessions.seen, self._broker, self._clock())
        if self._store.single_broker or not self._roster.live:
            return
        for session_id in await self._store.call(sessions.closed_among, list(self._roster.live)):
            if (live := self._roster.live.get(session_id)) is not None:
                self._roster.end(live, "closed by another broker")

    async def _lapse(self) -> None:
        await lapsing.lapse(self._store, self._recorder, self._databases, self._clock())
