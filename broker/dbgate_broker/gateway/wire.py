"""One leg of a connection: a socket whose bytes are first read in turns, then handed to a relay.

Reading is paused for reasons that are counted, because two may hold at once (the other leg is full;
the client runs ahead), and each must end before reading goes on.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from enum import IntFlag, auto
from typing import Any, Final, cast

from dbgate_broker.gateway.limits import HIGH_WATER_BYTES, INBOX_BYTES
from dbgate_core.errors import ProtocolViolation
from dbgate_core.native import Inlet
from dbgate_core.pgwire.messages import HEADER, HEADER_BYTES

OPTIONS: Final = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 6),
)
"""Small messages go out at once; a peer that vanished without a word is noticed within two minutes."""
READ_BYTES: Final = 64 * 1024
"""The most that one read takes."""


class Gone(Exception):
    """The peer closed the connection."""


class Pause(IntFlag):
    """Why a leg is not read."""

    FULL = auto()
    AHEAD = auto()
    INBOX = auto()
    TURN = auto()


def tune(transport: asyncio.BaseTransport) -> None:
    """Set OPTIONS on a connection. What a listener accepts has its listener's already."""
    set_options(transport.get_extra_info("socket"))


def set_options(named: Any) -> None:
    """On the socket of that descriptor, through one object: a loop's own makes one for each call."""
    if named.family == socket.AF_UNIX:
        return
    sock = socket.socket(named.family, named.type, named.proto, fileno=named.fileno())
    try:
        for level, option, value in OPTIONS:
            sock.setsockopt(level, option, value)
    finally:
        sock.detach()


def _nothing() -> None:
    return None


def _no_pressure(full: bool) -> None:
    return None


class _Buffers(threading.local):
    """A loop's read buffer, shared by its legs: between get_buffer and buffer_updated none other reads."""

    def __init__(self) -> None:
        self.store = bytearray(READ_BYTES)


_buffers: Final = _Buffers()


class Wire(Inlet, asyncio.BufferedProtocol):
    """One leg. `on_lost` is called once at its end; `on_pressure` when its unsent bytes pass the mark.

    Buffered, because for a plain Protocol each read over TLS makes a bytes object of 256 KiB first,
    which malloc may map and unmap each time, and which lets one full socket hold the loop.
    """

    def __init__(self, on_made: Callable[[Wire], None] | None = None) -> None:
        Inlet.__init__(self, _buffers.store, self._received, self._rests)
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self.on_lost: Callable[[], None] = _nothing
        self.on_pressure: Callable[[bool], None] = _no_pressure
        self._on_made = on_made
        self._taker: Callable[[bytes], None] | None = None
        self._inbox = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._pauses = 0
        self._cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.adopt(cast(asyncio.Transport, transport))
        if self._on_made is not None:
            self._on_made(self)

    def adopt(self, transport: asyncio.Transport) -> None:
        """Go on over this transport: the first one, or the TLS one over it."""
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)

    @property
    def peer(self) -> str:
        """The other end's address and port; empty when it has none."""
        address = self.transport.get_extra_info("peername") if self.transport is not None else None
        return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else ""

    def _rests(self) -> None:
        """The others have their turn."""
        self.pause(Pause.TURN)
        asyncio.get_running_loop().call_soon(self.resume, Pause.TURN)

    def _received(self, data: bytes) -> None:
        """Hand on, or hold for whoever reads in turns."""
        if self._taker is not None:
            self._taker(data)
            return
        self._inbox += data
        if len(self._inbox) > INBOX_BYTES:
            self.pause(Pause.INBOX)
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever began it."""
        self.lost = True
        self.transport = None
        if self._cut is not None:  # else it would keep all of this for the while
            self._cut.cancel()
        self._wake()
        self.on_lost()

    def pause_writing(self) -> None:
        """The unsent bytes passed the mark."""
        self.on_pressure(True)

    def resume_writing(self) -> None:
        """The unsent bytes are few again."""
        self.on_pressure(False)

    def pause(self, reason: Pause) -> None:
        """Stop reading for this reason."""
        if not self._pauses and self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()
        self._pauses |= reason

    def resume(self, reason: Pause) -> None:
        """This reason is over; reading goes on when it was the last."""
        if not self._pauses or not self._pauses & reason:
            return
        self._pauses &= ~int(reason)
        if not self._pauses and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send; nothing happens on a lost leg."""
        if self.transport is not None:
            self.transport.write(data)

    def close(self, linger_s: float) -> None:
        """Send what is unsent, then close; cut off after `linger_s`."""
        if self.transport is not None:
            self.transport.close()
            self._cut = asyncio.get_running_loop().call_later(linger_s, self.abort)

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    def hand_over(self, taker: Callable[[bytes], None]) -> None:
        """From now on bytes go to `taker`, those that wait first."""
        self._taker = taker
        if self._inbox:
            waiting = bytes(self._inbox)
            self._inbox.clear()
            taker(waiting)
        self.resume(Pause.INBOX)

    @property
    def waiting_bytes(self) -> int:
        """How many bytes were received and not read."""
        return len(self._inbox)

    async def read(self, count: int) -> bytes:
        """Exactly `count` bytes. Raises Gone."""
        while len(self._inbox) < count:
            await self._more()
        data = bytes(self._inbox[:count])
        del self._inbox[:count]
        if len(self._inbox) <= INBOX_BYTES:
            self.resume(Pause.INBOX)
        return data

    async def read_until(self, mark: bytes, limit_bytes: int) -> bytes | None:
        """Everything up to and with `mark`; None when it is not within `limit_bytes`. Raises Gone."""
        while (end := self._inbox.find(mark, 0, limit_bytes)) < 0:
            if len(self._inbox) >= limit_bytes:
                return None
            await self._more()
        return await self.read(end + len(mark))

    async def read_message(self, limit_bytes: int) -> tuple[str, bytes]:
        """One whole message: its type and body. Raises Gone, ProtocolViolation when it is too long."""
        while len(self._inbox) < HEADER_BYTES:
            await self._more()
        kind, length = HEADER.unpack_from(self._inbox)
        if not 4 <= length <= limit_bytes:
            raise ProtocolViolation(f"a message of length {length} in the log-in")
        return chr(kind), (await self.read(1 + length))[HEADER_BYTES:]

    async def _more(self) -> None:
        if self.lost:
            raise Gone
        self.resume(Pause.INBOX)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
