"""A process that dies at a chosen step: from there on, nothing it calls happens any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from dbgate_broker.credentials.provider import CredentialProvider, Lease
from dbgate_broker.store.engine import Store

T = TypeVar("T")


class Life:
    """Counts steps: one before and one after each call. At step `dies_at` all calls hang for good."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at = dies_at
        self.steps = 0
        self.dead = asyncio.Event()
        self.buried = asyncio.Event()
        """Set at the end of a test, so that the loop can end, too."""

    async def step(self) -> None:
        if self.steps >= self.dies_at:
            self.dead.set()
            await self.buried.wait()
            raise asyncio.CancelledError
        self.steps += 1

    async def around(self, call: Callable[[], Awaitable[T]]) -> T:
        await self.step()
        result = await call()
        await self.step()
        return result


class MortalStore(Store):
    def __init__(self, store: Store, life: Life) -> None:
        super().__init__(store.engine)
        self._life = life

    async def call(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        plain = super().call
        return await self._life.around(lambda: plain(work, *args, **kwargs))


class MortalProvider:
    def __init__(self, provider: CredentialProvider, life: Life) -> None:
        self._provider = provider
        self._life = life

    async def issue(self, role: str, ttl_s: int) -> Lease:
        return await self._life.around(lambda: self._provider.issue(role, ttl_s))

    async def renew(self, lease_id: str, ttl_s: int) -> datetime:
        return await self._life.around(lambda: self._provider.renew(lease_id, ttl_s))

    async def revoke(self, lease_id: str) -> None:
        await self._life.around(lambda: self._provider.revoke(lease_id))

    async def list_leases(self, role: str) -> Sequence[str]:
        return await self._life.around(lambda: self._provider.list_leases(role))

    async def close(self) -> None:
        pass
