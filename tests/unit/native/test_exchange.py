"""The compiled recogniser of exchanges says what its reference says, whatever the bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.pgwire import exchange
from dbgate_core.pgwire.messages import message
from tests.unit.native.twins import answer, compiled

native = compiled()

counts = st.one_of(st.integers(0, 3), st.sampled_from([0xFFFF, 0x7FFF]))
values = st.one_of(
    st.binary(max_size=4).map(lambda v: struct.pack("!i", len(v)) + v),
    st.sampled_from([-1, -2, 5, 1 << 30, -(1 << 31)]).map(lambda n: struct.pack("!i", n)),
)
binds = st.builds(
    lambda portal, name, formats, count, held, results: message(
        b"B",
        portal
        + name
        + struct.pack("!H", formats)
        + b"\0\1" * min(formats, 3)
        + struct.pack("!H", count)
        + b"".join(held)
        + struct.pack("!H", results)
        + b"\0\0" * min(results, 3),
    ),
    st.sampled_from([b"\0", b"\0", b"\0", b"c\0", b""]),
    st.sampled_from([b"\0", b"s\0", "é\0".encode(), b"\xff\0", b"s"]),
    counts,
    counts,
    st.lists(values, max_size=3),
    counts,
)
EXECUTE, SYNC = b"E\0\0\0\x09\0\0\0\0\0", b"S\0\0\0\4"
client = st.lists(
    st.one_of(
        binds,
        st.sampled_from([b"D\0\0\0\6P\0", EXECUTE + SYNC, EXECUTE, SYNC, b"D\0\0\0\6S\0"]),
        st.binary(max_size=6),
    ),
    max_size=5,
)
SHOWN = message(b"T", b"\0\1x\0" + b"\0" * 18)
server = st.lists(
    st.one_of(
        st.sampled_from(
            [
                message(b"2", b""),
                SHOWN,
                message(b"n", b""),
                message(b"D", b"\0\1\0\0\0\1x"),
                message(b"C", b"SELECT 1\0"),
                message(b"C", b"SELECT 1"),
                message(b"C", b"\xff\0"),
                message(b"C", b"A\0B\0"),
                message(b"C", b"S" * 63 + b"\0"),
                message(b"C", b"S" * 64 + b"\0"),
                message(b"C", b""),
                message(b"Z", b"I"),
                message(b"Z", b"X"),
                message(b"Z", b"IT"),
                message(b"2", b"x"),
            ]
        ),
        st.binary(max_size=6),
    ),
    max_size=6,
)


@settings(max_examples=1000)
@given(client, st.integers(0, 8), st.integers(0, 20))
def test_what_is_asked_is_recognised_alike(parts: list[bytes], cut: int, at: int) -> None:
    data = b"".join(parts)
    data = data[: len(data) - cut]
    for position in (0, at):
        assert answer(native.asked, data, position) == answer(exchange.asked, data, position)


@settings(max_examples=1000)
@given(server, st.integers(0, 8), st.integers(0, 20))
def test_what_is_answered_is_recognised_alike(parts: list[bytes], cut: int, at: int) -> None:
    data = b"".join(parts)
    data = data[: len(data) - cut]
    for position in (0, at):
        for name in ("answered", "replied"):
            expected = answer(getattr(exchange, name), data, position)
            assert answer(getattr(native, name), data, position) == expected


def test_whole_exchanges_are_recognised() -> None:
    """Or the laws above would compare refusals."""
    bind = message(b"B", b"\0s\0" + struct.pack("!HHi", 0, 1, 1) + b"1\0\0")
    asked = native.asked(bind + EXECUTE + SYNC, 0)
    assert asked == exchange.asked(bind + EXECUTE + SYNC, 0)
    assert isinstance(asked, exchange.Asked)
    said = message(b"2", b"") + SHOWN + message(b"C", b"SELECT 0\0") + message(b"Z", b"T")
    answered = native.answered(said, 0)
    assert answered == exchange.answered(said, 0)
    assert isinstance(answered, exchange.Answered)
    assert native.replied(said, 5) == exchange.replied(said, 5) is not None


@pytest.mark.parametrize("length", [0, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_no_length_leads_out_of_the_data(length: int) -> None:
    for kind in b"BD2TCZ":
        data = bytes([kind]) + struct.pack("!I", length) + b"\0" * 8
        assert native.asked(data, 0) is None
        assert native.answered(message(b"2", b"") + data, 0) is None
    for function in (native.asked, native.answered, native.replied):
        with pytest.raises(ValueError, match="before the data"):
            function(b"B\0\0\0\4", -1)
