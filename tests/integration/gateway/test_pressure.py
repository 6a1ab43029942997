"""A slow side holds the other one up; the gateway keeps little of what is between them.

What it keeps is reckoned, not timed: bytes it took from one side, less those that the other side got.
The kernel's own buffers are in that, so they are made small.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest

from dbgate_broker.gateway.wire import OPTIONS, Pause, Wire
from dbgate_core.pgwire.messages import message
from tests.integration.gateway.raw import query, raw
from tests.integration.gateway.world import LIMIT_S, World

KEPT_BYTES = 256 * 1024
"""What docs say of a connection and direction."""
SOCKET_BYTES = 32 * 1024
KERNEL_BYTES = 256 * 1024
"""What the small sockets hold all the same: the kernel doubles them, and rounds up."""
RESULT_BYTES = 300 << 20
PIECE = b"1\t" + b"x" * 32_000 + b"\n"
PIECES = 1_000
DONE = message(b"c", b"")
READY = message(b"Z", b"I")


class Gauge:
    """Counts what each leg took, and when a leg was not read because the other one was full."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.took: Counter[int] = Counter()
        self.passed = 0
        self.most = 0
        self.full = threading.Event()
        adopt, updated, pause = Wire.adopt, Wire.buffer_updated, Wire.pause

        def small(wire: Wire, transport: asyncio.Transport) -> None:
            adopt(wire, transport)
            raw = transport.get_extra_info("socket")
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                raw.setsockopt(socket.SOL_SOCKET, option, SOCKET_BYTES)

        def counted(wire: Wire, nbytes: int) -> None:
            self.took[id(wire)] += nbytes
            self.most = max(self.most, self.took[id(wire)] - self.passed)
            updated(wire, nbytes)

        def noted(wire: Wire, reason: Pause) -> None:
            pause(wire, reason)
            if reason is Pause.FULL:
                self.full.set()

        patch.setattr(Wire, "adopt", small)
        patch.setattr(Wire, "buffer_updated", counted)
        patch.setattr(Wire, "pause", noted)


@pytest.fixture
def gauge(monkeypatch: pytest.MonkeyPatch) -> Gauge:
    return Gauge(monkeypatch)


def test_a_slow_client_makes_the_gateway_keep_little(gauge: Gauge, world: World) -> None:
    with raw(world) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
        client.log_in()
        rows = RESULT_BYTES // 1_000
        client.send(query(f"select repeat('x', 1000) from generate_series(1, {rows})"))
        assert gauge.full.wait(LIMIT_S), "the server was read on, whoever took it"
        tail = b""
        while not tail.endswith(READY):
            got = client.socket.recv(256 * 1024)
            assert got
            gauge.passed += len(got)
            tail = got[-len(READY) :]
    assert gauge.passed > RESULT_BYTES
    assert gauge.most <= KEPT_BYTES + KERNEL_BYTES, gauge.most


def test_a_slow_server_makes_the_gateway_keep_little(gauge: Gauge, world: World) -> None:
    """The COPY waits for a lock, so its data cannot be taken; nothing is read of them meanwhile."""
    with psycopg.connect(world.server.dsn()) as holder, raw(world) as client:
        holder.execute("lock table sink in access exclusive mode")
        client.log_in()
        client.send(query("copy sink from stdin"))
        sender = threading.Thread(target=client.send, args=(message(b"d", PIECE) * PIECES + DONE,))
        sender.start()
        assert gauge.full.wait(LIMIT_S), "the client was read on, whoever took it"
        taken = max(gauge.took.values())
        holder.rollback()
        sender.join(LIMIT_S)
        assert [kind for kind, _ in client.until("Z")] == ["G", "C", "Z"]
    assert max(gauge.took.values()) > PIECES * len(PIECE)
    assert taken <= KEPT_BYTES + KERNEL_BYTES, taken


def test_both_legs_send_at_once_and_notice_a_peer_that_vanished(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[set[int]] = []
    hand_over = Wire.hand_over

    def noted(wire: Wire, taker: Callable[[bytes], None]) -> None:
        assert wire.transport is not None
        raw_socket = wire.transport.get_extra_info("socket")
        found.append({raw_socket.getsockopt(level, option) for level, option, _ in OPTIONS})
        hand_over(wire, taker)

    monkeypatch.setattr(Wire, "hand_over", noted)
    with raw(world) as client:
        client.log_in()
    assert found == [{value for _, _, value in OPTIONS}] * 2
