"""The rows of `dbgate query`, written as they come (a table: at the end of each result)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from dbgate_cli import console, render
from dbgate_cli.pgclient import Columns, CopyData, Done, Event, Row

BOOL: Final = 16
TABLE_ROWS: Final = 10_000
"""A table is written in parts of so many rows: a long result does not fill the memory."""
INTEGERS: Final = frozenset({20, 21, 23, 26})
FLOATS: Final = frozenset({700, 701})
DOCUMENTS: Final = frozenset({114, 3802})
"""Type OIDs (pg_type.dat) whose text is more than text in JSON. numeric stays text: it is exact."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
"""JSON's own grammar of numbers (RFC 8259, section 6), as far as PostgreSQL writes them."""


def write_table(events: Iterable[Event], out: TextIO) -> None:
    """A table a result, with its number of rows, or the command tag, after it."""
    headers: list[str] | None = None
    rows: list[list[str | None]] = []
    count = 0
    for event in events:
        match event:
            case Columns(columns):
                headers, rows, count = [name for name, _ in columns], [], 0
            case Row(values):
                rows.append([_text(value) for value in values])
                count += 1
                if headers is not None and len(rows) == TABLE_ROWS:
                    render.table(headers, rows, whole=True)
                    rows = []
            case CopyData(data):
                out.write(data.decode(errors="replace"))
            case Done(tag):
                if headers is not None:
                    if rows or not count:
                        render.table(headers, rows, whole=True)
                    console.note(f"{count} row" + "s" * (count != 1))
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
                columns = [(_quote(name), oid) for name, oid in _unique(found)]
            case Row(values):
                members = (
                    f"{name}: {json_text(value, type_oid)}"
                    for (name, type_oid), value in zip(columns, values, strict=True)
                )
                out.write("{" + ", ".join(members) + "}\n")
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


def json_text(value: bytes | None, type_oid: int) -> str:
    """A value in text format as JSON text; what does not fit (NaN, masks) becomes a string.

    json and jsonb keep their own digits: reading and writing them again would round.
    """
    if value is None:
        return "null"
    text = value.decode(errors="replace")
    if type_oid == BOOL and text in ("t", "f"):
        return "true" if text == "t" else "false"
    if type_oid in INTEGERS and _INTEGER.fullmatch(text):
        return text
    if type_oid in FLOATS and _FLOAT.fullmatch(text):
        return text
    if type_oid in DOCUMENTS and _is_document(text):
        # A line break in JSON stands between tokens alone; here an object is a line.
        return text.replace("\n", " ").replace("\r", " ")
    return _quote(text)


def _is_document(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(text: str) -> None:
    raise ValueError(text)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


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
