"""The rows of `dbgate query`, written as they come (a table: at the end of each result)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from dbgate_cli import console, render
from dbgate_cli.pgclient import Columns, CopyData, Done, Event, Row

BOOL: Final = 16
INTEGERS: Final = frozenset({20, 21, 23, 26})
FLOATS: Final = frozenset({700, 701})
DOCUMENTS: Final = frozenset({114, 3802})
"""Type OIDs (pg_type.dat) whose text is more than text in JSON. numeric stays text: it is exact."""

Value = object


def write_table(events: Iterable[Event], out: TextIO) -> None:
    """A table a result, with its number of rows, or the command tag, after it."""
    headers: list[str] | None = None
    rows: list[list[str | None]] = []
    for event in events:
        match event:
            case Columns(columns):
                headers, rows = [name for name, _ in columns], []
            case Row(values):
                rows.append([_text(value) for value in values])
            case CopyData(data):
                out.write(data.decode(errors="replace"))
            case Done(tag):
                if headers is not None:
                    render.table(headers, rows)
                    console.note(f"{len(rows)} row" + "s" * (len(rows) != 1))
                else:
                    console.note(tag)
                headers = None
    out.flush()


def write_json(events: Iterable[Event], out: TextIO) -> None:
    """One JSON object a row; the names of columns that stand twice get a number."""
    columns: list[tuple[str, int]] = []
    for event in events:
        match event:
            case Columns(found):
                columns = _unique(found)
            case Row(values):
                record = {
                    name: json_value(value, type_oid)
                    for (name, type_oid), value in zip(columns, values, strict=True)
                }
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
            case CopyData(data):
                line = data.decode(errors="replace").removesuffix("\n")
                out.write(json.dumps({"copy": line}, ensure_ascii=False) + "\n")
            case Done(tag):
                if not tag.startswith("SELECT"):
                    console.note(tag)
    out.flush()


def write_csv(events: Iterable[Event], out: TextIO) -> None:
    """A header line and rows; results are parted by an empty line. NULL is nothing, '' is \"\"."""
    first = True
    for event in events:
        match event:
            case Columns(columns):
                out.write("" if first else "\n")
                first = False
                out.write(render.csv_line([name for name, _ in columns]) + "\n")
            case Row(values):
                out.write(render.csv_line([_text(value) for value in values]) + "\n")
            case CopyData(data):
                out.write(data.decode(errors="replace"))
            case Done(tag):
                if not tag.startswith("SELECT"):
                    console.note(tag)
    out.flush()


def json_value(value: bytes | None, type_oid: int) -> Value:
    """A value in text format as its JSON counterpart; what does not fit (NaN, masks) stays text."""
    if value is None:
        return None
    text = value.decode(errors="replace")
    try:
        if type_oid == BOOL:
            return {"t": True, "f": False}.get(text, text)
        if type_oid in INTEGERS:
            return int(text)
        if type_oid in FLOATS:
            number = float(text)
            return number if abs(number) != float("inf") and number == number else text
        if type_oid in DOCUMENTS:
            return json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text


def _unique(columns: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    seen: dict[str, int] = {}
    found: list[tuple[str, int]] = []
    for name, type_oid in columns:
        fresh = name
        while fresh in seen:
            seen[name] += 1
            fresh = f"{name}_{seen[name]}"
        seen[fresh] = 1
        found.append((fresh, type_oid))
    return found


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
