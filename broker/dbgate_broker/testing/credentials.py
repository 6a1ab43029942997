"""The double of Vault: database users in memory, and switches for its faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from dbgate_broker.credentials.provider import Lease, LeaseGone
from dbgate_core.errors import Unreachable
from dbgate_core.secret import Secret


@dataclass(slots=True)
class _User:
    role: str
    username: str
    expires_at: datetime


class MemoryProvider:
    """`CredentialProvider` without a server; the contract suite holds for it as for Vault.

    `down` makes every call fail as an absent Vault does; while `gate` is cleared, calls wait.
    `users` are the database users that exist.
    """

    def __init__(
        self,
        roles: Sequence[str],
        *,
        longest_s: int = 24 * 3600,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._roles = frozenset(roles)
        self._longest = timedelta(seconds=longest_s)
        self._clock = clock
        self._numbers = count(1)
        self._leases: dict[str, _User] = {}
        self._born: dict[str, datetime] = {}

    @property
    def users(self) -> set[str]:
        """The names of the database users that exist."""
        self._expire()
        return {user.username for user in self._leases.values()}

    async def issue(self, role: str, ttl_s: int) -> Lease:
        """Make a user."""
        await self._answers()
        if role not in self._roles:
            raise Unreachable(f"Vault does not know or will not do this: database role {role}")
        number, now = next(self._numbers), self._clock()
        lease_id, username = f"database/creds/{role}/{number}", f"v-{role}-{number}"
        self._born[lease_id] = now
        expires_at = min(now + timedelta(seconds=ttl_s), now + self._longest)
        self._leases[lease_id] = _User(role, username, expires_at)
        return Lease(lease_id, username, Secret(f"password-{number}"), expires_at)

    async def renew(self, lease_id: str, ttl_s: int) -> datetime:
        """Let a user live on, up to the role's longest life."""
        await self._answers()
        self._expire()
        if (user := self._leases.get(lease_id)) is None:
            raise LeaseGone("Vault does not know it: lease renewal")
        wanted = self._clock() + timedelta(seconds=ttl_s)
        user.expires_at = min(wanted, self._born[lease_id] + self._longest)
        return user.expires_at

    async def revoke(self, lease_id: str) -> None:
        """Remove a user."""
        await self._answers()
        self._leases.pop(lease_id, None)

    async def list_leases(self, role: str) -> Sequence[str]:
        """The leases of a role."""
        await self._answers()
        self._expire()
        return [lease_id for lease_id, user in self._leases.items() if user.role == role]

    async def close(self) -> None:
        """Nothing to give up."""

    async def _answers(self) -> None:
        await self.gate.wait()
        if self.down:
            raise Unreachable("Vault does not answer", hint="is it running?")

    def _expire(self) -> None:
        now = self._clock()
        for lease_id in [i for i, user in self._leases.items() if user.expires_at <= now]:
            del self._leases[lease_id]
