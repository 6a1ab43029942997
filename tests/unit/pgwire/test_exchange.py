"""Whole exchanges: recognised or not, the client, the server and the guard see the same."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.pgwire import backend, session
from dbgate_core.pgwire.exchange import Answered, Asked, answered, asked, replied
from dbgate_core.pgwire.guard import Status
from dbgate_core.pgwire.messages import HEADER_BYTES, message
from tests.unit.pgwire.model import description, row
from tests.unit.pgwire.test_relay import (
    MOVING,
    SYNC,
    TEXTS,
    Strict,
    Talk,
    bind,
    conversations,
    describe,
    exchange_of,
    execute,
    parse,
    play,
    query,
    told,
)

BOUND = message(b"B", b"\0s\0" + struct.pack("!HHHi", 1, 1, 2, 3) + b"abc\xff\xff\xff\xff\0\0")
DONE, READY = message(b"C", b"SELECT 1\0"), message(b"Z", b"I")
SHOWN = description("x")
ANSWER = message(b"2", b"") + SHOWN + row("x") + DONE + READY


def settled(talk: Talk) -> list[object]:
    """What the guard was asked, and what became of it."""
    notes = [(n.text, n.protocol, n.parameters, n.outcome) for n in talk.guard.notes]
    return [*notes, talk.guard.judged, talk.guard.statuses, talk.session.transaction_status]


@settings(max_examples=600, deadline=None)
@given(conversations([*TEXTS, *MOVING]), st.booleans())
def test_the_short_way_and_the_long_one_are_the_same(
    conversation: tuple[list[bytes], list[int]], masks: bool
) -> None:
    sent, cuts = conversation
    short, long = Talk(Strict(masks=masks)), Talk(Strict(masks=masks))
    errors = []
    for talk, patch in ((short, pytest.MonkeyPatch()), (long, pytest.MonkeyPatch())):
        if talk is long:
            patch.setattr(session, "asked", lambda data, position: None)
            patch.setattr(backend, "answered", lambda data, position: None)
            patch.setattr(backend, "replied", lambda data, position: None)
        with patch.context():
            try:
                play(talk, sent, cuts)
            except Exception as exc:
                errors.append(type(exc))
                talk.session.abort()
        patch.undo()
    assert len(errors) in (0, 2)
    assert errors[:1] == errors[1:]
    assert told(short.out) == told(long.out)
    assert short.server.ran == long.server.ran
    assert settled(short) == settled(long)
    assert short.session.statements.keys() == long.session.statements.keys()
    assert short.session.portals.keys() == long.session.portals.keys()


def test_the_short_way_is_taken() -> None:
    """Or the law above would compare the long way with itself."""
    talk = Talk(Strict(masks=False))
    talk.client(parse("s", "row a") + SYNC)
    talk.settle()
    for described in (True, False):
        talk.session.receive_client(exchange_of("s", described))
        assert len(talk.session.pending) == 1
        answer = talk.server.feed(talk.session.take_for_server())
        talk.session.receive_server(answer)
        kinds = [kind for kind, _ in told(talk.session.take_for_client())]
        assert kinds == (["2", "T", "D", "C", "Z"] if described else ["2", "D", "C", "Z"])
        assert talk.session.drained
    assert [note.outcome.status for note in talk.guard.notes if note.outcome] == [Status.OK] * 2


def test_what_was_masked_goes_the_long_way() -> None:
    talk = Talk(Strict(masks=True))
    talk.client(parse("s", "row a") + SYNC + exchange_of("s", True) + exchange_of("s", False))
    talk.settle()
    talk.client(exchange_of("s", True))
    assert len(talk.session.pending) == 4
    talk.settle()
    assert [body for kind, body in told(talk.out) if kind == "D"] == [
        row("row a")[HEADER_BYTES:]
    ] * 3


def test_an_exchange_is_recognised() -> None:
    whole = BOUND + describe("P", "") + execute("") + SYNC
    assert asked(b"x" + whole + b"more", 1) == Asked(
        1 + len(whole), 1 + len(BOUND), True, "s", 1 + HEADER_BYTES + 3, 2
    )
    short = BOUND + execute("") + SYNC
    assert asked(short, 0) == Asked(len(short), len(BOUND), False, "s", HEADER_BYTES + 3, 2)


def test_an_answer_is_recognised() -> None:
    start = 5 + HEADER_BYTES
    assert answered(ANSWER + b"2", 0) == Answered(
        len(ANSWER), start, start - HEADER_BYTES + len(SHOWN), "SELECT 1", "I"
    )
    nothing = message(b"2", b"") + message(b"n", b"") + message(b"C", b"UPDATE 3\0") + READY
    assert answered(nothing, 0) == Answered(len(nothing), 10, 10, "UPDATE 3", "I")


def test_a_reply_to_a_query_is_recognised() -> None:
    rows = ANSWER[5:]
    assert replied(b"x" + rows, 1) == Answered(
        1 + len(rows), 1 + HEADER_BYTES, 1 + len(SHOWN), "SELECT 1", "I"
    )
    assert replied(DONE + READY, 0) == Answered(len(DONE + READY), 0, 0, "SELECT 1", "I")
    for other in (
        ANSWER,
        SHOWN + READY,
        DONE + DONE + READY,
        rows[:-1],
        message(b"I", b"") + READY,
    ):
        assert replied(other, 0) is None


@pytest.mark.parametrize(
    "other",
    [
        bind("c", "s") + execute("") + SYNC,
        bind("", "s") + execute("c") + SYNC,
        bind("", "s") + describe("S", "") + execute("") + SYNC,
        bind("", "s") + describe("P", "c") + execute("") + SYNC,
        bind("", "s") + message(b"E", b"\0\0\0\0\1") + SYNC,
        bind("", "s") + execute("") + message(b"H", b""),
        bind("", "s") + execute("") + message(b"S", b"x"),
        message(b"B", b"\0s\0" + struct.pack("!HHi", 0, 1, 9) + b"\0\0") + execute("") + SYNC,
        message(b"B", b"\0s\0" + struct.pack("!HHi", 0, 1, -2) + b"\0\0") + execute("") + SYNC,
        message(b"B", b"\0s\0\0\0\0\0\0\0x") + execute("") + SYNC,
        message(b"B", b"\0\xff\0\0\0\0\0\0\0") + execute("") + SYNC,
        query("row a"),
    ],
)
def test_anything_else_is_none(other: bytes) -> None:
    assert asked(other, 0) is None


@pytest.mark.parametrize(
    "other",
    [
        ANSWER.replace(DONE, message(b"s", b"")),
        ANSWER.replace(DONE, message(b"I", b"")),
        ANSWER.replace(DONE, message(b"C", b"SELECT 1")),
        ANSWER.replace(DONE, message(b"C", b"SELECT\0 1\0")),
        ANSWER.replace(DONE, message(b"C", b"S" * 80 + b"\0")),
        ANSWER.replace(DONE, message(b"C", b"\xff\0")),
        ANSWER.replace(DONE, message(b"N", b"\0") + DONE),
        ANSWER.replace(SHOWN, b""),
        ANSWER.replace(SHOWN, SHOWN + SHOWN),
        ANSWER.replace(READY, message(b"Z", b"X")),
        ANSWER.replace(READY, message(b"Z", b"")),
        ANSWER.replace(READY, message(b"E", b"\0")),
        ANSWER[5:],
    ],
)
def test_any_other_answer_is_none(other: bytes) -> None:
    assert answered(other, 0) is None


@given(st.integers(0, 200), st.booleans())
def test_what_is_cut_is_none(cut: int, server: bool) -> None:
    whole = ANSWER if server else BOUND + describe("P", "") + execute("") + SYNC
    part = whole[: min(cut, len(whole) - 1)]
    assert (answered if server else asked)(part, 0) is None
