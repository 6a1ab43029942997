"""Cancel keys: what clients hold instead of their backend's own (BackendKeyData).

The process id is the backend's own: clients compare it with pg_backend_pid(), pg_stat_activity and
the sender of a notification, and may see it there. The secret is ours. Backends of two servers may
have the same number.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Canceller = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Entry:
    secret: bytes
    session_id: str
    cancel: Canceller


class Keys:
    """The keys of one gateway's connections. A key works only for tunnels of its own session."""

    def __init__(self) -> None:
        self._entries: dict[int, list[_Entry]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def issue(self, session_id: str, cancel: Canceller, pid: int, secret_bytes: int) -> bytes:
        """The secret of a new key for a backend, as long as the protocol has it."""
        secret = secrets.token_bytes(secret_bytes)
        self._entries.setdefault(pid, []).append(_Entry(secret, session_id, cancel))
        return secret

    def withdraw(self, pid: int, secret: bytes) -> None:
        """The connection ended."""
        left = [entry for entry in self._entries.pop(pid, []) if entry.secret != secret]
        if left:
            self._entries[pid] = left

    def find(self, session_id: str, pid: int, secret: bytes) -> Canceller | None:
        """What cancels the connection of that key; None for a wrong key or another session's."""
        for entry in self._entries.get(pid, ()):
            if hmac.compare_digest(entry.secret, secret) and entry.session_id == session_id:
                return entry.cancel
        return None
