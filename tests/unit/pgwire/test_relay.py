"""The relay against the model: whatever is sent, however it is cut, in whatever order it comes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dbgate_broker.testing.gateway import DiaryGuard
from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.guard import Outcome, Permit, RowMask, Running, Status
from dbgate_core.pgwire.messages import HEADER, HEADER_BYTES, decode_fields, message, warning
from dbgate_core.pgwire.rows import Field
from dbgate_core.pgwire.session import Session
from tests.unit.pgwire.model import Server

TEXTS = ["row a", "row b", "done", "fail", "row forbidden", "begin", "commit", ""]
MOVING = ["prepare s row p", "prepare t row q", "drop s", "open c row o", "drop c"]


def query(text: str) -> bytes:
    return message(b"Q", text.encode() + b"\0")


def parse(name: str, text: str) -> bytes:
    return message(b"P", f"{name}\0{text}\0".encode() + b"\0\0")


def bind(portal: str, name: str) -> bytes:
    return message(b"B", f"{portal}\0{name}\0".encode() + struct.pack("!HHH", 0, 0, 0))


def describe(kind: str, name: str) -> bytes:
    return message(b"D", f"{kind}{name}\0".encode())


def execute(portal: str) -> bytes:
    return message(b"E", portal.encode() + b"\0\0\0\0\0")


def close(kind: str, name: str) -> bytes:
    return message(b"C", f"{kind}{name}\0".encode())


SYNC, FLUSH = message(b"S", b""), message(b"H", b"")


@dataclass
class OwnRows:
    """A mask that passes only rows of the statement that it was planned for."""

    text: str
    values: int = 0

    def rewrite(self, messages: bytes) -> bytes:
        for kind, body in split(messages):
            self.values += 1
            assert kind == "D"
            shown = body[6:].decode()
            assert shown in self.text.split(";"), f"{shown!r} under the plan of {self.text!r}"
        return messages


@dataclass
class Strict(DiaryGuard):
    """Plans a mask for every result that knows whose it is."""

    moves: tuple[str, ...] = ("prepare ", "drop ", "open ")
    masks: bool = True

    def rows(self, permit: Permit, fields: Sequence[Field]) -> RowMask | None:
        return OwnRows(permit.text) if self.masks else None


def split(data: bytes) -> list[tuple[str, bytes]]:
    found, position = [], 0
    while position < len(data):
        kind, length = HEADER.unpack_from(data, position)
        assert length >= 4
        found.append((chr(kind), data[position + HEADER_BYTES : position + 1 + length]))
        position += 1 + length
    assert position == len(data)
    return found


def told(data: bytes) -> list[tuple[str, bytes | str]]:
    """What a client is told; of an error only its SQLSTATE."""
    return [(k, decode_fields(b)["C"] if k == "E" else b) for k, b in split(data)]


@dataclass
class Talk:
    """A client, the session and the model, with the bytes on their way between them."""

    guard: Strict = field(default_factory=Strict)
    server: Server = field(default_factory=Server)
    out: bytes = b""
    _wire: bytes = b""

    def __post_init__(self) -> None:
        self.session = Session(self.guard)

    def client(self, data: bytes) -> None:
        self.session.receive_client(data)
        self._wire += self.server.feed(self.session.take_for_server())
        self._go_on()

    def answers(self, count: int) -> None:
        """Let `count` bytes of the server arrive."""
        data, self._wire = self._wire[:count], self._wire[count:]
        self.session.receive_server(data)
        self.out += self.session.take_for_client()
        self._go_on()

    def _go_on(self) -> None:
        """As the relay does it: once the server owes nothing, the catalog is read."""
        if self.session.held and self.session.drained:
            self.guard.stale = False
            self.session.resume()
            self._wire += self.server.feed(self.session.take_for_server())

    def settle(self) -> None:
        while self._wire:
            self.answers(len(self._wire))


def begun(talk: Talk) -> list[str]:
    """The texts that were recorded and reached the server, one by one."""
    ended = (Status.OK, Status.ERROR)
    notes = [n for n in talk.guard.notes if n.outcome and n.outcome.status in ended]
    return [text for note in notes for text in note.text.split(";")]


names = st.sampled_from(["", "s", "t"])
portals = st.sampled_from(["", "c", "dbgate refused this"])


def steps(texts: list[str]) -> st.SearchStrategy[bytes]:
    text = st.sampled_from(texts)
    together = st.builds(lambda t: parse("", t) + bind("", "") + execute(""), text)
    exchange = st.builds(exchange_of, names, st.booleans())
    return st.one_of(
        exchange,
        st.builds(lambda name, t, e: parse(name, t) + e, names, text, exchange),
        st.builds(query, text),
        st.builds(lambda a, b: query(f"{a};{b}"), text, text),
        st.builds(parse, names, text),
        st.builds(bind, portals, names),
        st.builds(lambda n: describe("S", n), names),
        st.builds(lambda n: describe("P", n), portals),
        st.builds(execute, portals),
        st.builds(lambda n: close("S", n), names),
        st.builds(lambda n: close("P", n), portals),
        st.builds(together_with_describe, text),
        together,
        st.sampled_from([SYNC, SYNC, FLUSH]),
    )


def together_with_describe(text: str) -> bytes:
    return parse("", text) + bind("", "") + describe("P", "") + execute("") + SYNC


def exchange_of(name: str, described: bool) -> bytes:
    """What a driver sends to run a prepared statement once more."""
    return bind("", name) + (describe("P", "") if described else b"") + execute("") + SYNC


def conversations(texts: list[str]) -> st.SearchStrategy[tuple[list[bytes], list[int]]]:
    cuts = st.lists(st.integers(0, 60), max_size=40)
    return st.tuples(st.lists(steps(texts), max_size=16), cuts)


def play(talk: Talk, sent: list[bytes], cuts: list[int]) -> None:
    """Send all; between the pieces let some of the answers arrive, as the cuts say."""
    data = b"".join(sent) + SYNC
    position = 0
    for n, cut in enumerate(cuts):
        if n % 2:
            talk.answers(cut)
        else:
            talk.client(data[position : position + cut])
            position += cut
    talk.client(data[position:])
    talk.settle()


@settings(max_examples=600, deadline=None)
@given(conversations(TEXTS), st.booleans())
def test_the_client_hears_what_it_would_hear_from_the_server_itself(
    conversation: tuple[list[bytes], list[int]], masks: bool
) -> None:
    sent, cuts = conversation
    talk = Talk(Strict(masks=masks))
    play(talk, sent, cuts)
    alone = Server()
    assert told(talk.out) == told(alone.feed(b"".join(sent) + SYNC))
    assert talk.server.ran == alone.ran
    assert talk.session.drained
    assert all(note.outcome is not None for note in talk.guard.notes)


@settings(max_examples=600, deadline=None)
@given(conversations([*TEXTS, *MOVING]))
def test_what_ran_was_recorded_and_rows_have_their_own_plan(
    conversation: tuple[list[bytes], list[int]],
) -> None:
    """`OwnRows` fails when a row passes under another statement's plan."""
    sent, cuts = conversation
    talk = Talk()
    play(talk, sent, cuts)
    recorded = begun(talk)
    for text in talk.server.ran:
        assert text in recorded, f"{text!r} ran unrecorded"
        recorded.remove(text)
    assert not any("forbidden" in text for text in talk.server.ran)


@settings(max_examples=200, deadline=None)
@given(conversations([*TEXTS, "row create table x"]))
@example(
    (
        [
            *[exchange_of("", False)] * 2,
            parse("s", "row create table x"),
            bind("", ""),
            parse("", "row a"),
            exchange_of("s", False),
            query("row a"),
        ],
        [28, 41, 52, 41, 60, 46],
    )
)
def test_nothing_is_judged_while_the_catalog_is_stale(
    conversation: tuple[list[bytes], list[int]],
) -> None:
    """The double's `judge` fails when it is asked while stale; and nothing hangs."""
    sent, cuts = conversation
    talk = Talk()
    play(talk, sent, cuts)
    alone = Server()
    assert told(talk.out) == told(alone.feed(b"".join(sent) + SYNC))
    assert not talk.session.held


@settings(max_examples=60, deadline=None)
@given(conversations(TEXTS), st.booleans())
def test_byte_by_byte_is_as_good_as_whole(
    conversation: tuple[list[bytes], list[int]], masks: bool
) -> None:
    sent, _ = conversation
    whole, bytewise = Talk(Strict(masks=masks)), Talk(Strict(masks=masks))
    play(whole, sent, [])
    play(bytewise, sent, [1] * 2 * len(b"".join(sent)))
    assert told(whole.out) == told(bytewise.out)
    assert begun(whole) == begun(bytewise)


COPIES = [
    [query("copyin"), message(b"d", b"1"), message(b"c", b"")],
    [query("copyin"), message(b"d", b"bad"), message(b"d", b"2"), message(b"c", b"")],
    [query("copyin"), message(b"d", b"1"), message(b"f", b"no\0")],
    [query("copybad"), message(b"d", b"1"), message(b"c", b"")],
    [query("copyin;copyin"), *[message(b"d", b"1"), message(b"c", b"")] * 2],
    [query("copyout"), query("copyout;row a")],
    [query("copyin"), SYNC, FLUSH, message(b"d", b"1"), SYNC, message(b"c", b"")],
]
EXTENDED = [
    [message(b"d", b"1"), SYNC, message(b"d", b"1"), message(b"c", b""), SYNC],
    [message(b"d", b"bad"), message(b"c", b""), SYNC],
    [message(b"f", b"no\0"), SYNC],
    [message(b"d", b"bad"), SYNC, message(b"c", b""), SYNC],
]


def extended(text: str, *, early_sync: bool) -> list[bytes]:
    return [parse("", text), bind("", ""), execute(""), *([SYNC] if early_sync else [])]


copies = st.one_of(
    st.sampled_from(COPIES),
    st.builds(
        lambda early, rest: [*extended("copyin", early_sync=early), *rest],
        st.booleans(),
        st.sampled_from(EXTENDED),
    ),
    st.builds(
        lambda early: [*extended("copybad", early_sync=early), message(b"c", b""), SYNC],
        st.booleans(),
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(copies, min_size=1, max_size=4))
def test_copies_stay_in_step_when_the_client_waits_for_them(rounds: list[list[bytes]]) -> None:
    """The client looks at the answers before it goes on, as every driver does in a COPY."""
    talk, alone, direct = Talk(), Server(), b""
    for sent in rounds:
        for data in [*sent, query("row a")]:
            talk.client(data)
            talk.settle()
            direct += alone.feed(data)
    assert told(talk.out) == told(direct)
    assert talk.server.ran == alone.ran
    assert talk.session.drained


@settings(max_examples=400, deadline=None)
@given(st.lists(copies, min_size=1, max_size=3), st.lists(st.integers(0, 60), max_size=30))
def test_copies_in_one_breath_stay_in_step_or_end(
    rounds: list[list[bytes]], cuts: list[int]
) -> None:
    """What cannot be told apart ends the connection; nothing runs unrecorded."""
    talk = Talk()
    sent = [data for part in rounds for data in [*part, query("row a")]]
    try:
        play(talk, sent, cuts)
    except ProtocolViolation:
        talk.session.abort()
    else:
        alone = Server()
        assert told(talk.out) == told(alone.feed(b"".join(sent) + SYNC))
    recorded = [note.text for note in talk.guard.notes]
    assert all(any(text in note.split(";") for note in recorded) for text in talk.server.ran)
    assert all(note.outcome is not None for note in talk.guard.notes)


@given(st.booleans(), st.lists(st.integers(1, 40), max_size=12), st.integers(0, 12))
def test_a_word_of_our_own_stands_between_two_messages_of_the_server(
    masked: bool, cuts: list[int], when: int
) -> None:
    """Whole and unaltered is everything else, wherever the server's bytes are cut."""
    notice = warning("it ends soon", "hurry")
    session = Session(Strict(masks=masked))
    session.receive_client(query("row a"))
    answer = Server().feed(session.take_for_server())
    before = b""
    pieces = [*cuts, len(answer)]
    for number, size in enumerate(pieces):
        if number == when:
            session.interject(notice)
        before += session.take_for_client()
        piece, answer = answer[:size], answer[size:]
        session.receive_server(piece)
        before += session.take_for_client()
    if when >= len(pieces):
        session.interject(notice)
        before += session.take_for_client()
    messages = split(before)
    assert messages.count(("N", notice[HEADER_BYTES:])) == 1
    assert [kind for kind, _ in messages if kind != "N"] == ["T", "D", "C", "Z"]


def test_a_word_of_our_own_waits_for_the_end_of_a_row_and_no_longer() -> None:
    session = Session(Strict(masks=False))
    session.receive_client(query("row a;row b"))
    answer = Server().feed(session.take_for_server())
    first_row = answer.index(b"D", 1 + int.from_bytes(answer[1:5], "big"))
    session.receive_server(answer[: first_row + 8])
    begun = session.take_for_client()
    assert begun == answer[: first_row + 8]
    session.interject(warning("it ends soon", ""))
    assert session.take_for_client() == b""
    session.receive_server(answer[first_row + 8 :])
    kinds = [kind for kind, _ in split(begun + session.take_for_client())]
    assert kinds[:3] == ["T", "D", "N"]
    assert kinds[-1] == "Z"


def test_masked_values_are_counted_with_the_statement() -> None:
    talk = Talk(Strict(masks=True))
    talk.client(query("row a;row b") + parse("s", "row c") + exchange_of("s", True) + SYNC)
    talk.settle()
    found = [note.outcome for note in talk.guard.notes]
    assert [outcome and outcome.masked_values for outcome in found] == [2, 1]


class Telling(Strict):
    """Says of each masked result how many values were."""

    def end(self, running: Running, outcome: Outcome) -> str | None:
        super().end(running, outcome)
        return f"masked: {outcome.masked_values}" if outcome.masked_values else None


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_what_was_masked_is_told_before_the_end_of_its_result(cut: int) -> None:
    talk = Talk(Telling(masks=True))
    pipeline = parse("s", "row c") + exchange_of("s", True) + exchange_of("s", True) + SYNC
    talk.client(query("row a;row b") + pipeline + query("select 1"))
    for _ in range(2_000):
        talk.answers(cut)
    kinds = "".join(kind for kind, _ in split(talk.out))
    assert kinds == "TDCTDCNZ1" + 2 * "2TDNCZ" + "ZCZ"
