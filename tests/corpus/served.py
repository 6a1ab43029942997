"""What the server ran, by its own log, held against what was judged and recorded: statement by statement.

The server logs each text before it runs it. Nothing may stand there that the audit log has not, in the
same order, connection by connection; and what is recorded as run must stand there.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from dbgate_core.pgwire.guard import Status
from tests.corpus.place import GOVERNED, USERS, Place
from tests.integration.dev.running import until

_USER, _DATABASE, _PROCESS, _SEVERITY, _MESSAGE, _APPLICATION = 1, 2, 3, 11, 13, 22
"""Columns of a csvlog (PostgreSQL, "20.8.4. Using CSV-Format Log Output"), from 0."""
_OWN: Final = "dbgate-"
"""What the application names of the broker's own connections begin with."""
_SIMPLE: Final = "statement: "
_MARK: Final = "select 'the log is written up to here'"
csv.field_size_limit(2**30)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A statement of the audit log, and how it ended."""

    text: str
    status: str
    statements: int


def parted(place: Place) -> list[str]:
    """Where the server's log and the audit log differ, after all connections are closed."""
    place.superuser(_MARK, GOVERNED)
    until(lambda: f'"{_SIMPLE}{_MARK}"' in _read(place.log), "the server's log is written")
    ran, recorded = served(place.log), recorded_by_connection(place.entries.all)
    if len(ran) != len(recorded):
        return [f"{len(ran)} connections ran statements, {len(recorded)} are recorded to have"]
    return [it for mine, theirs in zip(recorded, ran, strict=True) for it in _parted(mine, theirs)]


def served(log: Path) -> list[list[str]]:
    """The texts that the server ran, connection by connection, in the order of their first."""
    ran: dict[str, list[str]] = {}
    for row in csv.reader(_read(log).splitlines(keepends=True)):
        text = _text(row[_MESSAGE])
        mine = (row[_DATABASE], row[_SEVERITY]) == (GOVERNED, "LOG") and row[_USER] in USERS
        if mine and text is not None and not row[_APPLICATION].startswith(_OWN):
            ran.setdefault(row[_PROCESS], []).append(text)
    return list(ran.values())


def _text(message: str) -> str | None:
    if message.startswith(_SIMPLE):
        return message.removeprefix(_SIMPLE)
    return message.partition(": ")[2] if message.startswith("execute ") else None


def recorded_by_connection(
    entries: Sequence[tuple[str, Mapping[str, Any]]],
) -> list[list[Recorded]]:
    """What is recorded to have reached the server, likewise: not what it skipped after an error."""
    ends = {
        _plain(f["begin"]): _plain(f["status"]) for kind, f in entries if kind == "statement_end"
    }
    found: dict[tuple[str, int], list[Recorded]] = {}
    for number, (kind, fields) in enumerate(entries):
        if kind != "statement" or ends.get(number) == Status.SKIPPED:
            continue
        scope = _plain(fields["scope"])
        statements = int(_plain(fields.get("statements", 1)))
        if statements or _plain(fields["protocol"]) == "simple":
            it = Recorded(_plain(fields["text"]), ends.get(number, ""), statements)
            found.setdefault((scope["session"], scope["connection"]), []).append(it)
    return list(found.values())


def _plain(value: Any) -> Any:  # a field's value, or its JSON
    return json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else value


def _parted(recorded: Sequence[Recorded], ran: Sequence[str]) -> Iterator[str]:
    """An Execute whose Bind fails is an error that the server never logged as a statement."""
    at = 0
    for it in recorded:
        if at < len(ran) and ran[at] == it.text:
            at += 1
        elif it.status != Status.ERROR:
            yield f"recorded as {it.status or 'not ended'}, not run: {it.text!r}"
    yield from (f"run, not recorded: {text!r}" for text in ran[at:])


def miscounted(place: Place) -> list[str]:
    """Texts of several statements of which the server completed another number than was judged."""
    return [
        f"{place.completed[it.text]} statements completed, {it.statements} judged: {it.text!r}"
        for connection in recorded_by_connection(place.entries.all)
        for it in connection
        if it.status == Status.OK and place.completed.get(it.text, it.statements) != it.statements
    ]


def _read(log: Path) -> str:
    return log.read_text(errors="replace")
