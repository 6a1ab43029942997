"""Results on standard output: a table for people, JSON lines for programs, CSV for rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from dbgate_cli.console import clean

MAX_CELL: Final = 200
"""Longer cells are cut in tables of people; `--json` never cuts."""


def emit(value: object) -> None:
    """Write one JSON object on a line of its own. Structs, times and plain values are taken."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def emit_plain(values: Mapping[str, object]) -> None:
    """The same, of strings, lists of them and None alone: without an import that takes long."""
    import json

    sys.stdout.write(json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def line(text: str) -> None:
    """Write one line of a result."""
    sys.stdout.write(clean(text) + "\n")
    sys.stdout.flush()


def cell(value: object, *, whole: bool = False) -> str:
    """A value as a person reads it: local times, nothing for None, yes and no."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    text = clean(str(value))
    return text if whole or len(text) <= MAX_CELL else text[: MAX_CELL - 3] + "..."


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, whole: bool = False) -> None:
    """Write a table: drawn by rich on a terminal, aligned plain text elsewhere.

    `whole`: no cell is cut.
    """
    cells = [[cell(value, whole=whole) for value in row] for row in rows]
    if sys.stdout.isatty():
        _rich(headers, cells)
        return
    for text in aligned(headers, cells):
        sys.stdout.write(text + "\n")
    sys.stdout.flush()


def aligned(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines with columns padded to equal width on a terminal, two blanks between."""
    rows = [list(headers), *map(list, cells)]
    widths = [max(width(row[i]) for row in rows) for i in range(len(headers))]
    return [
        "  ".join(t + " " * (w - width(t)) for t, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def width(text: str) -> int:
    """How many columns of a terminal a text takes (UAX 11: wide is two, combining is none)."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(c) in ("Mn", "Me") else 2 if east_asian_width(c) in "WF" else 1 for c in text
    )


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Write names and values, one pair a line; empty values are left out."""
    kept = [(name, cell(value)) for name, value in pairs if value not in (None, "")]
    width = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        sys.stdout.write(f"{name.ljust(width)}  {value}\n")
    sys.stdout.flush()


def csv_line(values: Sequence[str | None]) -> str:
    """A CSV line as PostgreSQL's COPY writes it: NULL is nothing, an empty string is quoted."""
    return ",".join(_csv(value) for value in values)


def _csv(value: str | None) -> str:
    if value is None:
        return ""
    if value == "" or any(c in value for c in ',"\r\n') or value != value.strip():
        return '"' + value.replace('"', '""') + '"'
    return value


def _rich(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*headers, box=SIMPLE_HEAD, pad_edge=False)
    for row in cells:
        drawn.add_row(*(Text(value, overflow="fold") for value in row))
    Console().print(drawn)
