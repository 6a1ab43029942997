"""The broker as a child process: started, asked whether it is well, and started again."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from dbgate_broker.dev import children
from dbgate_broker.dev.console import say
from dbgate_broker.dev.home import Home

NAME: Final = "broker"
START_S: Final = 60.0
FIRST_DELAY_S: Final = 0.2
LONGEST_DELAY_S: Final = 10.0
STEADY_S: Final = 30.0
"""A broker that lived so long failed anew: the delay begins at its shortest."""


def command(home: Home) -> list[str]:
    """How the broker is started."""
    return [sys.executable, "-m", "dbgate_broker", "--config", str(home.configuration)]


class BrokerChild:
    """The broker, which is back soon after it dies. `stop` ends it for good."""

    def __init__(
        self, family: children.Children, port: int, argv: Sequence[str] | None = None
    ) -> None:
        self._family = family
        self._program = children.Program(NAME, argv or command(family.home))
        self._healthy = health_probe(family.home, port)
        self._child: children.Child | None = None
        self._stopping = False

    async def start(self) -> None:
        """Start it, and wait until it is well. Raises Unreachable when it ends instead."""
        self._child = await self._family.start(self._program)
        await children.until("the broker", self._healthy, self._child, START_S)

    async def keep(self) -> None:
        """Start it again whenever it dies, a little later each time. Ends with `stop` alone."""
        delay = FIRST_DELAY_S
        while self._child is not None:
            begun = time.monotonic()
            code = await self._child.wait()
            if self._stopping:
                return
            if time.monotonic() - begun > STEADY_S:
                delay = FIRST_DELAY_S
            say(
                f"the broker ended ({children.ending(code)}) and is started again;"
                f" see {self._family.home.log(NAME)}"
            )
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_S)
            if not self._stopping:
                self._child = await self._family.start(self._program)

    async def stop(self, grace_s: float) -> None:
        """End it; it revokes its leases while it may."""
        self._stopping = True
        if self._child is not None:
            await self._child.stop(grace_s)


def health_probe(home: Home, port: int) -> Callable[[], bool]:
    """A function that asks `/healthz`, over TLS that it verifies."""
    context = ssl.create_default_context(cafile=str(home.ca_file))

    def healthy() -> bool:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=2, context=context)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return healthy
