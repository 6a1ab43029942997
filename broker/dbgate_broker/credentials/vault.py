"""The credential provider of Vault and OpenBao: the database secrets engine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from dbgate_broker.config import VaultConfig
from dbgate_broker.credentials.provider import Lease, LeaseGone
from dbgate_broker.credentials.vault_calls import VaultCalls
from dbgate_core.errors import Unreachable
from dbgate_core.secret import Secret

DEADLINE_S: Final = 8.0
"""For one call of the provider, whatever it needs: a login, a retry, a free thread."""
THREADS: Final = 8
"""hvac is synchronous. When all hang at a hanging Vault, further calls end at their deadline."""

T = TypeVar("T")


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class VaultProvider:
    """`CredentialProvider` over Vault's API, entered by AppRole."""

    def __init__(self, config: VaultConfig, clock: Callable[[], datetime] = utc_now) -> None:
        self._calls = VaultCalls(config)
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="vault")

    async def issue(self, role: str, ttl_s: int) -> Lease:
        """Make a database user. One that arrives after the deadline is revoked at once."""
        abandoned = threading.Event()
        try:
            return await self._run(lambda: self._issue(role, ttl_s, abandoned))
        except BaseException:
            abandoned.set()
            raise

    def _issue(self, role: str, ttl_s: int, abandoned: threading.Event) -> Lease:
        asked_at = self._clock()
        answer = self._calls.credentials(role)
        lease_id, lasts_s = str(answer["lease_id"]), int(answer["lease_duration"])
        try:
            if lasts_s != ttl_s:  # also to shorten: no user outlives its grant, broker or not
                lasts_s = self._calls.renew(lease_id, ttl_s)
            if abandoned.is_set():
                raise Unreachable("nobody waits for this database user any more")
        except BaseException:
            self._calls.revoke(lease_id)
            raise
        return Lease(
            lease_id=lease_id,
            username=str(answer["data"]["username"]),
            password=Secret(str(answer["data"]["password"])),
            expires_at=asked_at + timedelta(seconds=lasts_s),
        )

    async def renew(self, lease_id: str, ttl_s: int) -> datetime:
        """Let the user live on; gives its new end, which Vault may set earlier."""
        asked_at = self._clock()
        lasts_s = await self._run(lambda: self._calls.renew(lease_id, ttl_s))
        if lasts_s <= 0:
            raise LeaseGone("Vault renews it no more: its longest life is over")
        return asked_at + timedelta(seconds=lasts_s)

    async def revoke(self, lease_id: str) -> None:
        """Remove the user."""
        await self._run(lambda: self._calls.revoke(lease_id))

    async def list_leases(self, role: str) -> Sequence[str]:
        """The ids of the leases of a database role."""
        return await self._run(lambda: self._calls.lease_ids(role))

    async def look(self) -> None:
        """Whether it answers and is unsealed. Raises Unreachable when not."""
        await self._run(self._calls.look)

    async def close(self) -> None:
        """Forget the login."""
        self._calls.forget()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, call: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await loop.run_in_executor(self._threads, call)
        except TimeoutError as exc:
            raise Unreachable(
                f"Vault did not answer in {DEADLINE_S:.0f} s",
                hint="is it overloaded, or can it not reach the database?",
                code="vault.unreachable",
            ) from exc
