"""A broker's sessions over a real store, with doubles of Vault, log, policy and guards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from dbgate_broker.config import Config, DatabaseConfig
from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.sessions.requests import Requests
from dbgate_broker.sessions.service import Sessions
from dbgate_broker.store.engine import Store, open_store
from dbgate_broker.testing.credentials import MemoryProvider
from dbgate_broker.testing.sessions import ManualClock, MemoryRecorder, NoGuards, TablePolicy
from dbgate_core.contract import AskAccess, OpenSession
from dbgate_core.sql.analysis import Analysis
from tests.unit.approval.people import BOB, T0, person

LIMIT_S = 10.0
CAROL = person("carol", "auditors")
DAVE = person("dave", "nobodies")
READ = OpenSession(database="prod-db", reason="TICKET-1", client="psql")
WRITE = OpenSession(database="prod-db", access_role="readwrite")
ASK_WRITE = AskAccess(database="prod-db", access_role="readwrite", reason="TICKET-1")
ROLES = ("ro", "rw", "admin")


def configuration(**sessions: int) -> Config:
    names = ("readonly", "readwrite", "admin")
    roles = [{"name": name, "vault_role": vault} for name, vault in zip(names, ROLES, strict=True)]
    database: dict[str, Any] = {"host": "127.0.0.1", "access_roles": roles, "dbname": "shop"}
    return msgspec.convert(
        {
            "listen": {"tls_certificate": "x", "tls_key": "x"},
            "issuers": [],
            "vault": {"address": "http://127.0.0.1:1", "role_id": "x", "secret_id_file": "x"},
            "databases": [
                {**database, "name": "prod-db", "environment": "production"},
                {**database, "name": "dev-db", "environment": "development"},
            ],
            "policy_directory": "x",
            "audit": {"directory": "x", "signing_key": "x"},
            "state_url": "x",
            "masking_key_file": "x",
            "sessions": sessions,
        },
        Config,
        dec_hook=lambda kind, value: Path(value),
    )


def shipped_policy() -> TablePolicy:
    """Alice reads and asks to write; bob, a dba, approves and kills; carol audits; dave has nothing."""
    return TablePolicy(
        standing={("developers", "readonly"), ("dba", "readonly")},
        askable={("developers", "readwrite"), ("dba", "readwrite")},
        powers={
            ("developers", "request"), ("dba", "request"), ("dba", "approve"),
            ("dba", "session_kill"), ("auditors", "audit_read"),
        },
        held={"drop table orders": "dba:1"},
        refused={"drop database shop"},
    )  # fmt: skip


def read(text: str) -> Analysis:
    """Enough of an analysis for a policy that goes by the text."""
    canonical = text.strip(" \t\r\n;")
    return Analysis(text, canonical, int(bool(canonical)), ())


class World:
    """Everything around `sessions` and `requests`; `restart` is a crash and a new run."""

    def __init__(self, store: Store, **limits: int) -> None:
        self.config = configuration(**limits)
        self.store = store
        self.clock = ManualClock(T0)
        self.vault = MemoryProvider(ROLES, clock=self.clock)
        self.log = MemoryRecorder()
        self.policy = shipped_policy()
        self.lets_in = False
        self.sessions = self.another()
        self.requests = Requests(self.config, store, self.policy, self.log, read, clock=self.clock)

    def another(self) -> Sessions:
        return Sessions(
            self.config,
            self.store,
            self.vault,
            self.policy,
            self.log,
            NoGuards(),
            clock=self.clock,
            proof=self.refused,
        )

    async def refused(self, database: DatabaseConfig, credentials: Credentials) -> bool:
        return not self.lets_in

    async def passes_until(self, holds: Callable[[], bool], what: str = "it") -> None:
        """Let the clock run, a second each time it is looked at."""

        def look() -> bool:
            self.clock.move(1)
            return holds()

        await until(look, what)

    async def approved(self, ask: AskAccess = ASK_WRITE, by: Any = None) -> str:
        from tests.unit.approval.people import ALICE

        request = await self.requests.ask(by or ALICE, ask)
        await self.requests.approve(BOB, request.id)
        return request.id


@asynccontextmanager
async def running(store: Store, **limits: int) -> AsyncIterator[World]:
    world = World(store, **limits)
    await world.sessions.start()
    try:
        yield world
    finally:
        await world.sessions.stop()


async def until(holds: Callable[[], bool], what: str = "it", limit_s: float = LIMIT_S) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    while not holds():
        assert loop.time() < deadline, f"{what} did not happen in {limit_s} s"
        await asyncio.sleep(0.01)


def new_store(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder / 'state.db'}")
