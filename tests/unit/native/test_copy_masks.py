"""The compiled CopyMask gives what its reference gives, wherever the data is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.masking.copy import CopyFormat, CopyMask
from dbgate_core.masking.rows import ColumnMask
from dbgate_core.native.masks import CompiledCopyMask
from tests.unit.native.test_row_masks import COLUMNS, placed
from tests.unit.native.texts import TEXTS
from tests.unit.native.twins import answer, compiled

compiled()

FORMATS = [
    CopyFormat(),
    CopyFormat(delimiter=b"-", null=b"nil"),
    CopyFormat(delimiter=b"*", null=b""),
    CopyFormat(csv=True, delimiter=b",", null=b""),
    CopyFormat(csv=True, delimiter=b"@", null=b"***", quote=b"'", escape=b"'", header=True),
    CopyFormat(csv=True, delimiter=b";", null=b"nil", quote=b'"', escape=b"\\"),
]
WIDTH = 3
FIELDS = st.one_of(
    st.text(alphabet="ab1\\\t\n\r\b,;-*@\"'N.\u00e9", max_size=8).map(str.encode),
    st.sampled_from(
        [b"", b"\\N", b"nil", b"ada@example.com", b"Ada Lovelace", b"4929 1234 5678 9012", b"\\."]
    ),
    TEXTS,
)
PLANS = st.dictionaries(st.integers(0, WIDTH - 1), COLUMNS, min_size=1).map(placed)


def lines(form: CopyFormat) -> st.SearchStrategy[bytes]:
    """Mostly rows of the right width, with fields that are mostly not escaped as they should be."""
    quoted = FIELDS.map(
        lambda f: form.quote + f.replace(form.quote, form.escape + form.quote) + form.quote
    )
    plain = FIELDS.map(lambda f: b"".join(f.split(form.delimiter)).replace(b"\n", b""))
    fields = st.one_of(plain, plain, quoted if form.csv else plain, FIELDS)
    row = st.lists(fields, min_size=WIDTH, max_size=WIDTH)
    return st.one_of(row, row, row, st.lists(fields, max_size=4)).map(form.delimiter.join)


@pytest.mark.parametrize("form", FORMATS, ids=range(len(FORMATS)))
@settings(max_examples=150, deadline=None)
@given(data=st.data(), plan=PLANS, cut=st.integers(1, 60))
def test_copy_data_is_masked_alike(
    form: CopyFormat, data: st.DataObject, plan: list[ColumnMask], cut: int
) -> None:
    ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"", b"\n\\.\n"])
    rows = data.draw(st.lists(st.tuples(lines(form), ends), max_size=5))
    whole = b"".join(row + end for row, end in rows)
    pure, quick = CopyMask(WIDTH, plan, form), CompiledCopyMask(WIDTH, plan, form)
    for at in range(0, len(whole), cut):
        expected = answer(pure.rewrite, whole[at : at + cut])
        assert answer(quick.rewrite, whole[at : at + cut]) == expected
        if expected[0] != "gives":
            return
        assert quick.values == pure.values
    assert answer(quick.finish) == answer(pure.finish)
