"""Access requests: asked, voted on, waited for, withdrawn; every step recorded, then done."""

from __future__ import annotations

from dbgate_core.contract import AccessRequestInfo, AskAccess
from dbgate_core.principal import Principal

MAX_WAIT_S = 30.0


class Requests:
    """The access requests of one broker."""

    async def ask(self, principal: Principal, ask: AskAccess) -> AccessRequestInfo:
        """Make an access request; the same one that is pending already is given instead."""
        raise NotImplementedError

    async def list(self, principal: Principal, state: str = "") -> list[AccessRequestInfo]:
        """The requests that a principal may see, the newest first; one state's, or all."""
        raise NotImplementedError

    async def get(self, principal: Principal, request_id: str) -> AccessRequestInfo:
        """One request. Raises NotFound also when the principal may not see it."""
        raise NotImplementedError

    async def wait(
        self, principal: Principal, request_id: str, timeout_s: float
    ) -> AccessRequestInfo:
        """One request, when it is no longer pending or after `timeout_s` (at most 30 s)."""
        raise NotImplementedError

    async def approve(
        self, principal: Principal, request_id: str, comment: str = ""
    ) -> AccessRequestInfo:
        """Vote for it."""
        raise NotImplementedError

    async def deny(
        self, principal: Principal, request_id: str, comment: str = ""
    ) -> AccessRequestInfo:
        """Vote against it: that ends it."""
        raise NotImplementedError

    async def withdraw(self, principal: Principal, request_id: str) -> AccessRequestInfo:
        """Take an own pending request back."""
        raise NotImplementedError
