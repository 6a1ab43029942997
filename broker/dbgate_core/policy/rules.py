"""A policy as dbgate reads it: Cedar's condition, and the annotations around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dbgate_core.approval.quorum import Quorum
from dbgate_core.decision import NO_LIMITS, SessionLimits
from dbgate_core.errors import UsageError
from dbgate_core.masking.styles import PARTIAL_FOR_ALL, MaskStyles, parse_styles
from dbgate_core.policy.cedar import Json
from dbgate_core.policy.words import Template

LEXING_RULE: Final = "lexing-settings"
"""The one rule that is not in the files: see `dbgate_core.policy.engine`."""

OF_SESSIONS: Final = {
    "session_statements": "statements",
    "session_rows": "rows",
    "session_bytes": "row_bytes",
    "statement_seconds": "timeout_s",
    "rows_affected": "rows_affected",
    "day_statements": "day_statements",
    "day_rows": "day_rows",
    "day_bytes": "day_row_bytes",
}
"""The limits of a session by the annotation that sets them, on a permit of `connect`."""
OF_PERMIT: Final = frozenset({"id", "rows", "mask", "free_text", *OF_SESSIONS})
OF_FORBID: Final = frozenset({"id", "approval", "message", "hint", "role", "mode"})
_OBSERVE: Final = "observe"
_FREE_TEXT: Final = "mask"
_ID_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_MAX_ID_CHARS: Final = 80
_MAX_NUMBER: Final = 10**9


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy.

    `order` is its place: by file name, then as written; `place` is where to look (`file:line`).
    `approval` and `role` stand on forbids that another person may lift; `rows`, `styles`
    (of masks), `free_text` and `limits` (of sessions) on permits. A rule
    that `observes` is a forbid that stops nothing: what it would have stopped is recorded.
    """

    id: str
    order: int
    forbids: bool
    approval: Quorum | None = None
    role: str = ""
    rows: int | None = None
    message: Template | None = None
    hint: Template | None = None
    observes: bool = False
    limits: SessionLimits = NO_LIMITS
    styles: MaskStyles = PARTIAL_FOR_ALL
    free_text: bool = False
    place: str = field(default="", compare=False)


def read_rule(policy: Json, order: int, place: str) -> tuple[Rule | None, list[str]]:
    """The rule of a policy, or None and everything that is wrong with its annotations."""
    notes: dict[str, str] = {k: v or "" for k, v in policy.get("annotations", {}).items()}
    forbids = policy["effect"] == "forbid"
    errors = _misplaced(notes, forbids)
    rule_id = notes.get("id", "")
    if not rule_id:
        errors.append('has no @id("...")')
    elif not set(rule_id) <= _ID_CHARS or len(rule_id) > _MAX_ID_CHARS:
        errors.append(f"the @id {rule_id!r} is not made of a-z, 0-9, -, _ and .")
    elif rule_id == LEXING_RULE:
        errors.append(f"the @id {LEXING_RULE!r} is dbgate's own")
    if "role" in notes and "approval" not in notes:
        errors.append("@role says where an approved statement runs: it needs @approval")
    if notes.get("mode", _OBSERVE) != _OBSERVE:
        errors.append(f'@mode is "{_OBSERVE}", or not there: the rule then counts')
    if notes.get("free_text", _FREE_TEXT) != _FREE_TEXT:
        errors.append(f'@free_text is "{_FREE_TEXT}", or not there: texts are then shown')
    found = _values(notes, errors)
    limits = _limits(notes, errors)
    styles = _styles(notes, errors)
    if errors:
        return None, errors
    rule = Rule(
        rule_id,
        order,
        forbids,
        *found,
        observes="mode" in notes,
        limits=limits,
        styles=styles,
        free_text="free_text" in notes,
        place=place,
    )
    return rule, []


def _misplaced(notes: dict[str, str], forbids: bool) -> list[str]:
    """An annotation that does nothing is a mistake that would not be noticed."""
    errors = []
    for name in sorted(notes):
        if name not in OF_PERMIT | OF_FORBID:
            errors.append(f"the annotation @{name} does not exist")
        elif name not in (OF_FORBID if forbids else OF_PERMIT):
            errors.append(f"@{name} belongs on a {'permit' if forbids else 'forbid'}")
        elif not notes[name].strip():
            errors.append(f"@{name} is empty")
    return errors


def _values(
    notes: dict[str, str], errors: list[str]
) -> tuple[Quorum | None, str, int | None, Template | None, Template | None]:
    approval = message = hint = None
    try:
        approval = Quorum.parse(notes["approval"]) if "approval" in notes else None
    except UsageError as exc:
        errors.append(f"@approval: {exc.message}")
    templates: dict[str, Template] = {}
    for name in ("message", "hint"):
        try:
            if name in notes:
                templates[name] = Template(notes[name])
        except UsageError as exc:
            errors.append(f"@{name}: {exc.message}")
    message, hint = templates.get("message"), templates.get("hint")
    return approval, notes.get("role", ""), _number(notes, "rows", errors), message, hint


def _limits(notes: dict[str, str], errors: list[str]) -> SessionLimits:
    return SessionLimits(
        **{name: _number(notes, note, errors) for note, name in OF_SESSIONS.items()}
    )


def _styles(notes: dict[str, str], errors: list[str]) -> MaskStyles:
    if not notes.get("mask", "").strip():
        return PARTIAL_FOR_ALL
    styles, wrong = parse_styles(notes["mask"])
    errors += [f"@mask: {reason}" for reason in wrong]
    return styles


def _number(notes: dict[str, str], name: str, errors: list[str]) -> int | None:
    text = notes.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) <= _MAX_NUMBER:
        return int(text)
    errors.append(f"@{name}: {text!r} is not a number from 1 to {_MAX_NUMBER}")
    return None
