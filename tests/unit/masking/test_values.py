"""Laws of masks: valid for type and format, keyed, deterministic, and silent about the value."""

from __future__ import annotations

import json
import struct
from datetime import date, timedelta
from decimal import Decimal
from ipaddress import ip_interface
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.errors import UsageError
from dbgate_core.masking.arrays import mask_binary_array, mask_text_array
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.codecs import is_null_mask, value_mask
from dbgate_core.masking.forms import Form, mask_text
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.numeric import of_whole
from dbgate_core.masking.types import ELEMENTS, FAMILIES, Family

KEY = MaskKey(b"0123456789abcdef")
EPOCH = date(2000, 1, 1)
OTHER_KEY = MaskKey(b"fedcba9876543210")
FORMS = st.builds(Form, st.sampled_from(DataClass), st.booleans())
FIXED = {
    Family.INT2: 2, Family.INT4: 4, Family.INT8: 8, Family.FLOAT4: 4, Family.FLOAT8: 8, Family.DATE: 4,
    Family.TIMESTAMP: 8, Family.TIMESTAMPTZ: 8, Family.UUID: 16, Family.MACADDR: 6,
}  # fmt: skip


@pytest.mark.parametrize(
    ("data_class", "value", "start", "end"),
    [
        (DataClass.EMAIL, "ada.lovelace@example.com", "a***", "@example.com"),
        (DataClass.EMAIL, "ab@example.com", "***", "@example.com"),
        (DataClass.PERSON_NAME, "Ada Lovelace", "A*** L***", ""),
        (DataClass.PERSON_NAME, "李 娜", "*** ***", ""),
        (DataClass.PHONE, "+1 (555) 010-4477", "***", "-4477"),
        (DataClass.CARD_NUMBER, "4929 1234 5678 9012", "***", "-9012"),
        (DataClass.IBAN, "DE89 3704 0044 0532 0130 00", "DE***", "-3000"),
        (DataClass.BIRTH_DATE, "1985-04-23", "1985***", ""),
        (DataClass.BIRTH_DATE, "23.04.1985", "1985***", ""),
        (DataClass.SECRET, "hunter2", "***", "***"),
    ],
)
def test_a_partial_form_keeps_what_people_need(
    data_class: DataClass, value: str, start: str, end: str
) -> None:
    masked = mask_text(Form(data_class), value, KEY)
    assert masked.startswith(start)
    assert masked.endswith(end)
    assert "***" in masked


@pytest.mark.parametrize("data_class", [c for c in DataClass if c is not DataClass.SECRET])
def test_equal_values_have_equal_masks_under_one_key_only(data_class: DataClass) -> None:
    form, one, two = Form(data_class), "some value 12345678", "some value 22345678"
    assert mask_text(form, one, KEY) == mask_text(form, one, KEY)
    assert mask_text(form, one, KEY) != mask_text(form, two, KEY)
    assert mask_text(form, one, KEY) != mask_text(form, one, OTHER_KEY)


@pytest.mark.parametrize("data_class", DataClass)
@pytest.mark.parametrize(
    "value", ["1234", "1234567", "Zb", "x@y.z", "Jo", "é", "123-45-678", "a b c d e"]
)
def test_a_short_value_is_spared_nothing(data_class: DataClass, value: str) -> None:
    masked = mask_text(Form(data_class), value, KEY)
    assert value not in masked


@given(FORMS, st.text(min_size=6, max_size=60, alphabet="ghijklmnopqrstuvwxyz@. +"))
def test_no_six_characters_in_a_row_survive_but_the_domain(form: Form, value: str) -> None:
    masked = mask_text(form, value, KEY)
    local = value.rpartition("@")[0] if form.data_class is DataClass.EMAIL else value
    for start in range(len(local) - 5):
        assert local[start : start + 6] not in masked


@given(FORMS, st.binary(max_size=40))
def test_fixed_widths_stay(form: Form, value: bytes) -> None:
    for oid, family in FAMILIES.items():
        masked = value_mask(form, oid, 1, KEY)(value)
        if family in FIXED:
            assert masked is not None
            assert len(masked) == FIXED[family]


@given(FORMS, st.binary(min_size=1, max_size=40))
def test_text_format_parses_as_its_type(form: Form, value: bytes) -> None:
    def text(oid: int) -> str:
        masked = value_mask(form, oid, 0, KEY)(value)
        assert masked is not None
        return masked.decode()

    assert -(2**15) <= int(text(21)) < 2**15
    assert -(2**31) <= int(text(23)) < 2**31
    assert -(2**63) <= int(text(20)) < 2**63
    assert Decimal(text(1700)) >= 0
    assert date.fromisoformat(text(1082)).year < 2010
    UUID(text(2950))
    json.loads(text(114))
    bytes.fromhex(text(17).removeprefix("\\x"))


@given(st.ip_addresses())
def test_addresses_stay_addresses(address: object) -> None:
    masked = value_mask(Form(DataClass.IP_ADDRESS), 869, 0, KEY)(str(address).encode())
    assert masked is not None
    assert ip_interface(masked.decode()).version == ip_interface(str(address)).version
    assert masked.decode() != str(address)


@pytest.mark.parametrize(
    ("data_class", "oid", "text", "binary"),
    [
        (DataClass.PHONE, 20, b"491701234567", struct.pack("!q", 491701234567)),
        (DataClass.PHONE, 23, b"1701234567", struct.pack("!i", 1701234567)),
        (DataClass.CARD_NUMBER, 1700, b"4929123456789012", of_whole(b"4929123456789012")),
    ],
)
def test_a_number_keeps_its_last_four_digits(
    data_class: DataClass, oid: int, text: bytes, binary: bytes
) -> None:
    in_text, in_binary = (value_mask(Form(data_class), oid, code, KEY) for code in (0, 1))
    shown = in_text(text)
    assert shown is not None
    assert shown != text
    assert shown.endswith(text[-4:])
    packed = {20: "!q", 23: "!i"}
    number = int(shown)
    expected = of_whole(shown) if oid == 1700 else struct.pack(packed[oid], number)
    assert in_binary(binary) == expected
    opaque = value_mask(Form(data_class, opaque=True), oid, 0, KEY)(text)
    assert opaque is not None
    assert not opaque.endswith(text[-4:])


def test_a_birth_date_keeps_its_year_where_it_is_the_plain_one() -> None:
    plain = value_mask(Form(DataClass.BIRTH_DATE), 1082, 0, KEY)
    assert plain(b"1985-04-23") == b"1985-01-01"
    assert plain(b"infinity") != b"infinity"
    binary = value_mask(Form(DataClass.BIRTH_DATE), 1082, 1, KEY)
    assert binary(struct.pack("!i", -5_367)) == struct.pack("!i", -5_478)
    opaque = value_mask(Form(DataClass.BIRTH_DATE, opaque=True), 1082, 0, KEY)
    assert opaque(b"1985-04-23") not in (b"1985-01-01", b"1985-04-23")


@given(st.dates(), st.uuids(), st.integers(-(2**31), 2**31 - 1))
def test_both_formats_have_one_mask(day: date, name: UUID, number: int) -> None:
    form = Form(DataClass.NATIONAL_ID)

    def shown(oid: int, value: bytes, code: int) -> bytes:
        masked = value_mask(form, oid, code, KEY)(value)
        assert masked is not None
        return masked

    days = int.from_bytes(shown(1082, struct.pack("!i", (day - EPOCH).days), 1), "big", signed=True)
    assert shown(1082, day.isoformat().encode(), 0).decode() == str(EPOCH + timedelta(days=days))
    assert shown(2950, str(name).encode(), 0).decode() == str(
        UUID(bytes=shown(2950, name.bytes, 1))
    )
    (masked,) = struct.unpack("!i", shown(23, struct.pack("!i", number), 1))
    assert shown(23, b"%d" % number, 0).decode() == str(masked)


def test_what_has_no_mask_becomes_null() -> None:
    for oid in (16, 2249, 3500, 600, 999_999):
        assert is_null_mask(value_mask(Form(DataClass.EMAIL), oid, 0, KEY))
    assert is_null_mask(value_mask(Form(DataClass.EMAIL), 25, 7, KEY))


def test_a_mask_fits_its_varchar() -> None:
    masked = value_mask(Form(DataClass.EMAIL), 1043, 0, KEY, 5)(b"ada.lovelace@example.com")
    assert masked is not None
    assert len(masked) == 5


@given(st.binary(max_size=80), st.sampled_from(sorted(ELEMENTS)), st.sampled_from([0, 1]), FORMS)
def test_no_bytes_break_a_mask(value: bytes, oid: int, format_code: int, form: Form) -> None:
    for type_oid in (oid, *FAMILIES):
        value_mask(form, type_oid, format_code, KEY)(value)


def test_a_text_array_keeps_bounds_and_nulls() -> None:
    value = rb'[0:2]={"a,b\"c",NULL,{x,y}}'
    assert (
        mask_text_array(value, lambda plain: plain.upper()) == rb'[0:2]={"A,B\"C",NULL,{"X","Y"}}'
    )
    assert mask_text_array(b"{}", lambda plain: b"") == b"{}"
    assert mask_text_array(b"no array", lambda plain: b"") is None
    assert mask_text_array(b'{"unclosed', lambda plain: b"") is None


@given(st.lists(st.one_of(st.none(), st.binary(max_size=20)), max_size=8))
def test_a_binary_array_is_encoded_anew(elements: list[bytes | None]) -> None:
    def encode(items: list[bytes | None]) -> bytes:
        head = struct.pack("!iIIii", 1, int(None in items), 25, len(items), 1)
        parts = [b"\xff" * 4 if e is None else struct.pack("!i", len(e)) + e for e in items]
        return head + b"".join(parts)

    masked = mask_binary_array(encode(elements), lambda element: element[::-1] + b"!")
    assert masked == encode([None if e is None else e[::-1] + b"!" for e in elements])
    nulled = mask_binary_array(encode(elements), lambda element: None)
    assert nulled == encode([None] * len(elements))


@pytest.mark.parametrize("data_class", [c for c in DataClass if c is not DataClass.SECRET])
def test_tokens_say_the_version_of_their_key_but_for_the_first(data_class: DataClass) -> None:
    form, value = Form(data_class, opaque=True), "ada@example.com"
    second = MaskKey(b"fedcba9876543210", 2)
    assert mask_text(form, value, second).startswith("***v2.")
    assert mask_text(form, value, second).replace("v2.", "") == mask_text(form, value, OTHER_KEY)
    assert "v" not in mask_text(form, value, KEY)


@pytest.mark.parametrize("oid", sorted(FAMILIES))
def test_a_mask_of_a_later_key_is_valid_too(oid: int) -> None:
    later = MaskKey(b"0123456789abcdef", 12)
    for code in (0, 1):
        first, second = (value_mask(Form(DataClass.EMAIL, opaque=True), oid, code, key)
                         for key in (KEY, later))  # fmt: skip
        value = b"10.0.0.1" if code == 0 else bytes(8)
        before, after = first(value), second(value)
        assert (before is None) == (after is None)
        if before and after:
            assert after.replace(b"v12.", b"") == before
            assert (b"v12." in after) == (b"***" in before)


@given(st.text(min_size=1, max_size=30), st.sampled_from(DataClass))
def test_a_text_has_one_token_wherever_it_stands(value: str, data_class: DataClass) -> None:
    """So that masked columns of any table can be joined, in whatever format they were read."""
    raw, form = value.encode(), Form(data_class)
    tokens = {value_mask(form, oid, code, KEY)(raw) for oid in (25, 1043, 1042) for code in (0, 1)}
    head = struct.pack("!iIIii", 1, 0, 25, 1, 1) + struct.pack("!i", len(raw))
    array = value_mask(form, 1009, 1, KEY)(head + raw)
    assert array is not None
    assert tokens == {array[len(head) :]}


@pytest.mark.parametrize("version", [0, -1, 1000])
def test_other_versions_are_refused(version: int) -> None:
    with pytest.raises(UsageError, match="version"):
        MaskKey(b"0123456789abcdef", version)


def test_a_short_key_is_refused_and_a_key_is_never_shown() -> None:
    with pytest.raises(UsageError):
        MaskKey(b"short")
    assert "0123" not in repr(KEY)
