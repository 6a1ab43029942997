"""The seam to whoever makes and removes ephemeral database users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dbgate_core.errors import DbgateError
from dbgate_core.secret import Secret


class LeaseGone(DbgateError):
    """The provider does not know this lease: it was revoked, or has expired, or never was."""

    code = "lease.gone"


@dataclass(frozen=True, slots=True)
class Lease:
    """An ephemeral database user and when it ends by itself (aware UTC)."""

    lease_id: str
    username: str
    password: Secret
    expires_at: datetime


class CredentialProvider(Protocol):
    """Vault, OpenBao, or the double of the tests; `role` is its database role (`vault_role`).

    Every call ends within 8 s and raises Unreachable, with a hint, when the provider does not
    answer, is sealed, or refuses the broker. One contract suite holds for all providers.
    """

    async def issue(self, role: str, ttl_s: int) -> Lease:
        """Make a database user that lives `ttl_s` seconds unless renewed (less, if the role's limit is)."""

    async def renew(self, lease_id: str, ttl_s: int) -> datetime:
        """Let the user live `ttl_s` seconds from now; gives its new end. Raises LeaseGone."""

    async def revoke(self, lease_id: str) -> None:
        """Remove the user and end its backends; it is gone when this returns, or it raises.

        A lease that is gone already is no error.
        """

    async def list_leases(self, role: str) -> Sequence[str]:
        """The ids of every lease of a database role, whoever took it."""

    async def close(self) -> None:
        """Give up the provider's own login. Leases are not touched."""
