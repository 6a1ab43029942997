"""A text that waits for leave, in every place of a conversation: sent once or never, in step always."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.pgwire.messages import decode_fields
from dbgate_core.pgwire.session import FLUSH, Session
from tests.unit.pgwire.model import Server
from tests.unit.pgwire.test_relay import (
    SYNC,
    TEXTS,
    Strict,
    Talk,
    bind,
    conversations,
    execute,
    parse,
    play,
    query,
    split,
    told,
)

HELD = "row held for leave"
DENIED = "row held for leave forbidden"
"""The model refuses it by itself, with the SQLSTATE that a denial has."""
NO = Refusal("42501", "denied by bob")
POSITIONS: dict[str, Callable[[str], bytes]] = {
    "simple": lambda text: query(text) + SYNC,
    "extended": lambda text: parse("", text) + bind("", "") + execute("") + SYNC,
    "prepared": lambda text: parse("s", text) + SYNC + bind("", "s") + execute("") + SYNC,
    "behind a query": lambda text: query("row a") + query(text),
    "behind its own kind": lambda text: query(text) + query(text),
    "in a transaction": lambda text: query("begin") + query(text) + query("commit"),
    "deep in a pipeline": lambda text: (
        parse("", "row a") + bind("", "") + execute("") + parse("t", text) + bind("", "t")
        + execute("") + SYNC + query("row b")
    ),
}  # fmt: skip


@dataclass
class Decided(Talk):
    """Whatever waits is judged and decided as soon as it may be: leave, unless it is forbidden."""

    asked: list[str] = field(default_factory=list)
    short: list[bool] = field(default_factory=list)

    def client(self, data: bytes) -> None:
        super().client(data)
        self._decide()

    def answers(self, count: int) -> None:
        super().answers(count)
        self._decide()

    def _decide(self) -> None:
        while self.session.held and self.session.drained:
            hold, answer = self.session.asks, None
            if self.session.aside is not None:
                self.session.aside()
            if hold is not None:
                self.asked.append(hold.text)
                self.short.append(self.session.in_transaction)
                answer = NO
                if "forbidden" not in hold.text:
                    self.guard.leave.add(hold.text)
            self.session.resume(answer)
            self._wire += self.server.feed(self.session.take_for_server())
            self.session.receive_server(b"")
            self.out += self.session.take_for_client()


def heard(data: bytes) -> list[tuple[str, bytes | str]]:
    """What a client is told; in a failed transaction nobody is asked, and it is a refusal as well."""
    return [(kind, "42501" if what == "25P02" else what) for kind, what in told(data)]


@settings(max_examples=600, deadline=None)
@given(conversations([*TEXTS, HELD, DENIED]))
def test_leave_and_denial_are_heard_as_the_server_would_say_them(
    conversation: tuple[list[bytes], list[int]],
) -> None:
    sent, cuts = conversation
    talk = Decided()
    play(talk, sent, cuts)
    alone = Server()
    assert heard(talk.out) == heard(alone.feed(b"".join(sent) + SYNC))
    assert talk.server.ran == alone.ran
    assert talk.session.drained
    assert not talk.session.held


@pytest.mark.parametrize("cut", [1, 7, 1000])
@pytest.mark.parametrize("position", POSITIONS)
def test_nothing_of_it_is_sent_before_the_leave(position: str, cut: int) -> None:
    data = POSITIONS[position](HELD)
    session = Session(Strict())
    sent = b""
    server = Server()
    for start in range(0, len(data), cut):
        session.receive_client(data[start : start + cut])
        out = session.take_for_server()
        sent += out
        session.receive_server(server.feed(out))
    assert HELD.encode() not in sent
    assert session.held
    assert session.drained
    assert isinstance(session.asks, Hold)
    assert session.asks.text == HELD


@pytest.mark.parametrize("position", POSITIONS)
def test_a_denied_one_never_reaches_the_server(position: str) -> None:
    talk = Decided()
    talk.client(POSITIONS[position](DENIED))
    talk.settle()
    assert DENIED not in talk.server.ran
    errors = [decode_fields(body)["M"] for kind, body in split(talk.out) if kind == "E"]
    assert errors[0] == NO.message
    assert NO in talk.guard.refusals
    assert not talk.session.held


def test_each_of_two_waits_for_its_own_leave() -> None:
    talk = Decided()
    talk.client(query(DENIED) + query(DENIED))
    talk.settle()
    assert talk.asked == [DENIED, DENIED]


@pytest.mark.parametrize(
    ("before", "short"),
    [
        (b"", False),
        (query("begin"), True),
        (parse("", "row a") + bind("", "") + execute(""), True),
        (parse("", "row a") + bind("", "") + execute("") + SYNC, False),
        (parse("s", "row a"), True),
        (query("row a"), False),
    ],
)
def test_an_open_transaction_is_known(before: bytes, short: bool) -> None:
    talk = Decided()
    talk.client(before + parse("", HELD) + bind("", "") + execute("") + SYNC)
    talk.settle()
    assert talk.short == [short]


def test_behind_an_error_nobody_is_asked() -> None:
    talk = Decided()
    talk.client(parse("", "fail") + bind("", "") + execute("") + parse("", HELD) + SYNC)
    talk.settle()
    assert talk.asked == []
    talk.client(query("begin") + query("fail") + query(HELD))
    talk.settle()
    assert talk.asked == []
    assert HELD not in talk.server.ran
    assert talk.guard.refusals == [
        Refusal("42501", "it takes an approval", hint="ask for it", rule="diary")
    ]


@pytest.mark.parametrize(
    "before",
    [
        parse("", "fail") + bind("", "") + execute(""),
        query("begin") + query("fail"),
    ],
    ids=["the server skips to Sync", "the transaction has failed"],
)
def test_an_error_that_comes_while_it_waits_ends_the_question(before: bytes) -> None:
    session, server = Session(Strict()), Server()
    session.receive_client(before + (parse("", HELD) if b"P" in before[:1] else query(HELD)))
    assert session.held
    assert isinstance(session.asks, Hold)
    session.receive_server(server.feed(session.take_for_server()))
    assert session.drained
    assert session.asks is None


def test_behind_the_end_of_a_failed_transaction_not_yet_answered_it_waits() -> None:
    talk = Decided()
    talk.client(query("begin") + query("fail"))
    talk.settle()
    assert talk.session.transaction_status == "E"
    talk.client(query("commit") + query(HELD))
    talk.settle()
    assert talk.asked == [HELD]
    assert talk.guard.refusals == []


def test_it_is_judged_again_at_the_release() -> None:
    guard = Strict()
    session = Session(guard)
    session.receive_client(query(DENIED))
    guard.leave.add(DENIED)  # no longer held, and refused instead
    session.take_for_server()
    session.resume(NO)
    assert DENIED.encode() not in session.take_for_server()
    assert guard.refusals == []
    assert guard.judged == [DENIED, DENIED]


def test_a_catalog_that_grew_old_meanwhile_is_read_first() -> None:
    guard = Strict()
    session = Session(guard)
    session.receive_client(query(HELD))
    assert session.take_for_server() == FLUSH
    guard.stale = True
    session.resume(NO)
    assert session.held
    assert session.asks is None
    guard.stale = False
    session.resume()
    assert guard.refusals == [NO]
    assert not session.held


@given(st.booleans())
def test_an_answer_serves_one_text_alone(leave: bool) -> None:
    guard = Strict()
    session = Session(guard)
    session.receive_client(query(HELD) + query(DENIED))
    if leave:
        guard.leave.add(HELD)
    session.take_for_server()
    session.resume(NO)
    assert session.held
    assert session.asks is None or session.asks.text == DENIED
    assert guard.refusals == ([] if leave else [NO])
