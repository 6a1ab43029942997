"""What stands within texts that no class covers is masked, and the rest stays as it was."""

from __future__ import annotations

import json
import struct

import pytest

from dbgate_core.masking.column_masks import Masking, OutputColumn
from dbgate_core.masking.free_text import MAX_READ_BYTES, Finds, FreeTexts
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.shapes import SYSTEM_TYPES
from dbgate_core.masking.styles import PARTIAL_FOR_ALL, MaskStyle, MaskStyles

TEXT, VARCHAR, JSON, JSONB, XML, TEXTS, RECORD = 25, 1043, 114, 3802, 142, 1009, 2249
CITEXT, INT8, UUID, BYTEA, INT8RANGE = 70_000, 20, 2950, 17, 3926
KEY = MaskKey(b"k" * 32)
ADA = b"ada@example.com"


def masked(
    value: bytes, oid: int = TEXT, binary: bool = False, styles: MaskStyles = PARTIAL_FOR_ALL,
    limit: int | None = None, finds: Finds | None = None,
) -> bytes | None:  # fmt: skip
    texts = FreeTexts(Masking(KEY, styles, SYSTEM_TYPES), {} if finds is None else finds)
    mask = texts.of(OutputColumn(0, "note", oid, int(binary), limit))
    assert mask is not None
    assert mask.sparing
    return mask.mask(value)


def test_the_rest_of_a_text_stays() -> None:
    finds: Finds = {}
    found = masked(b"to ada@example.com, DE89370400440532013000; bye", finds=finds)
    assert found is not None
    assert found.startswith(b"to a***")
    assert b"@example.com, DE***" in found
    assert found.endswith(b"-3000; bye")
    assert b"ada" not in found
    assert finds == {("note", "email"): 1, ("note", "iban"): 1}


@pytest.mark.parametrize(
    "value", [b"", b"nothing here", b"@", b"\xff\xfe@\xff", b"order-number-00000000000042"]
)
def test_a_text_without_any_is_the_very_same(value: bytes) -> None:
    assert masked(value) is value


def test_bytes_that_are_no_text_stay_beside_what_is_masked() -> None:
    found = masked(b"\xff " + ADA)
    assert found is not None
    assert found.startswith(b"\xff a***")


@pytest.mark.parametrize("style", [MaskStyle.REDACT, MaskStyle.NULL, MaskStyle.GENERALISE])
def test_stricter_styles_leave_stars(style: MaskStyle) -> None:
    assert masked(b"to " + ADA + b"!", styles=MaskStyles(style)) == b"to ***!"


def test_a_token_says_nothing_of_it() -> None:
    found = masked(b"to " + ADA, styles=MaskStyles(MaskStyle.TOKEN))
    assert found is not None
    assert b"example" not in found
    assert found == masked(b"to " + ADA, styles=MaskStyles(MaskStyle.TOKEN))


def test_a_bounded_text_stays_within_its_bound() -> None:
    found = masked(b"a@bc.de", VARCHAR, limit=8)
    assert found is not None
    assert len(found) == 8


@pytest.mark.parametrize("oid", [JSON, JSONB])
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(
    "address", ["ada@example.com", "ada\\u0040example.com", "\\nada@example.com"]
)
def test_documents_stay_documents(oid: int, binary: bool, address: str) -> None:
    document = f'{{"to": "{address}", "ada@example.com": [1.50, "x"], "n": 4111111111111111}}'
    version = b"\x01" if binary and oid == JSONB else b""
    found = masked(version + document.encode(), oid, binary)
    assert found is not None
    assert found.startswith(version)
    text = found.removeprefix(version).decode()
    assert b"ada" not in found
    assert json.loads(text)["n"] == 4111111111111111
    assert '[1.50, "x"]' in text


def test_arrays_and_rows_in_text_stay_what_they_are() -> None:
    array = masked(b'{ada@example.com,"x, bob@example.com",NULL}', TEXTS)
    assert array is not None
    assert array[:1] == b"{"
    assert array.endswith(b'",NULL}')
    assert array.count(b",") == 3
    row = masked(b'(1,ada@example.com,"{""a"": ""bob@example.com""}")', RECORD)
    assert row is not None
    assert row.startswith(b"(1,a***")
    assert row.endswith(b'@example.com""}")')
    for value in (array, row):
        assert b"ada" not in value
        assert b"bob" not in value


def sized(value: bytes) -> bytes:
    return struct.pack("!i", len(value)) + value


def test_arrays_in_binary_have_their_lengths_anew() -> None:
    head = struct.pack("!iIIii", 1, 0, TEXT, 2, 1)
    found = masked(head + sized(ADA) + sized(b"plain"), TEXTS, binary=True)
    assert found is not None
    assert found[: len(head)] == head
    length = int.from_bytes(found[len(head) : len(head) + 4], "big")
    assert found[len(head) + 4 + length :] == sized(b"plain")
    assert b"ada" not in found


def test_rows_in_binary_have_their_lengths_anew() -> None:
    value = struct.pack("!iI", 2, TEXT) + sized(ADA) + struct.pack("!I", 23) + sized(b"\0\0\0\7")
    found = masked(value, RECORD, binary=True)
    assert found is not None
    assert b"ada" not in found
    assert found.endswith(struct.pack("!I", 23) + sized(b"\0\0\0\7"))


def test_types_of_an_extension_are_read_as_text() -> None:
    assert masked(ADA, CITEXT) not in (None, ADA)


@pytest.mark.parametrize(
    ("oid", "binary"),
    [(INT8, False), (UUID, False), (BYTEA, False), (INT8RANGE, False), (CITEXT, True)],
)
def test_what_holds_no_text_is_not_looked_at(oid: int, binary: bool) -> None:
    texts = FreeTexts(Masking(KEY, PARTIAL_FOR_ALL, SYSTEM_TYPES), {})
    assert texts.of(OutputColumn(0, "n", oid, int(binary))) is None


@pytest.mark.parametrize("oid", [TEXT, JSONB])
def test_what_is_too_long_to_read_is_masked_whole(oid: int) -> None:
    finds: Finds = {}
    value = b'"' + b"x" * MAX_READ_BYTES + b"@" + b'"'
    assert masked(value, oid, finds=finds) == (b'"***"' if oid == JSONB else b"***")
    assert finds == {("note", "secret"): 1}


def test_an_error_is_read_but_for_its_codes() -> None:
    finds: Finds = {}
    texts = FreeTexts(Masking(KEY, PARTIAL_FOR_ALL, SYSTEM_TYPES), finds)
    error = {"S": "ERROR", "C": "22P02", "M": 'invalid input: "ada@example.com"', "P": "8"}
    found = texts.of_error(error)
    assert {**found, "M": error["M"]} == error
    assert "ada" not in found["M"]
    assert list(finds) == [("error text", "email")]
