"""A leg that has much to hand on rests after its turn, so that the others have theirs."""

from __future__ import annotations

import asyncio

from dbgate_broker.gateway.wire import Pause, Wire
from dbgate_core.pgwire.inlet import TURN_BYTES


class Paused(asyncio.Transport):
    """Notes when reading is paused and goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is written."""

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.noted.append("paused")

    def resume_reading(self) -> None:
        self.noted.append("goes on")


def _fed(wire: Wire, size: int) -> None:
    while size > 0:
        buffer = wire.get_buffer(-1)
        step = min(size, len(buffer))
        wire.buffer_updated(step)
        size -= step


def _taking() -> tuple[Wire, Paused, list[int]]:
    wire, transport, taken = Wire(), Paused(), []
    wire.connection_made(transport)
    wire.hand_over(lambda data: taken.append(len(data)))
    return wire, transport, taken


async def _a_turn() -> None:
    await asyncio.sleep(0)


def test_a_leg_rests_after_its_turn_and_goes_on_in_the_next() -> None:
    async def story() -> None:
        wire, transport, taken = _taking()
        _fed(wire, TURN_BYTES - 1)
        assert transport.noted == []
        _fed(wire, 1)
        assert transport.noted == ["paused"]
        assert sum(taken) == TURN_BYTES
        await _a_turn()
        assert transport.noted == ["paused", "goes on"]

    asyncio.run(story())


def test_a_leg_that_waits_for_its_peer_goes_on_waiting_after_its_turn() -> None:
    async def story() -> None:
        wire, transport, _ = _taking()
        wire.pause(Pause.FULL)
        _fed(wire, TURN_BYTES)
        await _a_turn()
        assert transport.noted == ["paused"]
        wire.resume(Pause.FULL)
        assert transport.noted == ["paused", "goes on"]

    asyncio.run(story())
