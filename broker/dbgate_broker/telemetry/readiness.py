"""Whether this broker can do its work: `GET /readyz`, for load balancers and for people.

Asking is open to anybody, so it costs little: the answer is kept for a while, and of many who ask
at once one looks.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from dbgate_core.errors import AuditUnavailable, DbgateError

KEPT_S: Final = 2.0
"""How old an answer may be."""
CHECK_S: Final = 4.0
"""For one part to answer; the probes of Kubernetes and of load balancers wait 1 to 10 s."""
LEAST_FREE_BYTES: Final = 64 * 1024 * 1024
"""One segment of the audit log: with less room statements are about to stop."""
RUNNING: Final = "running"
"""The check that fails once the broker drains."""

Check = Callable[[], Awaitable[object]]


class Readiness:
    """Looks at the parts that new sessions need. `checks` raise when theirs does not answer."""

    def __init__(
        self, checks: Mapping[str, Check], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.draining = False
        self._checks = dict(checks)
        self._clock = clock
        self._lock = asyncio.Lock()
        self._found: dict[str, bool] = {}
        self._looked_at = float("-inf")

    async def look(self) -> dict[str, bool]:
        """Each part, and whether it answers."""
        async with self._lock:
            if self._clock() - self._looked_at > KEPT_S:
                answers = await asyncio.gather(*map(_passes, self._checks.values()))
                self._found = dict(zip(self._checks, answers, strict=True))
                self._looked_at = self._clock()
        return {RUNNING: not self.draining, **self._found}


async def _passes(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_S):
            await check()
    except (DbgateError, OSError, TimeoutError):
        return False
    return True


def free_bytes(folder: Path) -> int:
    """The room on a folder's disk for who is not root. Raises OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


async def demand_room(folder: Path) -> None:
    """Raises AuditUnavailable when the log's disk is as good as full, OSError when it is gone."""
    if await asyncio.to_thread(free_bytes, folder) < LEAST_FREE_BYTES:
        raise AuditUnavailable("the audit log's disk is full", hint="make room")
