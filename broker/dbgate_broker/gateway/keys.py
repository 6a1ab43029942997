"""Cancel keys: what clients hold instead of their backend's own (BackendKeyData)."""

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
        self._entries: dict[int, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def issue(self, session_id: str, cancel: Canceller, secret_bytes: int) -> tuple[int, bytes]:
        """A new key: a number like a process id, and a secret as long as the protocol has it."""
        pid = secrets.randbelow((1 << 31) - 1) + 1
        while pid in self._entries:
            pid = secrets.randbelow((1 << 31) - 1) + 1
        secret = secrets.token_bytes(secret_bytes)
        self._entries[pid] = _Entry(secret, session_id, cancel)
        return pid, secret

    def withdraw(self, pid: int) -> None:
        """The connection ended."""
        self._entries.pop(pid, None)

    def find(self, session_id: str, pid: int, secret: bytes) -> Canceller | None:
        """What cancels the connection of that key; None for a wrong key or another session's."""
        entry = self._entries.get(pid)
        if entry is None or not hmac.compare_digest(entry.secret, secret):
            return None
        return entry.cancel if entry.session_id == session_id else None
