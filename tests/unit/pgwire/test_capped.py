"""What may change so many rows only: the client hears what a server with such a limit would say."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_broker.testing.gateway import TextPermit
from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.capped import OWN_BEGIN, OWN_COMMIT, OWN_ROLLBACK
from dbgate_core.pgwire.guard import Permit, Refusal, Status
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.session import Session
from tests.unit.pgwire.model import CHANGING, ENDS, Server, error
from tests.unit.pgwire.test_relay import (
    COPIES,
    SYNC,
    Strict,
    Talk,
    bind,
    copies,
    exchange_of,
    execute,
    parse,
    play,
    query,
    together_with_describe,
    told,
)

CAP = 3
TEXTS = ["change 1", "change 2", "change 9", "row a", "begin", "commit", "fail x", "row forbidden"]
READY = message(b"Z", b"I")


@dataclass
class Capping(Strict):
    """Lets what changes rows change so many only."""

    cap: int = CAP

    def _judge(self, text: str) -> Permit | Refusal:
        verdict = super()._judge(text)
        texts = text.split(";")
        if isinstance(verdict, Refusal) or not any(t.startswith(CHANGING) for t in texts):
            return verdict
        if not ENDS.isdisjoint(texts):
            return Refusal("54000", "not counted")
        return TextPermit(text, row_cap=self.cap)


@dataclass
class Acting(Talk):
    """As the relay: what an answer makes due is sent at once."""

    guard: Strict = field(default_factory=Capping)

    def _go_on(self) -> None:
        if self.session.acted:
            self.session.acted = False
            self.client(b"")
        super()._go_on()


def steps() -> st.SearchStrategy[bytes]:
    text = st.sampled_from(TEXTS)
    names = st.sampled_from(["", "s"])
    run = st.builds(lambda t: parse("", t) + bind("", "") + execute(""), text)
    return st.one_of(
        run,
        run,
        st.just(SYNC),
        st.builds(lambda t: SYNC + query(t), text),
        st.builds(lambda a, b: SYNC + query(f"{a};{b}"), text, text),
        st.builds(together_with_describe, text),
        st.builds(lambda n, t, d: parse(n, t) + exchange_of(n, d), names, text, st.booleans()),
        st.builds(exchange_of, names, st.booleans()),
    )


@settings(max_examples=600, deadline=None)
@given(st.lists(steps(), max_size=14), st.lists(st.integers(0, 60), max_size=40))
def test_the_client_hears_what_a_server_with_the_limit_would_say(
    sent: list[bytes], cuts: list[int]
) -> None:
    talk = Acting()
    play(talk, sent, cuts)
    alone = Server(cap=CAP)
    assert told(talk.out) == told(alone.feed(b"".join(sent) + SYNC))
    assert talk.server.kept == alone.kept
    assert talk.session.drained
    assert talk.session.capped is None
    assert all(note.outcome is not None for note in talk.guard.notes)


@settings(max_examples=200, deadline=None)
@given(st.lists(copies, min_size=1, max_size=4), st.integers(0, 1))
def test_copies_are_counted_and_stay_in_step(rounds: list[list[bytes]], cap: int) -> None:
    talk, alone, direct = Acting(guard=Capping(cap=cap)), Server(cap=cap), b""
    for sent in rounds:
        for data in [*sent, query("row a")]:
            talk.client(data)
            talk.settle()
            direct += alone.feed(data)
    assert told(talk.out) == told(direct)
    assert talk.server.kept == alone.kept
    assert talk.session.drained


def test_a_driver_sends_sync_before_its_copy_data() -> None:
    talk = Acting(guard=Capping(cap=0))
    for data in (parse("", "copyin") + bind("", "") + execute("") + SYNC, *COPIES[0][1:], SYNC):
        talk.client(data)
        talk.settle()
    assert [kind for kind, _ in told(talk.out)] == ["1", "2", "G", "E", "Z"]
    assert talk.server.kept == []


def opened(text: str = "change 9") -> Session:
    """A Query was sent outside of a transaction, and its answer has begun."""
    session = Session(Capping())
    session.receive_client(query(text))
    assert session.take_for_server() == OWN_BEGIN + query(text)
    return session


def begun(session: Session) -> Session:
    parts = ((b"1", b""), (b"2", b""), (b"C", b"BEGIN\0"))
    session.receive_server(b"".join(message(kind, body) for kind, body in parts))
    assert session.take_for_client() == b""
    return session


def outcome(session: Session) -> tuple[Status, str]:
    assert isinstance(session.guard, Capping)
    found = session.guard.notes[-1].outcome
    assert found is not None
    return found.status, found.sqlstate


def test_a_begin_that_fails_takes_the_query_with_it() -> None:
    session = opened()
    session.receive_server(error("57014"))
    assert session.take_for_server() == SYNC
    session.receive_server(READY)
    assert told(session.take_for_client()) == [("E", "57014"), ("Z", b"I")]
    assert outcome(session) == (Status.ERROR, "57014")
    assert session.capped is None


def test_a_rollback_that_is_canceled_is_sent_again() -> None:
    session = begun(opened())
    session.receive_server(message(b"C", b"UPDATE 9\0") + message(b"Z", b"T"))
    assert session.take_for_server() == OWN_ROLLBACK
    session.receive_server(error("57014") + message(b"Z", b"E"))
    assert session.take_for_client() == b""
    assert session.take_for_server() == OWN_ROLLBACK
    session.receive_server(message(b"C", b"ROLLBACK\0") + READY)
    assert told(session.take_for_client()) == [("E", "54000"), ("Z", b"I")]
    assert outcome(session) == (Status.ERROR, "54000")


def test_a_commit_that_fails_is_what_the_client_hears_instead_of_its_end() -> None:
    session = begun(opened("change 1"))
    session.receive_server(message(b"C", b"UPDATE 1\0") + message(b"Z", b"T"))
    assert session.take_for_client() == b""
    assert session.take_for_server() == OWN_COMMIT
    session.receive_server(error("23503") + READY)
    assert told(session.take_for_client()) == [("E", "23503"), ("Z", b"I")]
    assert outcome(session) == (Status.ERROR, "23503")


def test_terminate_waits_until_the_changes_are_kept() -> None:
    session = begun(opened("change 1"))
    session.receive_client(message(b"X", b""))
    assert session.held
    assert not session.terminated


def test_a_portal_that_gives_its_rows_in_parts_changes_nothing() -> None:
    session = Session(Capping())
    limited = message(b"E", b"\0\0\0\0\1")
    session.receive_client(parse("", "change 1") + bind("", "") + limited + SYNC)
    session.take_for_server()
    described = message(b"n", b"")
    session.receive_server(message(b"1", b"") + message(b"2", b"") + described + message(b"s", b""))
    assert b"dbgate refused" in session.take_for_server()
    session.receive_server(error("42601"))
    assert [part for part in told(session.take_for_client()) if part[0] in "sE"] == [("E", "54000")]
    session.resume()
    assert session.take_for_server().endswith(SYNC)


def test_a_server_that_ends_the_transaction_by_itself_ends_the_connection() -> None:
    session = begun(opened())
    with pytest.raises(ProtocolViolation, match="ended a transaction"):
        session.receive_server(message(b"C", b"UPDATE 9\0") + READY)


def test_a_query_in_the_transaction_of_messages_before_it_is_refused() -> None:
    talk = Acting()
    talk.client(parse("", "begin") + bind("", "") + execute("") + query("change 1"))
    talk.settle()
    assert told(talk.out)[-2:] == [("E", "0A000"), ("Z", b"E")]
    assert talk.server.kept == []
