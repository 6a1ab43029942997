"""How a broker's process is told to stop."""

from __future__ import annotations

import asyncio

from dbgate_broker.serving import drained


def test_a_drain_that_ends_says_how() -> None:
    async def story(whole: bool) -> str:
        async def drain() -> bool:
            return whole

        return await drained(drain, asyncio.Queue())

    assert asyncio.run(story(True)) == "nothing runs any more"
    assert asyncio.run(story(False)) == "the time for draining is over"


def test_a_second_signal_ends_the_drain() -> None:
    async def story() -> str:
        signals: asyncio.Queue[None] = asyncio.Queue()

        async def drain() -> bool:
            signals.put_nowait(None)
            await asyncio.Event().wait()
            return True

        return await drained(drain, signals)

    assert asyncio.run(story()) == "told so again"
