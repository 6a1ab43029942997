"""Texts that are judged aside: each waits for its judgement, and the client notices nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.pgwire.guard import Hold, Permit, Refusal
from tests.unit.pgwire.model import Server
from tests.unit.pgwire.test_holds import HELD, Decided, heard
from tests.unit.pgwire.test_relay import (
    SYNC,
    TEXTS,
    Strict,
    Talk,
    conversations,
    play,
    query,
    told,
)


@dataclass
class Slow(Strict):
    """Judges nothing before its work was done, once for each judgement."""

    done: set[str] = field(default_factory=set)

    def aside(self, text: str) -> Callable[[], None] | None:
        return None if text in self.done else partial(self.done.add, text)

    def judge(self, text: str) -> Permit | Refusal | Hold:
        self.done.remove(text)
        return super().judge(text)


@settings(max_examples=300, deadline=None)
@given(conversations([*TEXTS, HELD]), st.booleans())
def test_the_client_hears_what_it_would_hear_from_the_server_itself(
    conversation: tuple[list[bytes], list[int]], masks: bool
) -> None:
    sent, cuts = conversation
    talk = Decided(Slow(masks=masks))
    play(talk, sent, cuts)
    alone = Server()
    assert heard(talk.out) == heard(alone.feed(b"".join(sent) + SYNC))
    assert talk.server.ran == alone.ran
    assert talk.session.drained
    assert not talk.session.held


def test_nothing_of_it_goes_on_before_it_is_judged() -> None:
    talk = Talk(Slow())
    talk.client(query("row a"))
    assert talk.session.held
    assert talk.session.aside is not None
    assert talk.server.ran == []
    talk.session.aside()
    talk.session.resume()
    talk.client(b"")
    talk.settle()
    assert talk.server.ran == ["row a"]
    assert told(talk.out)[-1][0] == "Z"
