"""Rows of a query as a table, JSON and CSV."""

from __future__ import annotations

import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli import results
from dbgate_cli.pgclient import Columns, CopyData, Done, Event, Row

TEXT, INT8, FLOAT8, BOOL, JSON, JSONB, NUMERIC = 25, 20, 701, 16, 114, 3802, 1700
OIDS = (TEXT, INT8, FLOAT8, BOOL, JSON, JSONB, NUMERIC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    max_leaves=8,
)  # fmt: skip


def as_json(events: list[Event]) -> list[dict[str, object]]:
    out = io.StringIO()
    results.write_json(events, out)
    lines = out.getvalue().split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


def one(value: bytes | None, oid: int) -> object:
    return as_json([Columns([("c", oid)]), Row([value]), Done("SELECT 1")])[0]["c"]


@pytest.mark.parametrize(
    ("value", "oid", "expected"),
    [
        (None, INT8, None),
        (b"9223372036854775807", INT8, 2**63 - 1),
        (b"***", INT8, "***"),
        (b"1_0", INT8, "1_0"),
        (b"007", INT8, "007"),
        (b"t", BOOL, True),
        (b"x", BOOL, "x"),
        (b"1e-07", FLOAT8, 1e-07),
        (b"NaN", FLOAT8, "NaN"),
        (b"-Infinity", FLOAT8, "-Infinity"),
        (b"1.10", NUMERIC, "1.10"),
        (b"[1, null]", JSONB, [1, None]),
        (b'{\n "a": 1\r\n}', JSON, {"a": 1}),
        (b"NaN", JSON, "NaN"),
        (b"{broken", JSON, "{broken"),
        (b"[" * 100_000, JSON, "[" * 100_000),
        (b"\\xdeadbeef", 17, "\\xdeadbeef"),
        (b"\xff", TEXT, "\ufffd"),
    ],
    ids=lambda v: str(v)[:20],
)
def test_values_as_json(value: bytes | None, oid: int, expected: object) -> None:
    assert one(value, oid) == expected


def test_documents_keep_their_digits() -> None:
    out = io.StringIO()
    value = b'{"n": 12345678901234567890.123456789012345678, "big": 1e400}'
    results.write_json([Columns([("c", JSONB)]), Row([value])], out)
    assert out.getvalue() == '{"c": ' + value.decode() + "}\n"


@given(VALUES)
def test_any_document_is_kept(value: object) -> None:
    assert one(
        json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "replace"), JSON
    ) == (json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()))


@given(st.binary(max_size=60), st.sampled_from(OIDS))
def test_every_row_is_one_line_of_json(value: bytes, oid: int) -> None:
    found = one(value, oid)
    assert not (isinstance(found, float) and not math.isfinite(found))


@given(st.lists(st.sampled_from(["a", "a_2", "b", "a_3", ""]), min_size=1, max_size=8))
def test_no_column_is_lost_to_another_of_its_name(names: list[str]) -> None:
    events: list[Event] = [
        Columns([(name, TEXT) for name in names]),
        Row([str(i).encode() for i in range(len(names))]),
    ]
    (row,) = as_json(events)
    assert list(row.values()) == [str(i) for i in range(len(names))]


def test_copy_and_several_results() -> None:
    assert as_json([CopyData(b"1\tx\n"), Done("COPY 1")]) == [{"copy": "1\tx"}]
    two: list[Event] = [
        Columns([("a", TEXT)]), Row([None]), Done("SELECT 1"),
        Columns([("b", TEXT)]), Row([b""]), Done("SELECT 1"),
    ]  # fmt: skip
    out = io.StringIO()
    results.write_csv(two, out)
    assert out.getvalue() == 'a\n\n\nb\n""\n'


def test_a_long_table_is_written_in_parts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "TABLE_ROWS", 2)
    rows: list[Event] = [Row([str(i).encode()]) for i in range(4)]
    results.write_table([Columns([("n", INT8)]), *rows, Done("SELECT 4")], io.StringIO())
    found = capsys.readouterr()
    assert found.out.split() == ["n", "0", "1", "n", "2", "3"]
    assert "4 rows" in found.err
    results.write_table([Columns([("n", INT8)]), Done("SELECT 0")], io.StringIO())
    assert capsys.readouterr().out == "n\n"
