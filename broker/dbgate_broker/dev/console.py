"""What developer mode says on standard error while it starts, runs and stops."""

from __future__ import annotations

import sys
import time
from typing import Final

PREFIX: Final = "dbgate dev:"


def say(text: str) -> None:
    """Say a line on standard error; control characters in it are shown as escapes."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    print(f"{PREFIX} {shown}", file=sys.stderr, flush=True)


class Stopwatch:
    """Says how long a part took, in seconds since the watch was made."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the watch was made."""
        return time.monotonic() - self._begun

    def done(self, what: str) -> None:
        """Say that a part is there."""
        say(f"{self.seconds:5.1f} s  {what}")
