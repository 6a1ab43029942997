"""Tables, facts and CSV; nothing from elsewhere drives a terminal."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli import render
from dbgate_cli.console import clean

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.text())
def test_clean_text_is_printable_and_cleaning_again_changes_nothing(text: str) -> None:
    once = clean(text)
    assert once.isprintable()
    assert clean(once) == once
    if text.isprintable():
        assert once == text


@pytest.mark.parametrize(
    "evil", ["\x1b[2K", "\r", "\n", "\t", "\x00", "\u202e", "\u2028", "\x9b1m"]
)
def test_what_drives_a_terminal_is_shown_as_an_escape(evil: str) -> None:
    assert evil[0] not in clean(f"a{evil}b")
    assert "\\" in clean(evil)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6))
def test_columns_stand_under_each_other(rows: list[tuple[str, str, str]]) -> None:
    cells = [[clean(text) for text in row] for row in rows]
    lines = render.aligned(("A", "B", "C"), cells)
    assert len(lines) == len(rows) + 1
    first = max([1, *(render.width(row[0]) for row in cells)])
    for line, row in zip(lines[1:], cells, strict=True):
        assert line.startswith(row[0].rstrip() or "")
        if row[1].strip():
            lead = line[: line.index(row[1].strip(), len(row[0]))]
            stripped = len(row[1]) - len(row[1].lstrip())
            assert render.width(lead) == first + 2 + stripped


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("日本", 4), ("é", 1), ("e\u0301", 1), ("\uff57", 2), ("", 0)]
)
def test_width_is_that_of_a_terminal(text: str, columns: int) -> None:
    assert render.width(text) == columns


@given(
    st.lists(st.lists(TEXTS.filter(lambda t: "\0" not in t), min_size=2, max_size=4), max_size=5)
)
def test_csv_is_read_as_it_was_written(rows: list[list[str]]) -> None:
    text = "".join(render.csv_line(row) + "\n" for row in rows)
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


def test_csv_parts_null_from_empty() -> None:
    assert render.csv_line([None, "", " x", 'a"b']) == ',""," x","a""b"'


def test_cells() -> None:
    assert render.cell(None) == ""
    assert render.cell(True) == "yes"
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert render.cell(moment) == moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert len(render.cell("x" * 1000)) == render.MAX_CELL
    assert render.cell("x" * 1000, whole=True) == "x" * 1000


def test_emit_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    render.emit({"text": "a\nb", "at": datetime(2026, 1, 2, tzinfo=UTC)})
    assert capsys.readouterr().out == '{"text":"a\\nb","at":"2026-01-02T00:00:00Z"}\n'


def test_facts_leave_empty_ones_out(capsys: pytest.CaptureFixture[str]) -> None:
    render.facts([("a", 1), ("longer", "x\x1b"), ("none", None), ("empty", "")])
    assert capsys.readouterr().out == "a       1\nlonger  x\\x1b\n"
