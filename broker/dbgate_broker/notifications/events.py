"""What is told, and in which words: an entry of the log to a notification. Values in, values out.

Never a statement's text, a parameter or a value: a notification leaves the company. Whoever decides
looks at the statement with `dbgate requests show`, where policy says who may see it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from dbgate_core.holds import one_line

Entry = Mapping[str, object]

MAX_WORDS_CHARS: Final = 300
"""Of one line. A reason may be longer; the request has all of it."""
MAX_SHOWN: Final = 20
"""Effects or columns in one notification; what is more is counted."""


class Event(StrEnum):
    """What may be told. All but the last bear the name of the entry that they tell of."""

    REQUEST_CREATED = "request_created"
    REQUEST_DECIDED = "request_decided"
    CLASSES_CHANGED = "classes_changed"
    SEARCH_SERIES = "search_series"
    LOG_FAILED = "log_failed"


@dataclass(frozen=True, slots=True)
class Notification:
    """One that is told: `title` and `lines` for people, `data` for programs. `id` stays in every try."""

    id: str
    event: str
    at: datetime
    title: str
    lines: tuple[str, ...]
    data: Mapping[str, object]

    @property
    def database(self) -> str:
        """Empty when it is of no one database."""
        return str(self.data.get("database", ""))

    @property
    def environment(self) -> str:
        """Of that database."""
        return str(self.data.get("environment", ""))


def notification(event: Event, entry: Entry, id: str, at: datetime) -> Notification | None:
    """What an entry of this kind tells; None when it is nothing to tell."""
    scope = entry.get("scope")
    known = {**scope, **entry} if isinstance(scope, Mapping) else entry
    told = _TELL[event](known)
    if told is None:
        return None
    title, lines, data = told
    where = {name: known[name] for name in ("database", "environment") if known.get(name)}
    shown = tuple(safe(line) for line in lines if line)
    return Notification(id, event.value, at, safe(title), shown, where | data)


def trial(id: str, at: datetime) -> Notification:
    """What tells a channel that it works."""
    said = "a test of dbgate's notifications"
    return Notification(id, "test", at, said, ("nothing is to be done",), {})


def safe(text: str) -> str:
    """Others' words as they may stand in a chat: one line, without what it takes for markup or a call to people."""
    line = one_line(text, MAX_WORDS_CHARS).translate(_MARKUP)
    return re.sub(r"(?<!\w)@", "＠", line)  # noqa: RUF001 - looks like one, and calls nobody


_MARKUP: Final = str.maketrans({"<": "‹", ">": "›", "`": "'", "[": "(", "]": ")"})  # noqa: RUF001

_Told = tuple[str, Sequence[str], dict[str, object]]


def _requested(known: Entry) -> _Told:
    request, statement = known["request"], bool(known.get("digest"))
    names = ("request", "requester", "access_role", "approval", "reason", "digest", "effects",
             "estimated_rows", "expires_at")  # fmt: skip
    what = "one statement on" if statement else f"{known['access_role']} on"
    effects = cast("Sequence[str]", known.get("effects", ()))
    rows = known.get("estimated_rows")
    return (
        f"{_name(known['requester'])} asks for {what} {_place(known)}",
        [
            f"reason: {known['reason']}",
            f"what it does: {_list(effects)}" if effects else "",
            f"rows, as the planner expects: {rows}" if rows is not None else "",
            f"to be approved by {known['approval']}, until {known['expires_at']}",
            f"dbgate requests show {request}",
            f"dbgate approve {request}",
            f"dbgate deny {request}",
        ],
        _data(known, names),
    )


def _decided(known: Entry) -> _Told:
    by = known.get("by")
    whose = f"{_name(known['requester'])}'s request {known['request']} for {_place(known)}"
    return (
        f"{whose} is {known['state']}" + (f" by {_name(by)}" if by else ""),
        [f"dbgate requests show {known['request']}"],
        _data(known, ("request", "requester", "access_role", "approval", "digest", "state", "by",
                      "window_ends_at")),
    )  # fmt: skip


def _classes(known: Entry) -> _Told | None:
    """Only of columns that are to be masked now: a new column without a class asks nothing of anybody."""
    changes = cast("Sequence[Mapping[str, Any]]", known["changes"])
    classed = [one for one in changes if one["after"]]
    if not classed:
        return None
    named = [f"{_column(one)} is {', '.join(one['after'])}" for one in classed[:MAX_SHOWN]]
    names = ("column", "path", "before", "after", "new")
    data = [{name: one[name] for name in names} for one in classed[:MAX_SHOWN]]
    hidden = len(classed) - len(named)
    return (
        f"protected columns appeared in {_place(known)}: {len(classed)}",
        [*named, f"and {hidden} more" if hidden else "",
         f"dbgate databases classify {known['database']}"],
        {"changes": data, "count": len(classed)},
    )  # fmt: skip


def _series(known: Entry) -> _Told:
    minutes = cast("int", known["window_s"]) // 60
    return (
        f"{_name(known['who'])} searches by parts of {known['column']} in series"
        f" on {_place(known)}",
        [
            f"{known['searches']} searches within {minutes} minutes in session {known['session']}",
            f"dbgate audit show {known['session']}",
            f"dbgate sessions kill {known['session']}",
        ],
        _data(known, ("session", "who", "access_role", "column", "searches", "window_s")),
    )


def _log_failed(known: Entry) -> _Told:
    return (
        "the audit log cannot be written: statements and sessions are refused",
        [str(known["why"]), "see its disk, and the broker's own log"],
        _data(known, ("why",)),
    )


_TELL: Final[Mapping[Event, Callable[[Entry], _Told | None]]] = {
    Event.REQUEST_CREATED: _requested,
    Event.REQUEST_DECIDED: _decided,
    Event.CLASSES_CHANGED: _classes,
    Event.SEARCH_SERIES: _series,
    Event.LOG_FAILED: _log_failed,
}


def _data(known: Entry, names: Sequence[str]) -> dict[str, object]:
    return {name: known[name] for name in names if known.get(name) is not None}


def _name(who: object) -> str:
    """A person, or an agent and whom it acts for."""
    if not isinstance(who, Mapping):
        return "somebody"
    said = str(who["name"])
    if who.get("asserted_agent"):
        said = f"{who['asserted_agent']} (as {said} says)"
    return f"{said} for {_name(who['on_behalf_of'])}" if "on_behalf_of" in who else said


def _place(known: Entry) -> str:
    environment = known.get("environment")
    return f"{known['database']}" + (f" ({environment})" if environment else "")


def _column(change: Mapping[str, Any]) -> str:
    return f"{change['column']} {change['path']}".strip()


def _list(words: Sequence[str]) -> str:
    more = len(words) - MAX_SHOWN
    return "; ".join(words[:MAX_SHOWN]) + (f"; and {more} more" if more > 0 else "")
