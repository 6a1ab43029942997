"""Splices: bytes between local clients and the gateway, both ways, in one thread.

The thread waits on all sockets at once (epoll(7), or poll(2) where there is none) and lets OpenSSL
read and write the gateway's sockets itself: no event loop, no second buffer, no TLS in memory. One
read is one write. What a reader does not take is kept, READ_BYTES at most for each direction, and
its sender is not read until it is gone. Nothing is parsed.
"""

from __future__ import annotations

import collections
import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, cast

from dbgate_cli import signals

READ_BYTES: Final = 64 * 1024
"""The most that one turn of one direction takes, and so the most that a direction holds: large
enough for a bulk result, small enough that one connection does not keep the others waiting."""
RECORD_BYTES: Final = 16 * 1024
"""A TLS record holds no more (RFC 8446, section 5.1), and OpenSSL gives one at a time."""
IN: Final = select.POLLIN
OUT: Final = select.POLLOUT
"""epoll(7) has the same values as poll(2). An error or a hang-up is told unasked."""
_LATER: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Poll(Protocol):
    """What select.epoll and select.poll have in common."""

    def register(self, fd: int, eventmask: int, /) -> None:
        """Begin to wait for events on a descriptor."""

    def modify(self, fd: int, eventmask: int, /) -> None:
        """Wait for other events."""

    def unregister(self, fd: int, /) -> None:
        """Wait no more."""

    def poll(self) -> list[tuple[int, int]]:
        """Wait; give what happened."""


def new_poll() -> Poll:
    """The system's way to wait on many sockets."""
    return select.epoll() if hasattr(select, "epoll") else select.poll()


class End:
    """One socket of a splice: what it reads, its peer writes."""

    __slots__ = ("far", "fd", "over", "peer", "recv_into", "send", "sock", "unsent")

    def __init__(self, sock: socket.socket, *, far: bool) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.far = far
        self.recv_into: Callable[[memoryview], int]
        self.send: Callable[[bytes | memoryview], int]
        if isinstance(sock, ssl.SSLSocket):
            read = partial(sock.read, READ_BYTES)  # with a buffer it gives a count
            self.recv_into, self.send = cast(Callable[[memoryview], int], read), sock.write
        else:
            self.recv_into, self.send = sock.recv_into, sock.send
        self.peer = self
        self.unsent = b""
        """What the socket did not take. While there is some, the peer is not read."""
        self.over = False
        """Nothing more is read: it said all, or its peer is gone."""

    @property
    def wanted(self) -> int:
        """The events to wait for."""
        reading = not self.over and not self.peer.unsent
        return (IN if reading else 0) | (OUT if self.unsent else 0)

    def read(self, view: memoryview) -> int:
        """Read what is there, up to READ_BYTES; 0: nothing now, or `over` is set: nothing more.

        Nothing stays behind in OpenSSL, where poll would not see it: there is room for a whole
        record each time. More than one is only looked for after a full one.
        """
        count = 0
        try:
            while True:
                got = self.recv_into(view[count:] if count else view)
                if not got:
                    break
                count += got
                if got != RECORD_BYTES or count == READ_BYTES:
                    return count
        except _LATER:
            return count
        except OSError:
            pass
        self.over = True
        return count

    def write(self, data: bytes | memoryview) -> int:
        """Write what the socket takes now. Raises OSError when it is broken.

        OpenSSL wants the same bytes again when it could not write them (SSL_write(3)): what is
        unsent is only ever offered from its start.
        """
        try:
            return self.send(data)
        except _LATER:
            return 0


class Splicer:
    """The thread. `ended` is called in it for each splice that is over, with who was over first."""

    def __init__(self, ended: Callable[[End], None]) -> None:
        self._ended = ended
        self._poll = new_poll()
        self._ends: dict[int, End] = {}
        self._doors: dict[int, Callable[[], None]] = {}
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._lock = threading.Lock()
        self._calls: collections.deque[Callable[[], None]] = collections.deque()
        self._stopped = False
        self._bell, self._ear = socket.socketpair()
        for side in (self._bell, self._ear):
            side.setblocking(False)
        self._open(self._ear, self._answer)
        self._thread = threading.Thread(target=self._run, name="splices", daemon=True)
        self._thread.start()

    def listen(self, listener: socket.socket, accept: Callable[[], None]) -> None:
        """Call `accept` whenever somebody connects to a listener, which belongs to the caller."""
        self.soon(lambda: self._open(listener, accept))

    def once(self, sock: socket.socket, event: int, call: Callable[[], None]) -> None:
        """In the thread: call when an event comes to a socket that belongs to the caller."""

        def happened() -> None:
            self.forget(sock)
            call()

        self._doors[sock.fileno()] = happened
        self._poll.register(sock.fileno(), event)

    def forget(self, sock: socket.socket) -> None:
        """In the thread: what was to be called `once` is not."""
        del self._doors[sock.fileno()]
        self._poll.unregister(sock.fileno())

    def join(self, local: socket.socket, gateway: socket.socket) -> None:
        """In the thread: splice two connected sockets; they belong to the splicer from now on."""
        near, far = End(local, far=False), End(gateway, far=True)
        near.peer, far.peer = far, near
        for end in (near, far):
            end.sock.setblocking(False)
            end.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends[end.fd] = end
            self._poll.register(end.fd, IN)

    def rest(self, listener: socket.socket, seconds: float) -> None:
        """Do not look at a listener for a while; called by its `accept`."""
        fd = listener.fileno()
        self._poll.modify(fd, 0)
        again = threading.Timer(seconds, lambda: self.soon(lambda: self._poll.modify(fd, IN)))
        again.daemon = True
        again.start()

    def stop(self) -> None:
        """Break every splice, and end the thread."""
        self.soon(self._stop)
        self._thread.join()

    def soon(self, call: Callable[[], None]) -> bool:
        """Have something called in the thread; false when it has ended."""
        with self._lock:
            if self._stopped:
                return False
            self._calls.append(call)
            with contextlib.suppress(BlockingIOError):  # full: it will wake anyway
                self._bell.send(b"\0")
            return True

    def _answer(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(READ_BYTES)
        while self._calls:
            self._calls.popleft()()

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True

    def _run(self) -> None:
        signals.block_in_thread()
        try:
            while not self._stopped:
                self._turn()
        finally:
            self._stop()
            self._answer()
            for end in list(self._ends.values()):
                self._drop(end)
            self._bell.close()
            self._ear.close()

    def _turn(self) -> None:
        for fd, happened in self._poll.poll():
            end = self._ends.get(fd)
            if end is None:
                if fd in self._doors:  # else an end that was closed in this turn
                    self._doors[fd]()
            elif happened & OUT:
                self._flush(end)
            elif happened & IN and not end.over:
                self._carry(end)
            elif happened & ~IN:  # broken, while nothing was to be read or written
                self._finish(end)

    def _open(self, sock: socket.socket, call: Callable[[], None]) -> None:
        self._doors[sock.fileno()] = call
        self._poll.register(sock.fileno(), IN)

    def _carry(self, end: End) -> None:
        """Read from one end, and write that to the other."""
        count = end.read(self._buffer)
        if count and not self._pass_on(end, self._buffer[:count]):
            return
        if end.over:
            self._finish(end)

    def _pass_on(self, end: End, data: memoryview) -> bool:
        """Write to an end's peer; false when that is broken."""
        peer = end.peer
        try:
            sent = peer.write(data)
        except OSError:  # what it said before is still to be read, and then its end
            end.over = True
            self._watch(end)
            with contextlib.suppress(OSError):
                socket.socket.shutdown(peer.sock, socket.SHUT_WR)  # below TLS
            return False
        if sent < len(data):
            peer.unsent = bytes(data[sent:])
            self._watch(end)
        return True

    def _flush(self, end: End) -> None:
        """Write what one end did not take before; then its sender may be read again."""
        try:
            end.unsent = end.unsent[end.write(end.unsent) :]
        except OSError:
            self._finish(end)
            return
        if end.unsent:
            return
        if end.over:
            self._drop(end)
        else:
            self._watch(end)

    def _watch(self, end: End) -> None:
        for one in (end, end.peer):
            self._poll.modify(one.fd, one.wanted)

    def _finish(self, end: End) -> None:
        """One end is over: close it, and the other when what it still has to write is written."""
        peer = end.peer
        self._drop(end)
        if peer.unsent and self._lives(peer):
            peer.over = True
            self._poll.modify(peer.fd, peer.wanted)
        elif self._lives(peer):
            self._drop(peer)

    def _drop(self, end: End) -> None:
        del self._ends[end.fd]
        self._poll.unregister(end.fd)
        hang_up(end.sock)
        if not self._lives(end.peer):
            self._ended(end.peer)

    def _lives(self, end: End) -> bool:
        return self._ends.get(end.fd) is end


def hang_up(sock: socket.socket) -> None:
    """Close a socket, with TLS's own good-bye (close_notify) where there is TLS; never wait."""
    with contextlib.suppress(OSError, ValueError):
        if isinstance(sock, ssl.SSLSocket):
            sock.setblocking(False)
            sock.unwrap()
    sock.close()
