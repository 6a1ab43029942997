"""Vault's own faults, and what its users may and may not do in PostgreSQL."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
import pytest

from dbgate_broker.credentials.provider import Lease
from dbgate_broker.credentials.vault import VaultProvider
from dbgate_core.errors import DbgateError, Unreachable, UsageError
from tests.integration.credentials.estate import Estate
from tests.integration.credentials.servers import OpenBao, Postgres, free_port

ROLE = "prod-db-readonly"
LIMIT_S = 10.0


@pytest.fixture
def estate(bao: OpenBao, database: Postgres, tmp_path: Path) -> Estate:
    return Estate(bao, database, tmp_path)


def play(
    estate: Estate, story: Callable[[VaultProvider], Awaitable[None]], **changes: object
) -> None:
    async def whole() -> None:
        provider = VaultProvider(estate.config(**changes))
        try:
            await story(provider)
        finally:
            await provider.close()

    asyncio.run(whole())


def login(database: Postgres, lease: Lease) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host="127.0.0.1", port=database.port, dbname="postgres", user=lease.username,
        password=lease.password.expose(), sslmode="disable", autocommit=True,
    )  # fmt: skip


def test_revocation_ends_open_connections_and_refuses_the_password(estate: Estate) -> None:
    async def story(provider: VaultProvider) -> None:
        lease = await provider.issue(ROLE, 600)
        with login(estate.database, lease) as connection:
            assert connection.execute("select current_user").fetchone() == (lease.username,)
            await provider.revoke(lease.lease_id)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            login(estate.database, lease)

    play(estate, story)


def test_a_user_who_created_a_table_is_removed_and_the_table_stays(estate: Estate) -> None:
    async def story(provider: VaultProvider) -> None:
        lease = await provider.issue("prod-db-admin", 600)
        with login(estate.database, lease) as connection:
            connection.execute("create table made_by_admin (id int)")
            connection.execute("reset role")
        await provider.revoke(lease.lease_id)
        assert lease.username not in estate.database.ephemeral()
        owner = "select tableowner from pg_tables where tablename = 'made_by_admin'"
        assert estate.database.query(owner) == [("app_admin",)]
        estate.database.query("drop table made_by_admin")

    play(estate, story)


def test_a_dropped_user_is_no_error_when_its_lease_is_revoked(estate: Estate) -> None:
    async def story(provider: VaultProvider) -> None:
        lease = await provider.issue(ROLE, 600)
        estate.database.query(f'drop role "{lease.username}"')
        await provider.revoke(lease.lease_id)
        assert lease.lease_id not in await provider.list_leases(ROLE)

    play(estate, story)


def test_a_vault_that_hangs_is_unreachable_within_10_s_and_leaves_no_user(estate: Estate) -> None:
    async def story(provider: VaultProvider) -> None:
        await provider.list_leases(ROLE)
        before = estate.database.ephemeral()
        estate.bao.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        try:
            with pytest.raises(Unreachable) as caught:
                await provider.issue(ROLE, 600)
        finally:
            estate.bao.process.send_signal(signal.SIGCONT)
        assert time.monotonic() - begun < LIMIT_S
        assert caught.value.hint
        deadline = time.monotonic() + LIMIT_S
        while estate.database.ephemeral() - before or await provider.list_leases(ROLE):
            assert time.monotonic() < deadline, "the late user stayed"
            for lease_id in await provider.list_leases(ROLE):  # as the sweep of orphans does
                await provider.revoke(lease_id)

    play(estate, story)


def test_an_absent_vault_is_unreachable_at_once(estate: Estate) -> None:
    async def story(provider: VaultProvider) -> None:
        begun = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            await provider.issue(ROLE, 600)
        assert time.monotonic() - begun < 3
        assert caught.value.code == "vault.unreachable"

    play(estate, story, address=f"http://127.0.0.1:{free_port()}")


def test_a_login_that_vault_has_ended_is_made_again(estate: Estate) -> None:
    async def story(provider: VaultProvider) -> None:
        await provider.list_leases(ROLE)
        estate.revoke_tokens_of_the_broker()
        lease = await provider.issue(ROLE, 600)
        await provider.revoke(lease.lease_id)

    play(estate, story)


def test_a_wrong_secret_id_and_a_missing_file_are_said_and_no_secret_is(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def story(provider: VaultProvider) -> None:
        (estate.folder / "secret-id").write_text("marker-secret")
        with pytest.raises(DbgateError) as caught:
            await provider.issue(ROLE, 600)
        said = f"{caught.value.message} {caught.value.hint}"
        assert "docs/vault.md" in said
        assert "marker-secret" not in said + caplog.text
        (estate.folder / "secret-id").unlink()
        with pytest.raises(UsageError):
            await provider.issue(ROLE, 600)

    play(estate, story)


def test_the_brokers_policy_reaches_nothing_else(estate: Estate) -> None:
    async def story(provider: VaultProvider) -> None:
        for role in ("other-role", "../config/prod-db"):
            with pytest.raises(Unreachable):
                await provider.issue(role, 600)
        with pytest.raises(Unreachable):
            await provider.list_leases("other-role")

    play(estate, story)
