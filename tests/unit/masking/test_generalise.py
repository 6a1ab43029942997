"""Dates to their year, numbers to their size; valid, in both formats, and nothing of all else."""

from __future__ import annotations

import struct
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.described import ValueMask
from dbgate_core.masking.generalise import bucket, generalised
from dbgate_core.masking.numeric import of_whole, whole_part

BIRTH, PHONE = DataClass.BIRTH_DATE, DataClass.PHONE
EPOCH = date(2000, 1, 1)


def mask_of(data_class: DataClass, oid: int, format_code: int) -> ValueMask:
    mask = generalised(data_class, oid, format_code)
    assert mask is not None
    return mask


@pytest.mark.parametrize(
    ("oid", "value", "shown"),
    [
        (1082, b"1985-04-23", b"1985-01-01"),
        (1082, b"23.04.1985", b"01.01.1985"),
        (1082, b"04/23/1985", b"01/01/1985"),
        (1082, b"0044-03-15 BC", None),
        (1082, b"infinity", None),
        (1114, b"1985-04-23 10:11:12.1234", b"1985-01-01 00:00:00"),
        (1184, b"1985-04-23 10:11:12.123456+05:30", b"1985-01-01 00:00:00+00"),
        (1184, b"Tue Apr 23 10:11:12 1985 CET", None),
        (1182, b"{1985-04-23,NULL}", b'{"1985-01-01",NULL}'),
        (23, b"1985", b"1980"),
        (20, b"19850423", b"10000000"),
        (20, b"-7", b"0"),
        (1700, b"NaN", None),
        (701, b"1.5e+20", b"100000000000000000000"),
        (701, b"1.5e-20", b"0"),
    ],
)
def test_what_is_left_of_a_birth_date(oid: int, value: bytes, shown: bytes | None) -> None:
    mask = mask_of(BIRTH, oid, 0)
    assert mask(value) == shown


@pytest.mark.parametrize("oid", [25, 1043, 2950, 869, 3802, 17, 16, 1009, 3904, 999_999])
def test_other_types_have_no_size(oid: int) -> None:
    assert generalised(BIRTH, oid, 0) is None
    assert generalised(BIRTH, oid, 1) is None


@pytest.mark.parametrize("data_class", [DataClass.SECRET, DataClass.TOKEN])
def test_nothing_of_a_secret_is_left(data_class: DataClass) -> None:
    assert generalised(data_class, 23, 0) is None


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)))
def test_a_date_has_one_year_in_both_formats(day: date) -> None:
    text, binary = mask_of(BIRTH, 1082, 0), mask_of(BIRTH, 1082, 1)
    moment = mask_of(BIRTH, 1114, 1)
    days = (day - EPOCH).days
    shown = binary(struct.pack("!i", days))
    assert shown is not None
    first = EPOCH + timedelta(days=struct.unpack("!i", shown)[0])
    assert first == date(day.year, 1, 1)
    assert text(day.isoformat().encode()) == first.isoformat().encode()
    moved = moment(struct.pack("!q", days * 86_400_000_000 + 4_711))
    assert moved == struct.pack("!q", (first - EPOCH).days * 86_400_000_000)


@pytest.mark.parametrize("raw", [b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x80\x00\x00", b""])
def test_infinite_dates_and_broken_ones_are_null(raw: bytes) -> None:
    mask = mask_of(BIRTH, 1082, 1)
    assert mask(raw) is None


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_number_has_one_bucket_in_both_formats(number: int) -> None:
    text, binary = mask_of(PHONE, 20, 0), mask_of(PHONE, 20, 1)
    numeric = mask_of(PHONE, 1700, 1)
    shown = text(b"%d" % number)
    assert shown is not None
    assert binary(struct.pack("!q", number)) == struct.pack("!q", int(shown))
    assert numeric(of_whole(b"%d" % number)) == of_whole(shown)
    assert abs(int(shown)) <= abs(number)
    assert set(shown.lstrip(b"-")[1:]) <= {ord("0")}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_stays_finite_and_no_larger(number: float) -> None:
    mask = mask_of(PHONE, 701, 1)
    shown = mask(struct.pack("!d", number))
    assert shown is not None
    assert abs(struct.unpack("!d", shown)[0]) <= abs(number)


@given(st.from_regex(r"-?[1-9][0-9]{0,40}", fullmatch=True).map(str.encode))
def test_numerics_are_read_as_they_are_written(text: bytes) -> None:
    assert whole_part(of_whole(text)) == text


def test_a_huge_numeric_is_no_effort() -> None:
    shown = bucket(PHONE, b"9" * 131_072)
    assert shown == b"9" + b"0" * 131_071
    assert whole_part(of_whole(shown)) == shown
    assert Decimal(shown.decode()).adjusted() == 131_071


@given(
    st.binary(max_size=24), st.sampled_from([20, 21, 23, 700, 701, 1082, 1114, 1184, 1700, 1182])
)
def test_no_bytes_break_it(value: bytes, oid: int) -> None:
    for format_code in (0, 1):
        mask_of(PHONE, oid, format_code)(value)
