"""HTTP CONNECT: one request out, one answer in, however its bytes are cut."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli.proxy import MAX_REPLY_BYTES, Answer, AnswerReader, Target
from dbgate_core.errors import ProtocolViolation
from dbgate_core.secret import Secret

BODY = b'{"code":"auth.required"}'
REFUSAL = b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
OPENED = b"HTTP/1.1 200 OK\r\n\r\nfirst"


def target(**changes: str) -> Target:
    values = {"database": "prod-db", "session": "s1", "token": "tok.en"} | changes
    return Target("gate", 7000, values["database"], values["session"], Secret(values["token"]))


def test_the_request_names_database_session_and_token() -> None:
    assert target().head() == (
        b"CONNECT prod-db:5432 HTTP/1.1\r\nHost: prod-db:5432\r\n"
        b"Proxy-Authorization: Bearer tok.en\r\nDbgate-Session: s1\r\n\r\n"
    )


@pytest.mark.parametrize("evil", ["", "a b", "a\r\nX: y", "a\n", "a\0", "é", "x" * 5000])
@pytest.mark.parametrize("field", ["database", "session", "token"])
def test_no_value_can_forge_a_header(field: str, evil: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        target(**{field: evil}).head()
    assert len(evil) < 2 or evil not in str(caught.value)


def read(data: bytes, cuts: list[int], *, end: bool = False) -> Answer | None:
    reader, at = AnswerReader(), 0
    for cut in [*sorted(c % (len(data) + 1) for c in cuts), len(data)]:
        if (answer := reader.feed(data[at:cut])) is not None:
            return Answer(
                answer.status, answer.rest + (data[cut:] if answer.status == 200 else b"")
            )
        at = cut
    return reader.feed(b"", end=True) if end else None


@given(st.sampled_from([REFUSAL, OPENED]), st.lists(st.integers(0, 200)))
def test_cutting_changes_nothing(data: bytes, cuts: list[int]) -> None:
    assert read(data, cuts) == read(data, [])


def test_answers() -> None:
    assert read(OPENED, []) == Answer(200, b"first")
    assert read(REFUSAL, []) == Answer(401, BODY)
    assert read(b"HTTP/1.0 503 Busy\r\n\r\nshort", [], end=True) == Answer(503, b"short")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 x\r\n\r\n",
    ],
)
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        read(data, [], end=True)


def test_an_endless_answer_is_refused() -> None:
    reader = AnswerReader()
    for _ in range(MAX_REPLY_BYTES // 1024):
        assert reader.feed(b"x" * 1024) is None
    with pytest.raises(ProtocolViolation, match="too large"):
        reader.feed(b"x")


@given(st.binary(max_size=300), st.booleans())
def test_only_the_declared_error_leaves(data: bytes, headed: bool) -> None:
    head = b"HTTP/1.1 403 No\r\nContent-Length: " if headed else b""
    with contextlib.suppress(ProtocolViolation):
        read(head + data, [], end=True)


def test_a_length_of_thousands_of_digits_is_no_length() -> None:
    data = b"HTTP/1.1 403 No\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx"
    assert read(data, [], end=True) == Answer(403, b"x")
