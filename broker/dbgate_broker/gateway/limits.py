"""The gateway's bounds, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_HEAD_BYTES: Final = 16 * 1024
"""The CONNECT's head; as much as h11 and most proxies take."""
MAX_AUTH_BYTES: Final = 8 * 1024
"""One message of a SCRAM exchange; real ones hold under 300 bytes."""
MAX_GREETING_BYTES: Final = 256 * 1024
"""All that a server may say between its AuthenticationOk and its ReadyForQuery."""
MAX_ITERATIONS: Final = 1_000_000
"""Of SCRAM, as a server may ask; PostgreSQL asks for 4096. More is an attempt to keep us busy."""
INBOX_BYTES: Final = 64 * 1024
"""What is held of a peer that speaks before its turn; then it is not read any more."""
HIGH_WATER_BYTES: Final = 64 * 1024
"""What a leg may have unsent; then the other leg is not read. With one read of the loop (256 KiB)
and the socket's own buffers this is all that a slow reader can make us hold, a direction."""

MAX_READINGS: Final = 10
"""Of the catalog, for one message, while others change the schema."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Deadlines and counts of one gateway, in seconds where they end in `_s`."""

    connections: int = 8_192
    """Some 50 KB each when idle. Three full sessions and more; open files may allow fewer."""
    opening_s: float = 10.0
    """TLS, CONNECT, start-up and SCRAM of the client, together."""
    upstream_s: float = 9.0
    """The lease, the guard with its catalog, the connection to PostgreSQL and its log-in, together;
    nobody waits over 10 s for a server that says nothing."""
    dial_s: float = 5.0
    """Of it, the connection and its log-in: so that closing the session still is within the 10 s."""
    cancel_s: float = 5.0
    """One CancelRequest to PostgreSQL."""
    wind_down_s: float = 5.0
    """From the end of a connection until its backend is done; then it is cut off."""
    refresh_s: float = 10.0
    """Reading the catalog again while a client waits."""
    linger_s: float = 1.5
    """What a client has to read its last message."""
    stop_s: float = 2.5
    """All of `Gateway.stop`, which promises 3."""
