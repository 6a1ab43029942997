"""A test for each channel, while the operator watches."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from dbgate_broker.config import Config
from dbgate_broker.notifications.channel import attempt
from dbgate_broker.notifications.events import trial
from dbgate_broker.notifications.reading import channels
from dbgate_broker.notifications.service import new_id
from dbgate_core.errors import Unreachable, UsageError


async def try_all(config: Config) -> None:
    """Tell every channel of a test, and say which took it.

    Raises Unreachable when one did not, UsageError without any.
    """
    found = await asyncio.to_thread(channels, config.notifications, config.databases)
    if not found:
        raise UsageError("there are no [[notifications]]", hint="see docs/notifications.md")
    failed = 0
    for channel, carrier in found:
        why, _ = await attempt(carrier, trial(new_id(), datetime.now(UTC)))
        failed += bool(why)
        print(f"{channel.name}: {why or 'delivered'}", flush=True)
    if failed:
        raise Unreachable(f"{failed} of {len(found)} channels did not take it")
