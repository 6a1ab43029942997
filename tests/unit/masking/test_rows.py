"""Laws of RowMask and CopyMask over made-up results."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.errors import LimitExceeded, ProtocolViolation
from dbgate_core.masking import copy as copy_module
from dbgate_core.masking.copy import CopyFormat, CopyMask
from dbgate_core.masking.rows import ColumnMask, MaskedColumn, RowMask

ABOUT = MaskedColumn("c", "email", "token")
Row = list[bytes | None]
WIDTH = 4
ROWS = st.lists(
    st.lists(st.one_of(st.none(), st.binary(max_size=200)), min_size=WIDTH, max_size=WIDTH),
    max_size=8,
)


def encode(rows: list[Row]) -> bytes:
    out = b""
    for row in rows:
        body = struct.pack("!H", len(row))
        for value in row:
            body += b"\xff" * 4 if value is None else struct.pack("!i", len(value)) + value
        out += b"D" + struct.pack("!i", len(body) + 4) + body
    return out


def shout(value: bytes) -> bytes | None:
    return None if value.startswith(b"n") else b"<" + value[:3] + b">"


@given(ROWS, st.sets(st.integers(0, WIDTH - 1)))
def test_only_masked_columns_change(rows: list[Row], indexes: set[int]) -> None:
    mask = RowMask(WIDTH, [ColumnMask(index, ABOUT, shout) for index in indexes])
    expected = [
        [shout(v) if i in indexes and v is not None else v for i, v in enumerate(row)]
        for row in rows
    ]
    assert mask.rewrite(encode(rows)) == encode(expected)
    assert mask.rewrite(encode(rows)) == encode(expected)
    assert mask.values == 2 * sum(row[i] is not None for row in rows for i in indexes)


@given(ROWS, st.binary(max_size=60))
def test_anything_but_whole_rows_is_refused(rows: list[Row], junk: bytes) -> None:
    mask = RowMask(WIDTH, [ColumnMask(WIDTH - 1, ABOUT, shout)])
    messages = encode(rows)
    for wrong in (messages[:-1], messages + b"D\0\0\0\x03", messages + b"C\0\0\0\x06\0\0"):
        if wrong:
            with pytest.raises(ProtocolViolation):
                mask.rewrite(wrong)
    try:
        mask.rewrite(junk)
    except ProtocolViolation:
        return
    assert junk[:1] in (b"", b"D")


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ProtocolViolation):
        RowMask(2, [ColumnMask(0, ABOUT, shout)]).rewrite(encode([[b"a", b"b", b"c"]]))


def test_a_lying_length_never_reaches_into_the_next_row() -> None:
    rows = encode([[b"abcd"]]) + encode([[b"efgh"]])
    broken = rows.replace(b"\0\0\0\x04abcd", b"\0\0\0\x14abcd")
    with pytest.raises(ProtocolViolation):
        RowMask(1, [ColumnMask(0, ABOUT, shout)]).rewrite(broken)


FORMATS = [
    CopyFormat(),
    CopyFormat(delimiter=b"|", null=b"nil"),
    CopyFormat(csv=True, delimiter=b",", null=b""),
    CopyFormat(csv=True, delimiter=b";", null=b"nil", quote=b"'", escape=b"'"),
    CopyFormat(csv=True, delimiter=b",", null=b"", quote=b'"', escape=b"\\"),
]


def line(row: Row, form: CopyFormat) -> bytes:
    """As the server writes it (CopyAttributeOutText, CopyAttributeOutCSV)."""
    fields = []
    for value in row:
        if value is None:
            fields.append(form.null)
        elif form.csv:
            plain = b"".join(
                form.escape + bytes([c]) if bytes([c]) in (form.quote, form.escape) else bytes([c])
                for c in value
            )
            special = any(m in value for m in (form.quote, form.delimiter, b"\n", b"\r"))
            quoted = special or value == form.null or value == b"\\."
            fields.append(form.quote + plain + form.quote if quoted else value)
        else:
            fields.append(copy_module._escape(value, form.delimiter))
    return form.delimiter.join(fields) + b"\n"


COPY_VALUES = st.one_of(
    st.none(), st.text(alphabet="ab\\\t\n\r,;|\"'N.\u00e9", max_size=12).map(str.encode)
)


@pytest.mark.parametrize("form", FORMATS)
@given(
    rows=st.lists(st.lists(COPY_VALUES, min_size=3, max_size=3), max_size=6),
    cut=st.integers(1, 9),
)
def test_copy_rows_are_masked_wherever_they_are_cut(
    form: CopyFormat, rows: list[Row], cut: int
) -> None:
    def mask(value: bytes) -> bytes | None:
        return value[::-1] + b"#"

    data = b"".join(line(row, form) for row in rows)
    expected = [[row[0], None if row[1] is None else mask(row[1]), row[2]] for row in rows]
    copier = CopyMask(3, [ColumnMask(1, ABOUT, mask)], form)
    out = b"".join(copier.rewrite(data[at : at + cut]) for at in range(0, len(data), cut))
    out += copier.finish()
    reader = CopyMask(3, [], form)
    split = reader._split(out)[0]
    fields = [(reader._csv_fields if form.csv else reader._text_fields)(row) for row in split]
    plain = copy_module._unescape if not form.csv else reader._csv_plain
    read = [[None if f == form.null else plain(f) for f in row] for row in fields]
    assert read == expected
    for row, original in zip(fields, rows, strict=True):
        assert line([original[0]], form)[:-1] == row[0]
        assert line([original[2]], form)[:-1] == row[2]


def test_the_header_passes_and_a_wrong_width_does_not() -> None:
    form = CopyFormat(csv=True, delimiter=b",", null=b"", header=True)
    copier = CopyMask(2, [ColumnMask(1, ABOUT, shout)], form)
    assert copier.rewrite(b"id,email\n1,abcdef\n") == b"id,email\n1,<abc>\n"
    with pytest.raises(ProtocolViolation):
        copier.rewrite(b"1,2,3\n")


def test_an_endless_row_ends_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_module, "MAX_ROW_BYTES", 10)
    with pytest.raises(LimitExceeded):
        CopyMask(1, [], CopyFormat()).rewrite(b"x" * 11)


def test_what_ends_without_newline_is_masked_too() -> None:
    copier = CopyMask(1, [ColumnMask(0, ABOUT, shout)], CopyFormat())
    assert copier.rewrite(b"secretvalue") == b""
    assert copier.finish() == b"<sec>"
