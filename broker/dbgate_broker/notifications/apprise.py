"""Services that Apprise knows, each notification sent by a process of its own.

So its hundred services are imported only when there is something to tell, cannot hold the event
loop up, can be ended at the deadline, and do not share memory with the credentials of databases.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from dbgate_broker.notifications.apprise_child import Code
from dbgate_broker.notifications.carrier import NotTaken
from dbgate_broker.notifications.events import Notification
from dbgate_core.errors import UsageError
from dbgate_core.secret import Secret

CHILD: Final = (sys.executable, "-I", "-m", "dbgate_broker.notifications.apprise_child")
CHECK_S: Final = 60.0
"""It only imports; a busy machine may take its time."""


class Apprise:
    """`carrier.Carrier`. The URL holds tokens: it reaches the child by a pipe, not on a command line."""

    def __init__(self, url_file: Path) -> None:
        """Raises UsageError without the extra `notifications`, or for a file that cannot be read."""
        if find_spec("apprise") is None:
            raise UsageError(
                "notifications by Apprise are configured and not installed",
                hint="pip install 'dbgate[notifications]'",
            )
        self._file = url_file
        try:
            self._url = Secret(url_file.read_text("utf-8").strip())
        except (OSError, UnicodeDecodeError) as exc:
            raise UsageError(f"cannot read the Apprise URL in {url_file}") from exc

    def check(self) -> None:
        """Have Apprise read the URL. Raises UsageError."""
        try:
            done = subprocess.run(
                CHILD, input=self._asked(None), capture_output=True, timeout=CHECK_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise UsageError(f"cannot check the Apprise URL in {self._file}") from exc
        if done.returncode == Code.CLEAR:
            raise UsageError(
                f"the Apprise URL in {self._file} is of a service without TLS",
                hint="most have a name for it that ends in s: jsons://, mailtos://",
            )
        if done.returncode != Code.DONE:
            raise UsageError(f"the Apprise URL in {self._file} is none that Apprise knows")

    async def send(self, one: Notification) -> None:
        """On return the service took it. Raises NotTaken."""
        try:
            child = await asyncio.create_subprocess_exec(
                *CHILD,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as exc:
            raise NotTaken(f"no process could be started: {type(exc).__name__}") from exc
        try:
            await child.communicate(self._asked(one))
        finally:
            if child.returncode is None:
                child.kill()
                await asyncio.shield(child.wait())
        if child.returncode != Code.DONE:
            raise NotTaken("the service did not take it")

    def _asked(self, one: Notification | None) -> bytes:
        asked = {"url": self._url.expose()}
        if one is not None:
            asked |= {"title": one.title, "body": "\n".join(one.lines)}
        return msgspec.json.encode(asked)
