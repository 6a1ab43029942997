"""The compiled masks of single values are those of the reference."""

from __future__ import annotations

import struct

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.codecs import value_mask
from dbgate_core.masking.described import ValueMask
from dbgate_core.masking.forms import Form
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.rows import ColumnMask, MaskedColumn
from dbgate_core.masking.types import FAMILIES, TEXT_OID
from dbgate_core.native.masks import CompiledRowMask
from tests.unit.native.twins import compiled

compiled()

KEYS = st.builds(MaskKey, st.binary(min_size=16, max_size=80), st.sampled_from([1, 2, 999]))
FORMS = st.builds(Form, st.sampled_from(DataClass), st.booleans())
LIMITS = st.one_of(st.none(), st.integers(0, 30))
ABOUT = MaskedColumn("c", "email", "token")
SPECIAL = '@.-_ ;<>,"\t\n\v\f\r\x1c\x1d\x1e\x1f\x00\x7f+AZaz09éß\u00a0\u2003'
VALUES = st.one_of(
    st.text(alphabet=SPECIAL, max_size=40).map(str.encode),
    st.from_regex(r"[a-z]{1,5}@[a-z0-9-]{1,5}(\.[a-z]{1,4}){0,2}\.?", fullmatch=True).map(
        str.encode
    ),
    st.from_regex(r"[A-Z]{0,3}[0-9 +()-]{0,45}", fullmatch=True).map(str.encode),
    st.from_regex(r"[A-Z][a-z]{0,4}([ \t][A-Z][a-z]{0,4}){0,4}", fullmatch=True).map(str.encode),
    st.dates().map(lambda day: day.isoformat().encode()),
    st.from_regex(r"-?[0-9]{1,18}", fullmatch=True).map(str.encode),
    st.sampled_from([b"23.04.1985", b"04/23/1985", b"0044-03-15 BC", b"infinity", b"1985-04-2x"]),
    st.binary(max_size=300),
    st.integers(0, 400).map(lambda n: b"x" * n),
)


def compiled_mask(mask: ValueMask, value: bytes) -> bytes | None:
    """The masked value, out of a row of one column."""
    row = b"D" + struct.pack("!iHi", 10 + len(value), 1, len(value)) + value
    masked = CompiledRowMask(1, [ColumnMask(0, ABOUT, mask)]).rewrite(row)
    length = struct.unpack_from("!i", masked, 7)[0]
    return None if length < 0 else masked[11:]


@settings(max_examples=400, deadline=None)
@given(VALUES, FORMS, KEYS, LIMITS)
@example(b"", Form(DataClass.EMAIL), MaskKey(b"k" * 32), None)
@example(b"a" * 128, Form(DataClass.TOKEN), MaskKey(b"k" * 32), None)
@example(b"a" * 129, Form(DataClass.TOKEN), MaskKey(b"k" * 32), None)
@example(b"a" * 256, Form(DataClass.TOKEN), MaskKey(b"k" * 32), None)
@example(b"ada@example.com", Form(DataClass.EMAIL), MaskKey(b"k" * 32, 999), None)
def test_a_text_has_one_mask(value: bytes, form: Form, key: MaskKey, limit: int | None) -> None:
    mask = value_mask(form, TEXT_OID, 0, key, limit)
    assert compiled_mask(mask, value) == mask(value)


@settings(max_examples=40, deadline=None)
@given(VALUES, FORMS, st.sampled_from([0, 1]))
def test_a_value_of_any_type_has_one_mask(value: bytes, form: Form, format_code: int) -> None:
    key = MaskKey(b"k" * 32)
    for oid in FAMILIES:
        mask = value_mask(form, oid, format_code, key)
        assert compiled_mask(mask, value) == mask(value)
