"""One contract for the double and for Vault with PostgreSQL behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dbgate_broker.credentials.provider import CredentialProvider, LeaseGone
from dbgate_broker.credentials.vault import VaultProvider
from dbgate_broker.testing.credentials import MemoryProvider
from dbgate_core.errors import Unreachable
from tests.integration.credentials.estate import Estate
from tests.integration.credentials.servers import OpenBao, Postgres

ROLE = "prod-db-readonly"
SECOND = timedelta(seconds=5)


@dataclass
class Side:
    make: Callable[[], CredentialProvider]
    users: Callable[[CredentialProvider], set[str]]


@pytest.fixture(params=["double", "vault"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Side:
    if request.param == "double":
        roles = [f"prod-db-{role}" for role in ("readonly", "readwrite", "admin")]

        def users(provider: CredentialProvider) -> set[str]:
            assert isinstance(provider, MemoryProvider)
            return provider.users

        return Side(lambda: MemoryProvider(roles), users)
    bao: OpenBao = request.getfixturevalue("bao")
    database: Postgres = request.getfixturevalue("database")
    estate = Estate(bao, database, tmp_path)
    return Side(lambda: VaultProvider(estate.config()), lambda _: database.ephemeral())


def play(side: Side, story: Callable[[CredentialProvider], Awaitable[None]]) -> None:
    async def whole() -> None:
        provider = side.make()
        try:
            await story(provider)
        finally:
            await provider.close()

    asyncio.run(whole())


def test_a_user_exists_from_issue_to_revocation(side: Side) -> None:
    async def story(provider: CredentialProvider) -> None:
        before = side.users(provider)
        lease = await provider.issue(ROLE, 3600)
        assert side.users(provider) - before == {lease.username}
        assert lease.lease_id in await provider.list_leases(ROLE)
        assert lease.lease_id not in await provider.list_leases("prod-db-readwrite")
        left = lease.expires_at - datetime.now(UTC)
        assert timedelta(seconds=3595) < left <= timedelta(seconds=3600)
        assert lease.password.expose() not in repr(lease)
        await provider.revoke(lease.lease_id)
        assert lease.username not in side.users(provider)
        assert lease.lease_id not in await provider.list_leases(ROLE)

    play(side, story)


def test_a_lease_is_as_short_as_it_is_asked_for_and_renewed_as_long(side: Side) -> None:
    async def story(provider: CredentialProvider) -> None:
        lease = await provider.issue(ROLE, 120)
        assert lease.expires_at - datetime.now(UTC) <= timedelta(seconds=120)
        ends = await provider.renew(lease.lease_id, 600)
        assert abs(ends - datetime.now(UTC) - timedelta(seconds=600)) < SECOND
        await provider.revoke(lease.lease_id)

    play(side, story)


def test_a_lease_that_is_gone_is_revoked_in_silence_and_not_renewed(side: Side) -> None:
    async def story(provider: CredentialProvider) -> None:
        lease = await provider.issue(ROLE, 600)
        await provider.revoke(lease.lease_id)
        await provider.revoke(lease.lease_id)
        with pytest.raises(LeaseGone):
            await provider.renew(lease.lease_id, 600)
        await provider.revoke(f"database/creds/{ROLE}/never-was")

    play(side, story)


def test_many_at_once_get_users_of_their_own(side: Side) -> None:
    async def story(provider: CredentialProvider) -> None:
        found = await asyncio.gather(*(provider.issue(ROLE, 600) for _ in range(12)))
        assert len({lease.username for lease in found}) == 12
        await asyncio.gather(*(provider.revoke(lease.lease_id) for lease in found))
        assert not {lease.username for lease in found} & side.users(provider)

    play(side, story)


def test_an_unknown_role_is_refused_with_words(side: Side) -> None:
    async def story(provider: CredentialProvider) -> None:
        with pytest.raises(Unreachable, match="no-such-role"):
            await provider.issue("no-such-role", 600)

    play(side, story)


def test_a_role_nobody_uses_has_no_leases(side: Side, caplog: pytest.LogCaptureFixture) -> None:
    async def story(provider: CredentialProvider) -> None:
        assert list(await provider.list_leases("prod-db-readwrite")) == []

    play(side, story)
    assert [record.message for record in caplog.records if record.levelname != "DEBUG"] == []
