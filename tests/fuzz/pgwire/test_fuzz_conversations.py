"""Real conversations, damaged on either side and cut anywhere: what reaches the server is lawful.

The law, checked on the bytes that the server gets: a Query or Parse holds a text that the guard
permitted, or our own that the server refuses; and whatever runs was on record before.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_broker.testing.gateway import DiaryGuard
from dbgate_core.errors import DbgateError
from dbgate_core.pgwire.capped import REFUSED_TEXT
from dbgate_core.pgwire.messages import HEADER, HEADER_BYTES, MAX_MESSAGE_BYTES
from dbgate_core.pgwire.session import Session
from tests.differential import texts
from tests.differential.grammar import Grammar, Say
from tests.unit.pgwire.model import Server

REFUSED = REFUSED_TEXT[:-1].decode()
SPOKEN = ("row a", "row b", "fail", "copyin", "copyout", "begin", "row forbidden", "copybad")
"""What the model of the server understands, besides SQL, of which it does nothing."""


@dataclass
class Watch:
    """Reads what goes to the server, message by message, and holds it against the guard's books."""

    guard: DiaryGuard
    runs: int = 0
    _data: bytes = b""
    seen: list[str] = field(default_factory=list)

    def forwarded(self, data: bytes) -> None:
        self._data += data
        while len(self._data) >= HEADER_BYTES:
            kind, length = HEADER.unpack_from(self._data)
            if len(self._data) < 1 + length:
                return
            body, self._data = self._data[HEADER_BYTES : 1 + length], self._data[1 + length :]
            self._message(chr(kind), body)

    def _message(self, kind: str, body: bytes) -> None:
        assert kind in "QPBDECSHXdcf", f"a message {kind!r} was forwarded"
        self.seen.append(kind)
        if kind in "QP":
            text = body.split(b"\0")[0 if kind == "Q" else 1].decode()
            if text == REFUSED:
                return
            assert text in self.guard.judged, f"{text!r} was never judged"
            assert "forbidden" not in text.lower()
        if kind in "QE":
            self.runs += 1
            assert self.runs <= len(self.guard.notes), "something runs that is not on record"


Damage = tuple[int, int, bytes]
"""Where, how many bytes are taken out, and what comes instead."""
damages = st.lists(
    st.tuples(
        st.integers(0, 2_000),
        st.sampled_from([0, 0, 1, 4, 5, 30]),
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from(
                [b"Z\0\0\0\5I", b"S\0\0\0\4", b"C\0\0\0\5\0", b"\0\0\0\4", b"F\0\0\0\4"]
            ),
        ),
    ),
    max_size=2,
)


def damaged(data: bytes, damages: list[Damage]) -> bytes:
    for where, gone, instead in damages:
        at = where % (len(data) + 1)
        data = data[:at] + instead + data[at + gone :]
    return data


def _as_spoken(say: Say, number: int) -> bytes:
    """The message with a text that the model understands, of the same length where it can be."""
    if say.data[:1] not in (b"Q", b"P") or not number:
        return say.data
    return say.data.replace(b"select 1\0", SPOKEN[number % len(SPOKEN)].ljust(8).encode() + b"\0")


@dataclass
class Line:
    """A session between a client's bytes and the model; the server's answers come damaged."""

    guard: DiaryGuard
    damage: list[Damage]

    def __post_init__(self) -> None:
        self.session = Session(self.guard)
        self.watch = Watch(self.guard)
        self._server = Server()

    def client(self, data: bytes) -> None:
        self.session.receive_client(data)
        self._deliver()
        assert self.session.held_bytes <= MAX_MESSAGE_BYTES + len(data)

    def _deliver(self) -> None:
        for _ in range(1_000):
            out = self.session.take_for_server()
            self.watch.forwarded(out)
            answer = damaged(self._server.feed(out), self.damage if out else [])
            self.session.receive_server(answer)
            self.session.take_for_client()
            if self.session.held and self.session.drained:
                self.guard.stale = False
                self.session.resume()
            elif not answer:
                return
        raise AssertionError("it goes on without an end")


@settings(max_examples=400, deadline=None)
@given(
    Grammar(texts.FORBIDDEN).conversation(8),
    st.lists(st.integers(0, len(SPOKEN)), min_size=1, max_size=8),
    damages,
    st.one_of(st.just([]), damages),
    st.sampled_from([1, 3, 17, 100_000]),
)
def test_only_what_was_judged_and_recorded_reaches_the_server(
    said: list[Say],
    spoken: list[int],
    ours: list[Damage],
    theirs: list[Damage],
    piece: int,
) -> None:
    parts = [_as_spoken(say, spoken[n % len(spoken)]) for n, say in enumerate(said)]
    data = damaged(b"".join(parts)[:30_000], ours)
    line = Line(DiaryGuard(), theirs)
    with contextlib.suppress(DbgateError):
        for at in range(0, len(data), piece):
            line.client(data[at : at + piece])
    line.watch.forwarded(line.session.take_for_server())
    line.session.abort()
    assert all(note.outcome is not None for note in line.guard.notes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Q\0\0\0\rselect 1\0", "never judged"),
        (b"E\0\0\0\t\0\0\0\0\0", "not on record"),
        (b"F\0\0\0\4", "was forwarded"),
    ],
)
def test_the_watch_notices_what_is_not_lawful(data: bytes, reason: str) -> None:
    """The check of the other test can fail."""
    with pytest.raises(AssertionError, match=reason):
        Watch(DiaryGuard()).forwarded(data)
