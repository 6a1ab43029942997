"""The seam to whatever carries a notification out of the broker."""

from __future__ import annotations

from typing import Protocol

from dbgate_broker.notifications.events import Notification


class NotTaken(Exception):
    """The other side did not take it. `again`: it may take the same one later. The words hold no secret."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        super().__init__(why)
        self.why, self.again = why, again


class Carrier(Protocol):
    """One way out. The caller sets the deadline; a send that is cancelled leaves nothing running."""

    async def send(self, one: Notification) -> None:
        """On return it was taken. Raises NotTaken."""

    def check(self) -> None:
        """Look at what can be looked at without sending. Raises UsageError."""
