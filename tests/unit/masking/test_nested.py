"""Rows, ranges, hstore and arrays of them stay what they are; nothing inside passes by its mask."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.catalog import Catalog
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.codecs import is_null_mask, value_mask
from dbgate_core.masking.forms import Form
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.nested import MAX_DEPTH, mask_of_type
from dbgate_core.masking.records import mask_binary_record, mask_text_record
from dbgate_core.masking.shapes import BUILT_IN, SYSTEM_TYPES, ArrayOf, Pairs, Row, Types

KEY = MaskKey(b"k" * 32)
TOKENS = Form(DataClass.EMAIL, opaque=True)
PLACE, PLACES, HSTORE, HSTORES, OUTER, DOMAIN = range(20_000, 20_006)
TYPES = Catalog(
    [],
    base_types={DOMAIN: 25},
    shapes={
        PLACE: Row((25, DOMAIN, 23, 16)),
        PLACES: ArrayOf(PLACE),
        HSTORE: Pairs(),
        HSTORES: ArrayOf(HSTORE),
        OUTER: Row((PLACE, 1009)),
    },
)


def masked(oid: int, value: bytes, code: int = 0, types: Types = TYPES) -> bytes | None:
    return mask_of_type(TOKENS, oid, code, KEY, types)(value)


def token(value: bytes, oid: int = 25, code: int = 0) -> bytes:
    found = value_mask(TOKENS, oid, code, KEY)(value)
    assert found is not None
    return found


def binary_row(*columns: tuple[int, bytes | None]) -> bytes:
    parts = [
        struct.pack("!Ii", oid, -1 if value is None else len(value)) + (value or b"")
        for oid, value in columns
    ]
    return struct.pack("!i", len(columns)) + b"".join(parts)


def test_a_row_has_a_mask_in_each_column() -> None:
    street, floor = token(b'high "street"'), token(b"3", 23)
    shown = masked(PLACE, b'("high ""street""",,3,t)')
    assert shown == b'("' + street + b'",,"' + floor + b'",)'
    assert masked(PLACE, b'(a,"",,)') == b'("' + token(b"a") + b'","",,)'


def test_rows_lie_in_rows_and_arrays() -> None:
    inner = b'("' + token(b"a b") + b'",,,)'
    doubled = inner.replace(b'"', b'""')
    outer = masked(OUTER, b'("(""a b"",,,)","{x,NULL}")')
    assert outer == b'("' + doubled + b'","{""' + token(b"x") + b'"",NULL}")'
    escaped = inner.replace(b'"', b'\\"')
    assert masked(PLACES, rb'{"(\"a b\",,,)",NULL}') == b'{"' + escaped + b'",NULL}'


@pytest.mark.parametrize(
    "value",
    [b"", b"(", b"a,b", b"(a,b,c)", b"(a,b,c,d,e)", b'("a,b,c,d)', b'(a"b",c,d,e)', b"((,,,)"],
)
def test_what_is_no_such_row_is_null(value: bytes) -> None:
    assert masked(PLACE, value) is None


def test_of_a_record_nothing_is_known_but_that_it_has_columns() -> None:
    shown = masked(2249, b"(ada@example.com,7,,t)", types=SYSTEM_TYPES)
    assert shown == b'("%b","%b",,"%b")' % tuple(map(token, (b"ada@example.com", b"7", b"t")))
    assert masked(2287, b'{"(a,b)"}', types=SYSTEM_TYPES) is not None


def test_a_binary_row_is_masked_by_the_types_that_it_names() -> None:
    value = binary_row((25, b"street"), (DOMAIN, None), (23, b"\0\0\0\3"), (16, b"\1"), (99, b"x"))
    number = token(b"\0\0\0\3", 23, 1)
    expected = binary_row(
        (25, token(b"street")), (DOMAIN, None), (23, number), (16, None), (99, None)
    )
    assert masked(PLACE, value, 1) == expected
    assert masked(2249, value, 1) == expected
    assert masked(2249, binary_row((PLACE, value)), 1) == binary_row((PLACE, expected))


@pytest.mark.parametrize(
    "value",
    [b"", b"\0\0\0\1", b"\xff\xff\xff\xff", binary_row((25, b"ab"))[:-1], binary_row() + b"x",
     struct.pack("!iIi", 1, 25, -2), struct.pack("!iIi", 1, 25, 5), struct.pack("!i", 2000)],
)  # fmt: skip
def test_what_is_no_binary_row_is_null(value: bytes) -> None:
    assert masked(2249, value, 1) is None


def test_what_lies_too_deep_is_null() -> None:
    value = binary_row((25, b"secret"))
    for _ in range(3_000):
        value = binary_row((2249, value))
    shown = masked(2249, value, 1)
    assert shown is not None
    assert b"secret" not in shown
    assert shown == masked(2249, value, 1)
    assert len(shown) == 4 + 12 * MAX_DEPTH + 8


@pytest.mark.parametrize(
    ("oid", "subtype", "multi"),
    [
        (3904, 23, 4451),
        (3906, 1700, 4532),
        (3912, 1082, 4535),
        (3926, 20, 4536),
        (3908, 1114, 4533),
    ],
)
def test_a_range_goes_from_a_value_to_the_same(oid: int, subtype: int, multi: int) -> None:
    value = b"[2001-02-03,2002-03-04)"
    point = token(value, subtype)
    assert masked(oid, value) == b'["%b","%b"]' % (point, point)
    many = token(b"{[1,2),[5,7)}", subtype)
    assert masked(multi, b"{[1,2),[5,7)}") == b'{["%b","%b"]}' % (many, many)
    assert masked(oid, b"empty") == b"empty"
    assert masked(multi, b"{}") == b"{}"


def test_a_binary_range_goes_from_a_value_to_the_same() -> None:
    value = b"\2" + struct.pack("!iiii", 4, 5, 4, 9)
    point = token(value, 23, 1)
    bound = struct.pack("!i", 4) + point
    assert masked(3904, value, 1) == b"\6" + bound + bound
    assert masked(3904, b"\1", 1) == b"\1"
    many = struct.pack("!ii", 1, len(value)) + value
    shown = masked(4451, many, 1)
    assert shown is not None
    assert shown[:9] == struct.pack("!ii", 1, 17) + b"\6"
    assert masked(4451, bytes(4), 1) == bytes(4)


def test_all_pairs_of_an_hstore_become_one() -> None:
    value = b'"mail"=>"ada@example.com", "phone"=>NULL'
    shown = masked(HSTORE, value)
    assert shown is not None
    assert shown.startswith(b'"masked"=>"***')
    assert b"ada" not in shown
    assert b"phone" not in shown
    binary = masked(HSTORE, b"\0\0\0\0", 1)
    assert binary is not None
    assert binary[:14] == b"\0\0\0\1\0\0\0\6masked"
    assert len(binary) == 14 + 4 + 11
    assert masked(HSTORES, b'{"\\"a\\"=>\\"b\\""}') is not None


def test_a_class_with_a_partial_form_has_none_inside() -> None:
    plain = mask_of_type(Form(DataClass.EMAIL), PLACE, 0, KEY, TYPES)(b"(ada@example.com,,,)")
    assert plain == masked(PLACE, b"(ada@example.com,,,)")
    stars = mask_of_type(Form(DataClass.SECRET), PLACE, 0, KEY, TYPES)(b"(hunter2,,,)")
    assert stars == b'("***",,,)'


def test_other_types_and_formats_are_as_ever() -> None:
    assert mask_of_type(TOKENS, 25, 0, KEY, TYPES)(b"a") == token(b"a")
    assert is_null_mask(mask_of_type(TOKENS, 600, 0, KEY, TYPES))
    assert is_null_mask(mask_of_type(TOKENS, PLACE, 7, KEY, TYPES))
    assert is_null_mask(mask_of_type(TOKENS, PLACE, 0, KEY, SYSTEM_TYPES))


@given(st.binary(max_size=60), st.sampled_from([0, 1]))
def test_no_bytes_break_a_mask(value: bytes, code: int) -> None:
    for oid in (*BUILT_IN, *TYPES.shapes):
        masked(oid, value, code)


@given(
    st.lists(st.one_of(st.none(), st.text("ab,\"'()\\ {}\n", max_size=6)), min_size=2, max_size=5)
)
def test_text_rows_are_read_as_the_server_writes_them(columns: list[str | None]) -> None:
    def written(column: str | None) -> str:
        if column is None:
            return ""
        plain = column and not set(column) & set(',"()\\ \n')
        return column if plain else '"' + column.replace("\\", "\\\\").replace('"', '""') + '"'

    seen: list[str] = []

    def note(value: bytes) -> bytes:
        seen.append(value.decode())
        return value

    value = "(" + ",".join(map(written, columns)) + ")"
    assert mask_text_record(value.encode(), None, note) is not None
    assert seen == [column for column in columns if column is not None]


def test_a_binary_row_keeps_its_length_word() -> None:
    shown = mask_binary_record(
        binary_row((25, b"a"), (25, None)), lambda oid: lambda value: b"longer"
    )
    assert shown == binary_row((25, b"longer"), (25, None))
