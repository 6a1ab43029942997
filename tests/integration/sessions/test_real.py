"""Whole sessions with Vault and PostgreSQL behind them."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
import pytest

from dbgate_broker.config import Config, DatabaseConfig
from dbgate_broker.credentials.vault import VaultProvider
from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.sessions.service import Sessions
from dbgate_broker.store import leases, sessions
from dbgate_broker.store.engine import Store
from dbgate_broker.store.leases import LeaseState
from dbgate_broker.testing.sessions import MemoryRecorder, NoGuards
from dbgate_core.contract import OpenSession
from dbgate_core.errors import Unreachable
from dbgate_core.secret import Secret
from tests.integration.credentials.estate import Estate
from tests.integration.sessions.world import READ, configuration, shipped_policy, until
from tests.unit.approval.people import ALICE, BOB

LIMIT_S = 10.0
RETRIED_S = 3 * LIMIT_S
"""What Vault did not take is tried again after 5 s, and if that fails, too, after 10 more."""


class Real:
    """One run of a broker; `dies` drops it as a crash does, with all that it holds open."""

    def __init__(self, estate: Estate, store: Store) -> None:
        plain = configuration()
        names = [("readonly", "prod-db-readonly"), ("readwrite", "prod-db-readwrite")]
        database: dict[str, Any] = {
            "name": "prod-db", "host": "127.0.0.1", "port": estate.database.port,
            "dbname": "postgres", "environment": "production", "tls": "disable",
            "access_roles": [{"name": name, "vault_role": role} for name, role in names],
        }  # fmt: skip
        found = msgspec.convert(database, DatabaseConfig)
        self.config: Config = msgspec.structs.replace(plain, databases=[found])
        self.log = MemoryRecorder()
        self.vault = VaultProvider(estate.config())
        self.sessions = Sessions(
            self.config, store, self.vault, shipped_policy(), self.log, NoGuards()
        )

    async def dies(self) -> None:
        await self.sessions._watcher.stop()
        await self.vault.close()


@asynccontextmanager
async def running(estate: Estate, store: Store) -> AsyncIterator[Real]:
    real = Real(estate, store)
    await real.sessions.start()
    try:
        yield real
    finally:
        await real.sessions.stop()
        await real.vault.close()


def connect(estate: Estate, credentials: Credentials) -> "psycopg.Connection[tuple[Any, ...]]":
    return psycopg.connect(
        host="127.0.0.1", port=estate.database.port, dbname="postgres", sslmode="disable",
        user=credentials.username, password=credentials.password.expose(), autocommit=True,
    )  # fmt: skip


def test_a_sessions_user_lives_exactly_as_long_as_the_session(estate: Estate, store: Store) -> None:
    async def story() -> None:
        async with running(estate, store) as real:
            opened = await real.sessions.open(ALICE, READ)
            assert estate.database.ephemeral() == {opened.session.db_user}
            tunnel = await real.sessions.authorize(
                "prod-db", opened.session.id, Secret(opened.tunnel_token)
            )
            with connect(estate, await tunnel.credentials()) as connection:
                assert connection.execute("select 1").fetchone() == (1,)
                await real.sessions.close(BOB, opened.session.id, "test")
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("select 1")
            assert not estate.database.ephemeral()
            (entry,) = real.log.of_kind("session_closed")
            assert entry["lease_revoked"] is True
            (lease,) = store.call_now(leases.of_session, opened.session.id)
            assert lease.state is LeaseState.ENDED

    asyncio.run(story())


def test_a_user_that_vault_did_not_drop_is_noticed(estate: Estate, store: Store) -> None:
    async def story() -> None:
        async with running(estate, store) as real:
            opened = await real.sessions.open(ALICE, READ)
            user = opened.session.db_user
            held = real.sessions._roster.live[opened.session.id].held
            await real.vault.revoke(held.lease_id)
            password = held.credentials.password.expose()
            estate.database.query(f"create role \"{user}\" login password '{password}'")
            await real.sessions.close(ALICE, opened.session.id)
            (entry,) = real.log.of_kind("session_closed")
            assert entry["lease_revoked"] is False
            estate.database.query(f'drop role "{user}"')

    asyncio.run(story())


def test_stopping_removes_every_user(estate: Estate, store: Store) -> None:
    async def story() -> None:
        async with running(estate, store) as real:
            await asyncio.gather(*(real.sessions.open(ALICE, READ) for _ in range(8)))
            assert len(estate.database.ephemeral()) == 8
            begun = time.monotonic()
        assert time.monotonic() - begun < 4
        assert not estate.database.ephemeral()

    asyncio.run(story())


def test_a_crashed_brokers_users_are_removed_by_the_next_start(
    estate: Estate, store: Store
) -> None:
    async def story() -> None:
        dead = Real(estate, store)
        await dead.sessions.start()
        opened = await dead.sessions.open(ALICE, READ)
        await dead.vault.issue("prod-db-readonly", 600)  # and one that is not journalled yet
        await dead.dies()
        assert len(estate.database.ephemeral()) == 2
        async with running(estate, store) as real:
            assert not estate.database.ephemeral()
            closed = await real.sessions.get(ALICE, opened.session.id)
            assert closed.state == "closed"
            assert real.log.of_kind("session_closed")[0]["session"] == opened.session.id

    asyncio.run(story())


def test_vault_that_hangs_is_said_within_10_s_and_leaves_no_user(
    estate: Estate, store: Store
) -> None:
    async def story() -> None:
        async with running(estate, store) as real:
            first = await real.sessions.open(ALICE, READ)
            estate.bao.process.send_signal(signal.SIGSTOP)
            try:
                begun = time.monotonic()
                with pytest.raises(Unreachable) as caught:
                    async with asyncio.timeout(20):
                        await real.sessions.open(ALICE, OpenSession(database="prod-db"))
                assert time.monotonic() - begun < LIMIT_S
                assert caught.value.hint
                begun = time.monotonic()
                closed = await real.sessions.close(ALICE, first.session.id)
                assert time.monotonic() - begun < LIMIT_S
                assert closed.state == "closed"
            finally:
                estate.bao.process.send_signal(signal.SIGCONT)
            await until(
                lambda: not estate.database.ephemeral(), "the removal of all users", RETRIED_S
            )
        rows = store.call_now(sessions.listing)
        assert {row.state.value for row in rows} == {"closed"}

    asyncio.run(story())
