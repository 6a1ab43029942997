"""The life of a broker's process: started, told to stop, drained, stopped.

Meanwhile SIGHUP reads the policies again; with a mistake in them, those in force stay.

1. The first SIGINT or SIGTERM begins the drain: no new sessions or connections, idle ones end,
   statements and transactions that run may end by themselves.
2. When nothing is left, or `sessions.drain_s` has passed, or a second signal comes, what is left is
   ended: clients are told 57P01, leases revoked, the log sealed.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

from dbgate_broker.broker import start
from dbgate_broker.config import Config
from dbgate_broker.telemetry.logs import trouble

ENDING: Final = (signal.SIGINT, signal.SIGTERM)
SWITCH_S: Final = 0.000_5
"""How long a thread may keep the interpreter's lock from another; Python's own choice is ten times that."""

log = logging.getLogger(__name__)


async def serve(config: Config) -> None:
    """Run a broker until it is told to stop. Raises DbgateError when it cannot start."""
    signals: asyncio.Queue[None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(trouble)
    for number in ENDING:
        loop.add_signal_handler(number, signals.put_nowait, None)
    async with AsyncExitStack() as stack:
        started = await start(config, stack)
        reloads = Reloads(started.reload)
        loop.add_signal_handler(signal.SIGHUP, reloads.ask)
        stack.callback(loop.remove_signal_handler, signal.SIGHUP)
        settle()
        await signals.get()
        log.info(
            "draining for at most %d s; a second signal stops at once", config.sessions.drain_s
        )
        log.info("stopping: %s", await drained(started.drain, signals))
    log.info("stopped")


class Reloads:
    """Reads the policies again when asked; what is asked meanwhile comes after it."""

    def __init__(self, reload: Callable[[], Awaitable[bool]]) -> None:
        self._reload = reload
        self._running: set[asyncio.Future[bool]] = set()

    def ask(self) -> None:
        """Begin, and keep hold of it until it is done."""
        task = asyncio.ensure_future(self._reload())
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def drained(drain: Callable[[], Awaitable[bool]], signals: asyncio.Queue[None]) -> str:
    """Drain, until a second signal; how it went, in words."""
    draining = asyncio.ensure_future(drain())
    second = asyncio.ensure_future(signals.get())
    await asyncio.wait({draining, second}, return_when=asyncio.FIRST_COMPLETED)
    second.cancel()
    if not draining.done():
        draining.cancel()
        return "told so again"
    return "nothing runs any more" if draining.result() else "the time for draining is over"


def settle() -> None:
    """Now that all is loaded: what stays is no matter for the collector, and threads take turns.

    The loop gives the interpreter's lock up at each write of the log; a thread that works in the
    background then keeps it for a switch interval, which every client would wait for.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)
