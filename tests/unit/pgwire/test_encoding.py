"""Text that is not UTF-8: refused as the server would refuse it, and the protocol stays in step."""

from __future__ import annotations

import pytest

from dbgate_core.pgwire.messages import NotUtf8, cstring, decode_fields, message
from tests.unit.pgwire.model import Server
from tests.unit.pgwire.test_relay import (
    SYNC,
    Talk,
    bind,
    describe,
    execute,
    parse,
    query,
    split,
    told,
)

BAD = [
    message(b"Q", b"row \xff\0"),
    message(b"P", b"\xff\0row a\0\0\0"),
    message(b"P", b"s\0row \xc3\0\0\0"),
    message(b"B", b"\xff\0\0\0\0\0\0\0\0"),
    message(b"B", b"\0\xff\0\0\0\0\0\0\0"),
    message(b"D", b"S\xff\0"),
    message(b"E", b"\xff\0\0\0\0\0"),
    message(b"C", b"P\xff\0"),
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("begin", [b"", query("begin")])
def test_what_holds_it_fails_alone(bad: bytes, begin: bytes) -> None:
    """In each message, in and outside a transaction, with and without a pipeline behind it."""
    behind = describe("S", "t") + bind("", "t") + execute("")
    sent = begin + parse("t", "row t") + SYNC + bad + behind + SYNC + bad + SYNC
    sent += query("commit") + bind("", "t") + describe("P", "") + execute("") + SYNC
    talk, alone = Talk(), Server()
    talk.client(sent)
    talk.settle()
    assert told(talk.out) == told(alone.feed(sent))
    assert talk.server.ran == alone.ran
    assert [note.text for note in talk.guard.notes if "\ufffd" in note.text] == []


@pytest.mark.parametrize(
    ("bad", "shown"),
    [
        (b"\xff", "0xff"),
        (b"\x80\x80", "0x80"),
        (b"\xc3(", "0xc3 0x28"),
        (b"\xc3", "0xc3"),
        (b"\xed\xa0\x80", "0xed 0xa0 0x80"),
        (b"\xe2\x28\xa1", "0xe2 0x28 0xa1"),
        (b"\xf4\x90\x80\x80x", "0xf4 0x90 0x80 0x80"),
        (b"\xf8\x88\x80\x80\x80", "0xf8"),
    ],
)
def test_the_bytes_are_named_as_postgresql_names_them(bad: bytes, shown: str) -> None:
    with pytest.raises(NotUtf8) as caught:
        cstring(b"row \xc3\xa9" + bad + b"\0", 0)
    assert caught.value.message == f'invalid byte sequence for encoding "UTF8": {shown}'


def test_the_client_is_told_22021() -> None:
    talk = Talk()
    talk.client(BAD[0])
    talk.settle()
    fields = decode_fields(next(body for kind, body in split(talk.out) if kind == "E"))
    assert (fields["S"], fields["C"]) == ("ERROR", "22021")
    assert fields["M"] == 'invalid byte sequence for encoding "UTF8": 0xff'
