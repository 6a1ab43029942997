"""Sessions: opened, listed, closed, killed; and the tunnels that the gateway asks for."""

from __future__ import annotations

from dbgate_core.contract import DatabaseInfo, OpenedSession, OpenSession, SessionInfo
from dbgate_core.principal import Principal
from dbgate_core.secret import Secret


class Sessions:
    """The sessions of one broker. `start()` before the first use, `stop()` at the end."""

    async def start(self) -> None:
        """End what an earlier run left open, and begin to watch deadlines and leases."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close every session, within 4 s; what cannot be revoked stays in the journal."""
        raise NotImplementedError

    async def databases_for(self, principal: Principal) -> list[DatabaseInfo]:
        """The databases a principal may see, and how each access role stands to it."""
        raise NotImplementedError

    async def open(self, principal: Principal, ask: OpenSession) -> OpenedSession:
        """Open a session. Raises NotFound, Denied, ApprovalNeeded, Unreachable, LimitExceeded."""
        raise NotImplementedError

    async def list(self, principal: Principal, state: str = "open") -> list[SessionInfo]:
        """The sessions a principal may see, the newest first: `open`, `closed`, or `` for all."""
        raise NotImplementedError

    async def get(self, principal: Principal, session_id: str) -> SessionInfo:
        """One session. Raises NotFound also when the principal may not see it."""
        raise NotImplementedError

    async def close(self, principal: Principal, session_id: str, reason: str = "") -> SessionInfo:
        """Close an own session, or kill another's; its database user is gone when this returns."""
        raise NotImplementedError

    async def authorize(self, database: str, session_id: str, token: Secret) -> object:
        """The gateway's `Tunnels`: a CONNECT's database, session and token to its tunnel."""
        raise NotImplementedError
