"""The words of a decision: templates of rules, defaults, and the command that asks for approval.

A template's placeholders (`{object}`, `{database}` ...) are read once, when the rules are loaded,
and filled in one pass: a name that itself looks like a placeholder stays as it is.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from string import Formatter
from typing import Final

from dbgate_core.database import DatabaseFacts
from dbgate_core.errors import UsageError
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Effect, Predicate

PLACEHOLDERS: Final = frozenset(
    {"action", "database", "detail", "doing", "environment", "kind", "object", "principal", "role"}
)
MAX_NAME_CHARS: Final = 80
"""Names come from statements; longer ones are shortened so that a message stays a line."""
MAX_INLINE_CHARS: Final = 200
"""A longer statement is not repeated in a command, it goes by file."""

_GERUNDS: Final[Mapping[Action, str]] = {
    Action.SELECT: "reading",
    Action.INSERT: "inserting into",
    Action.UPDATE: "updating",
    Action.DELETE: "deleting from",
    Action.TRUNCATE: "emptying",
    Action.MERGE: "merging into",
    Action.CREATE: "creating",
    Action.ALTER: "altering",
    Action.DROP: "dropping",
    Action.GRANT: "changing privileges on",
    Action.SET: "setting",
    Action.CALL: "calling",
    Action.COPY_IN: "copying into",
    Action.COPY_OUT: "copying out of",
    Action.DO: "running a block of code",
    Action.LISTEN: "listening on",
    Action.TRANSACTION: "controlling the transaction",
    Action.UTILITY: "running a utility on",
    Action.UNKNOWN: "running what dbgate does not fully understand",
}


class Template:
    """A rule's message or hint. Raises UsageError for a placeholder that does not exist."""

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[str, str | None]] = []
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as exc:
            raise UsageError(f"{text!r} is not readable: {exc}; write {{{{ for a brace") from exc
        for literal, name, spec, conversion in parsed:
            if name is not None and (name not in PLACEHOLDERS or spec or conversion):
                known = ", ".join(sorted(PLACEHOLDERS))
                raise UsageError(f"{{{name}}} is no placeholder; there are {known}")
            self._parts.append((literal, name))

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with its placeholders filled in."""
        return "".join(
            literal + ("" if name is None else values[name]) for literal, name in self._parts
        )


def clean(name: str) -> str:
    """A name from a statement or token as it may stand in a message: one line, not too long."""
    line = "".join(char if char.isprintable() else "?" for char in name)
    return line if len(line) <= MAX_NAME_CHARS else line[: MAX_NAME_CHARS - 1] + "…"


def doing(effect: Effect) -> str:
    """The effect as a gerund: `dropping the table shop.orders`."""
    if effect.action in (Action.UNKNOWN, Action.DO):
        return _GERUNDS[effect.action]
    if effect.action in (Action.UTILITY, Action.TRANSACTION, Action.LISTEN) and effect.detail:
        on = f" on {clean(effect.object)}" if effect.object else ""
        return f"running {clean(effect.detail)}{on}"
    rows = effect.predicate in (Predicate.ABSENT, Predicate.TRIVIAL)
    kind = clean(effect.kind) if effect.kind and not effect.kind.startswith("setting") else ""
    named = clean(effect.object)
    object_ = " ".join(part for part in ("the" if kind else "", kind, named) if part)
    phrase = _GERUNDS[effect.action] + (" every row of " if rows else " ")
    if effect.action is Action.DELETE and rows:
        phrase = "deleting every row of "
    detail = f" ({clean(effect.detail)})" if effect.detail else ""
    return phrase + (object_ or "something") + detail


def values(
    principal: str, database: DatabaseFacts | None, access_role: str, effect: Effect | None
) -> dict[str, str]:
    """What placeholders stand for."""
    return {
        "principal": clean(principal),
        "database": clean(database.name) if database else "dbgate",
        "environment": clean(database.environment) if database else "",
        "role": clean(access_role),
        "action": str(effect.action) if effect else "",
        "doing": doing(effect) if effect else "",
        "object": clean(effect.object) if effect else "",
        "kind": clean(effect.kind) if effect else "",
        "detail": clean(effect.detail) if effect else "",
    }


def ask_for_role(database: str, access_role: str) -> str:
    """The command that asks for an access role."""
    where = f"{shlex.quote(database)} --role {shlex.quote(access_role)}"
    return f"dbgate request-approval {where} --reason '...'"


def open_in_role(database: str, access_role: str) -> str:
    """The command that opens a session in an access role."""
    return f"dbgate connect {shlex.quote(database)} --role {shlex.quote(access_role)}"


def ask_for_statement(
    database: str, access_role: str, analysis: Analysis, session_role: str
) -> str:
    """The command that asks for this one statement, to be run in a session of `access_role`."""
    text = analysis.canonical
    inline = len(text) <= MAX_INLINE_CHARS and text.isprintable()
    statement = f"--statement {shlex.quote(text)}" if inline else "--statement-file FILE"
    where = f"{shlex.quote(database)} --role {shlex.quote(access_role)}"
    command = f"dbgate request-approval {where} {statement} --reason '...'"
    if not inline:
        command += " (FILE holds the statement as it was sent)"
    if access_role != session_role:
        command += f", then run it in: dbgate connect {where}"
    return command
