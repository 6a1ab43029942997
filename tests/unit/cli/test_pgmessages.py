"""The messages that the command line reads and writes itself."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli import pgmessages
from dbgate_core.errors import ProtocolViolation

VALUES = st.lists(st.none() | st.binary(max_size=40), max_size=12)
COLUMNS = st.lists(
    st.tuples(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12),
              st.integers(0, 2**32 - 1)),
    max_size=8,
)  # fmt: skip


def data_row(values: list[bytes | None]) -> bytes:
    parts = [struct.pack("!i", -1) if v is None else struct.pack("!i", len(v)) + v for v in values]
    return struct.pack("!H", len(values)) + b"".join(parts)


def row_description(columns: list[tuple[str, int]]) -> bytes:
    parts = [
        name.encode() + b"\0" + struct.pack("!IhIhih", 7, 1, oid, -1, -1, 0)
        for name, oid in columns
    ]
    return struct.pack("!H", len(columns)) + b"".join(parts)


@given(VALUES)
def test_a_row_is_read_as_it_was_written(values: list[bytes | None]) -> None:
    assert pgmessages.row(data_row(values)) == values


@given(COLUMNS)
def test_columns_are_read_as_they_were_written(columns: list[tuple[str, int]]) -> None:
    assert pgmessages.columns(row_description(columns)) == columns


@given(VALUES.filter(bool), st.integers(min_value=1))
def test_half_a_row_is_refused(values: list[bytes | None], cut: int) -> None:
    body = data_row(values)
    with pytest.raises(ProtocolViolation):
        pgmessages.row(body[: len(body) - 1 - cut % (len(body) - 1)])


@given(st.binary(max_size=80))
def test_only_the_declared_error_leaves(body: bytes) -> None:
    for read in (pgmessages.row, pgmessages.columns, pgmessages.authentication):
        with contextlib.suppress(ProtocolViolation):
            read(body)
    pgmessages.fields(body)


def test_an_error_response_is_read_as_it_was_written() -> None:
    sent = pgmessages.error_response("53300", "too many\0 here", "wait")
    assert sent[:1] == b"E"
    assert struct.unpack("!I", sent[1:5]) == (len(sent) - 1,)
    assert pgmessages.fields(sent[5:]) == {
        "S": "FATAL", "V": "FATAL", "C": "53300", "M": "too many here", "H": "wait",
    }  # fmt: skip


def test_startup_and_cancel() -> None:
    assert pgmessages.startup(user="u") == b"\0\0\0\x10\0\x03\0\0user\0u\0\0"
    assert pgmessages.cancel_request(b"12345678") == b"\0\0\0\x10\x04\xd2\x16\x2e12345678"
