"""The broker behind the API, in memory: what it was asked, and switches for its faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from dbgate_broker.sessions.views import principal_info
from dbgate_core import contract
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision, Verdict
from dbgate_core.errors import ApprovalNeeded, NotFound
from dbgate_core.principal import Principal, PrincipalKind

ISSUER = "https://issuer.test"
ALICE = Principal(PrincipalKind.USER, "alice", ISSUER, "id-alice", frozenset({"developers"}))
BOB = Principal(PrincipalKind.USER, "bob", ISSUER, "id-bob", frozenset({"dba"}))
CAROL = Principal(PrincipalKind.USER, "carol", ISSUER, "id-carol", frozenset({"auditors"}))
AGENT = Principal(PrincipalKind.AGENT, "copilot", ISSUER, "bot", on_behalf_of=ALICE)
PASSWORD = "one-time-password-9d1f"


class MemorySessions:
    """`SessionsApi`. `fail`, when set, is called first and may raise; `gate`, while cleared, holds."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Principal, contract.SessionInfo]] = {}
        self.asked: list[Any] = []
        self.fail: Callable[[], None] = lambda: None
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()

    async def databases_for(self, principal: Principal) -> list[contract.DatabaseInfo]:
        self.fail()
        role = contract.AccessRoleInfo(name="readonly", access="granted")
        return [
            contract.DatabaseInfo(
                name="prod-db",
                engine="postgresql",
                environment="production",
                labels={"team": "shop"},
                access_roles=[role],
            )
        ]

    def facts(self, database: str) -> DatabaseFacts:
        if database != "prod-db":
            raise NotFound(f"there is no database {database}")
        return DatabaseFacts("prod-db", "production")

    async def open(self, principal: Principal, ask: contract.OpenSession) -> contract.OpenedSession:
        self.asked.append(ask)
        self.reached.set()
        await self.gate.wait()
        self.fail()
        if ask.access_role == "admin":
            raise ApprovalNeeded("admin needs an approval", rule="prod-admin", hint="dbgate request-approval")  # fmt: skip
        now = datetime.now(UTC)
        info = contract.SessionInfo(
            id=f"s{len(self.rows) + 1}",
            database=ask.database,
            access_role=ask.access_role or "readonly",
            principal=principal_info(principal),
            state="open",
            opened_at=now,
            expires_at=now + timedelta(hours=1),
            reason=ask.reason,
        )
        self.rows[info.id] = (principal, info)
        return contract.OpenedSession(
            session=info,
            tunnel_token="tunnel-token",
            username="session",
            password=PASSWORD,
            dbname="shop",
            gateway_host="127.0.0.1",
            gateway_port=5,
        )

    async def list(self, principal: Principal, state: str = "open") -> list[contract.SessionInfo]:
        self.asked.append(state)
        return [info for _, info in self.rows.values() if state in ("", info.state)]

    async def get(self, principal: Principal, session_id: str) -> contract.SessionInfo:
        owner, info = self.rows.get(session_id, (None, None))
        if info is None or (owner != principal and principal != BOB):
            raise NotFound(f"there is no session {session_id}", hint="dbgate sessions list")
        return info

    async def close(
        self, principal: Principal, session_id: str, reason: str = ""
    ) -> contract.SessionInfo:
        owner, info = self.rows[session_id][0], await self.get(principal, session_id)
        closed = msgspec.structs.replace(info, state="closed", close_reason=reason)
        self.rows[session_id] = (owner, closed)
        return closed


class MemoryRequests:
    """`RequestsApi`; `waiting` counts long polls."""

    def __init__(self) -> None:
        self.rows: dict[str, contract.AccessRequestInfo] = {}
        self.asked: list[Any] = []
        self.waiting = 0
        self.changed = asyncio.Condition()

    async def ask(
        self, principal: Principal, ask: contract.AskAccess
    ) -> contract.AccessRequestInfo:
        self.asked.append(ask)
        now = datetime.now(UTC)
        made = contract.AccessRequestInfo(
            id=f"r{len(self.rows) + 1}",
            database=ask.database,
            access_role=ask.access_role,
            requester=principal_info(principal),
            reason=ask.reason,
            state="pending",
            approval="dba:1",
            duration_s=ask.duration_s,
            created_at=now,
            expires_at=now + timedelta(hours=24),
            statement=ask.statement,
        )
        self.rows[made.id] = made
        return made

    async def list(self, principal: Principal, state: str = "") -> list[contract.AccessRequestInfo]:
        self.asked.append(state)
        return [row for row in self.rows.values() if state in ("", row.state)]

    async def get(self, principal: Principal, request_id: str) -> contract.AccessRequestInfo:
        if request_id not in self.rows:
            raise NotFound(f"there is no request {request_id}")
        return self.rows[request_id]

    async def wait(
        self, principal: Principal, request_id: str, timeout_s: float
    ) -> contract.AccessRequestInfo:
        self.asked.append(timeout_s)
        self.waiting += 1
        try:
            async with asyncio.timeout(timeout_s), self.changed:
                await self.changed.wait_for(lambda: self.rows[request_id].state != "pending")
        except TimeoutError:
            pass
        finally:
            self.waiting -= 1
        return await self.get(principal, request_id)

    async def approve(
        self, principal: Principal, request_id: str, comment: str = ""
    ) -> contract.AccessRequestInfo:
        return await self._decide(principal, request_id, "approved", comment)

    async def deny(
        self, principal: Principal, request_id: str, comment: str = ""
    ) -> contract.AccessRequestInfo:
        return await self._decide(principal, request_id, "denied", comment)

    async def withdraw(self, principal: Principal, request_id: str) -> contract.AccessRequestInfo:
        return await self._decide(principal, request_id, "withdrawn", "")

    async def _decide(
        self, principal: Principal, request_id: str, state: str, comment: str
    ) -> contract.AccessRequestInfo:
        vote = contract.VoteInfo(
            reviewer=principal.name, vote=state, comment=comment, at=datetime.now(UTC)
        )
        decided = msgspec.structs.replace(
            await self.get(principal, request_id), state=state, votes=[vote]
        )
        async with self.changed:
            self.rows[request_id] = decided
            self.changed.notify_all()
        return decided


class FixedExplanation:
    """`ExplainsStatements`: all is allowed."""

    async def explain(self, principal: Principal, ask: contract.Explain) -> contract.Explanation:
        return contract.Explanation(
            database=ask.database,
            access_role=ask.access_role or "readonly",
            catalog=True,
            explanation={"verdict": "allow"},
        )


class MemoryClasses:
    """`ClassesApi`: one column."""

    async def show(self, database: str) -> contract.DatabaseClasses:
        column = contract.ColumnClassInfo(
            column="public.users.email", classes=["email"], source="name", confidence=95
        )
        return contract.DatabaseClasses(database=database, state="done", columns=[column])


class FixedMetrics:
    """`RendersMetrics`, one sample."""

    async def render(self, accept: str) -> tuple[bytes, str]:
        return b"dbgate_x 1\n", "text/plain; version=0.0.4"


class AuditorsOnly:
    """`MayPolicy`: the group `auditors` reads the log."""

    def may(self, principal: Principal, action: str, database: DatabaseFacts | None) -> Decision:
        assert (action, database) == ("audit_read", None) or database is not None
        if action == "audit_read" and "auditors" in principal.groups:
            return Decision(Verdict.ALLOW, ("auditors-read",))
        return Decision(Verdict.DENY, ("only-auditors",), "only auditors read the log", "ask one")
