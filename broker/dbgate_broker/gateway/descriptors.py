"""The limit of open files, made to fit the gateway's connections, or they to it.

A process starts with a soft limit of 1,024 on most systems, for programs that use select(2); ours
do not. A broker without a free descriptor could not even refuse politely.
"""

from __future__ import annotations

import logging
import resource
from typing import Final

EACH: Final = 2
"""A connection's socket to its client and one to its server."""
SPARE: Final = 512
"""For all else: the API's calls, Vault, the log's files, the store, cancel requests."""

_log = logging.getLogger(__name__)


def make_room(connections: int) -> int:
    """Raise the soft limit as far as needed; how many of the connections then fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted, fitting = plan(connections, soft, hard)
    if wanted != soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if fitting < connections:
        _log.warning(
            "open files are limited to %d: at most %d connections, not %d (LimitNOFILE= in systemd)",
            hard,
            fitting,
            connections,
        )
    return fitting


def plan(connections: int, soft: int, hard: int) -> tuple[int, int]:
    """The soft limit to set, never below the present one, and how many connections it is for."""
    needed = connections * EACH + SPARE
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= needed:
        return soft, connections
    if hard == unlimited or hard >= needed:
        return needed, connections
    return hard, max(0, hard - SPARE) // EACH
