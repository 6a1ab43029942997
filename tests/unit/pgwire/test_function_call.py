"""FunctionCall: judged as the SELECT that it stands for, where that is known."""

from __future__ import annotations

import struct

import pytest

from dbgate_broker.testing.gateway import DiaryGuard, Rewriter
from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.capped import REFUSED_TEXT
from dbgate_core.pgwire.function_call import called
from dbgate_core.pgwire.guard import Status
from dbgate_core.pgwire.messages import decode_fields, encode_fields, message
from dbgate_core.pgwire.session import Session

LO_CREAT, LO_OPEN, PG_READ_FILE = 957, 952, 2624
READY = message(b"Z", b"I")
REFUSED = message(b"Q", REFUSED_TEXT)
ERROR = message(b"E", encode_fields({"S": "ERROR", "V": "ERROR", "C": "42601", "M": "no"}))


def call(oid: int, *arguments: bytes | None) -> bytes:
    body = struct.pack("!IhhH", oid, 1, 1, len(arguments))
    for value in arguments:
        body += struct.pack("!i", -1 if value is None else len(value)) + (value or b"")
    return message(b"F", body + b"\0\1")


def session_of(guard: DiaryGuard, sent: bytes) -> tuple[Session, bytes]:
    session = Session(guard)
    session.receive_client(sent)
    return session, session.take_for_server()


def test_a_call_is_judged_recorded_and_answered() -> None:
    guard = DiaryGuard()
    sent = call(LO_OPEN, b"\0\0\0\7", b"\0\4\0\0")
    session, out = session_of(guard, sent)
    assert out == sent
    assert guard.judged == ["select pg_catalog.lo_open($1, $2)"]
    answer = message(b"V", b"\0\0\0\4\0\0\0\0") + READY
    session.receive_server(answer)
    assert session.take_for_client() == answer
    (note,) = guard.notes
    assert (note.protocol, note.parameters and note.parameters.count) == ("function call", 2)
    assert note.outcome
    assert note.outcome.status is Status.OK


def test_a_call_that_fails_is_on_record_as_failed_and_nothing_is_skipped() -> None:
    guard = DiaryGuard()
    session, _ = session_of(guard, call(LO_CREAT, None) + call(LO_CREAT, None))
    session.receive_server(ERROR + READY + message(b"V", b"\xff\xff\xff\xff") + READY)
    assert [note.outcome and note.outcome.status for note in guard.notes] == ["error", "ok"]
    assert session.drained


@pytest.mark.parametrize(
    ("guard", "oid", "sqlstate"),
    [
        (DiaryGuard(refused="lo_creat"), LO_CREAT, "42501"),
        (DiaryGuard(mask=Rewriter(bytes.lower)), LO_CREAT, "0A000"),
        (DiaryGuard(log_full=True), LO_CREAT, "53100"),
        (DiaryGuard(), PG_READ_FILE, "0A000"),
        (DiaryGuard(), 0, "0A000"),
    ],
)
def test_it_is_refused_in_step(guard: DiaryGuard, oid: int, sqlstate: str) -> None:
    session, out = session_of(guard, call(oid, None))
    assert out == REFUSED
    session.receive_server(ERROR + READY)
    shown = session.take_for_client()
    assert shown.endswith(READY)
    assert decode_fields(shown[5 : -len(READY)])["C"] == sqlstate
    assert session.drained


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\3",
        call(LO_OPEN, None)[5:],
        call(LO_CREAT)[5:],
        call(LO_CREAT, None)[5:-1],
        call(LO_CREAT, None)[5:] + b"\0",
        struct.pack("!I", LO_CREAT),
    ],
)
def test_what_is_malformed_ends_the_connection(body: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        called(body)


def test_a_response_that_nothing_asked_for_ends_it_too() -> None:
    session = Session(DiaryGuard())
    with pytest.raises(ProtocolViolation):
        session.receive_server(message(b"V", b"\xff\xff\xff\xff"))
