"""Audit entries as people read them: one line a statement, its beginning and end put together.

Entries are shown, not judged, so they are read as plain JSON objects: an older command line shows
a newer broker's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

HEADERS: Final = ("ENTRY", "TIME", "WHO", "DATABASE", "ROLE", "VERDICT", "ROWS", "WHAT")

Entry = Mapping[str, Any]


def lines(entries: Iterable[Entry]) -> list[tuple[object, ...]]:
    """Rows for HEADERS. An end whose beginning is among the entries has no row of its own."""
    listed = list(entries)
    ends = {entry["begin"]: entry for entry in listed if _is_end(entry)}
    begun = {_index(entry) for entry in listed if not _is_end(entry)}
    return [
        _line(entry, ends.get(_index(entry)))
        for entry in listed
        if not (_is_end(entry) and entry["begin"] in begun)
    ]


def _line(entry: Entry, end: Entry | None) -> tuple[object, ...]:
    outcome = end or (entry if _is_end(entry) else None)
    scope = _mapping(entry.get("scope")) or entry
    return (
        entry.get("index"),
        _time(entry.get("time")),
        who(scope) or who(entry),
        scope.get("database", ""),
        scope.get("access_role", ""),
        entry.get("verdict", ""),
        outcome.get("rows", "") if outcome else "",
        what(entry, outcome),
    )


def what(entry: Entry, end: Entry | None = None) -> str:
    """The statement, or the kind of entry; with what came of it when that was not plain success."""
    text = str(entry.get("text") or "") or str(entry.get("kind", "")).replace("_", " ")
    notes = []
    if entry.get("policies") and entry.get("verdict") != "allow":
        notes.append("rule " + ", ".join(map(str, _sequence(entry["policies"]))))
    if end is not None:
        if end.get("sqlstate"):
            notes.append(f"SQLSTATE {end['sqlstate']}")
        elif end.get("status") not in (None, "ok"):
            notes.append(str(end["status"]))
        masked = [str(_mapping(m).get("column", m)) for m in _sequence(end.get("masked"))]
        if masked:
            notes.append("masked " + ", ".join(masked))
        shown = [str(_mapping(e).get("column", e)) for e in _sequence(end.get("exposed"))]
        if shown:
            notes.append("in clear " + ", ".join(shown))
    for key in ("reason", "vote", "state", "outcome"):
        if isinstance(entry.get(key), str) and entry[key] and "text" not in entry:
            notes.append(f"{key} {entry[key]}")
    return " ".join(text.split()) + (f" [{'; '.join(notes)}]" if notes else "")


def who(holder: Entry) -> str:
    """The identity chain of an entry: the agent, then whom it acts for."""
    found = holder.get("who")
    if isinstance(found, str):
        return found
    chain = _mapping(found)
    name = str(chain.get("name", ""))
    behind = chain.get("on_behalf_of")
    if isinstance(behind, Mapping):
        behind = who({"who": behind})
    if behind:
        name = f"{name} for {behind}"
    asserted = chain.get("asserted_agent") or chain.get("agent")
    return f'{name} ("{asserted}")' if asserted else name


def _index(entry: Entry) -> int | None:
    found = entry.get("index")
    return found if isinstance(found, int) else None


def _is_end(entry: Entry) -> bool:
    return isinstance(entry.get("begin"), int)


def _time(value: object) -> object:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _mapping(value: object) -> Entry:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else []
