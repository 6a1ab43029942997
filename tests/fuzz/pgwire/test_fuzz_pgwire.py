"""Bytes of strangers: only declared errors may leave, and nothing may be forwarded unjudged."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_broker.testing.gateway import DiaryGuard
from dbgate_core.errors import DbgateError
from dbgate_core.pgwire import options, startup
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.scram import ScramServer
from dbgate_core.pgwire.session import Session
from dbgate_core.sql import parser

bodies = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda texts: b"\0".join(texts), st.lists(st.binary(max_size=8), max_size=6)),
    st.sampled_from(
        [b"select 1\0", b"\0select 1\0\0\0", b"\0\0\0\0\0\0\0\0", b"P\0", b"\0\0\0\0\0"]
    ),
)


def messages(kinds: str) -> st.SearchStrategy[bytes]:
    whole = st.builds(lambda k, b: message(k.encode(), b), st.sampled_from(kinds), bodies)
    return st.one_of(whole, whole, whole, st.binary(max_size=12))


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just(True), messages("QPBDECSHXFdcfp")),
            st.tuples(st.just(False), messages("TDCIE123ntsZGHdcNASKR")),
        ),
        max_size=20,
    )
)
def test_only_declared_errors_leave_the_session(sent: list[tuple[bool, bytes]]) -> None:
    guard = DiaryGuard()
    session = Session(guard)
    with contextlib.suppress(DbgateError):
        for from_client, data in sent:
            if from_client:
                session.receive_client(data)
            else:
                session.receive_server(data)
            if session.held and session.drained:
                guard.stale = False
                session.resume()
            assert b"forbidden" not in session.take_for_server()
            session.take_for_client()
    session.abort()
    assert all(note.outcome is not None for note in guard.notes)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.builds(lambda b: b"\0\0\0\0\0\3\0\0" + b, bodies)))
def test_only_declared_errors_leave_the_first_packet(data: bytes) -> None:
    packet = len(data).to_bytes(4, "big") + data[4:]
    with contextlib.suppress(DbgateError):
        if startup.length_of(packet) is not None:
            startup.read(packet)


words = st.sampled_from(
    [
        "-c",
        "--",
        "=",
        " ",
        "\\",
        "'",
        '"',
        "role",
        "User",
        "replication",
        "_pq_.x",
        "work_mem",
        "on",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(words, st.text(max_size=4)), max_size=12).map("".join))
def test_options_never_smuggle_a_setting(text: str) -> None:
    """What passes is a setting that one SET says as it is, and never a word of the StartupMessage."""
    try:
        passed = options.checked({"options": text})
    except DbgateError:
        return
    never = {"user", "database", "options", "replication", "role", "client_encoding"}
    assert not passed.keys() & never
    assert not any(name.startswith("_pq_.") for name in passed)
    for name, value in passed.items():
        try:
            (raw,) = parser.parse(options.as_statement(name, value)).stmts
        except DbgateError:
            continue  # the guard refuses it then
        setting = raw.stmt.variable_set_stmt
        assert setting.name == name
        assert [item.a_const.sval.sval for item in setting.args] == [value]


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(st.binary(max_size=60), st.just(b"n,,n=,r=abc")),
    st.one_of(st.binary(max_size=60), st.just(b"c=biws,r=abcxyz,p=" + b"A" * 43 + b"=")),
)
def test_only_the_password_makes_a_scram_proof(first: bytes, final: bytes) -> None:
    server = ScramServer(b"s" * 16, 4096, b"k" * 32, b"k" * 32, "xyz")
    with contextlib.suppress(DbgateError):
        server.challenge(first)
        assert server.verify(final) is None
