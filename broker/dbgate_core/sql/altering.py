"""The effect of an ALTER, and which of its forms lose data or switch a protection off."""

from __future__ import annotations

from typing import Final

from dbgate_core.sql.effects import Action, Effect
from dbgate_core.sql.walk import Walk

_DESTRUCTIVE: Final = frozenset(
    {
        "drop column", "alter column type", "drop constraint", "drop expression", "drop identity",
        "detach partition", "detach partition finalize", "disable trigger", "enable replica trigger",
        "disable rule", "enable replica rule", "disable row security", "no force row security",
        "drop inherit", "set unlogged",
    }
)  # fmt: skip
"""Forms of ALTER that lose data or switch a protection off."""


def altered(walk: Walk, name: str, what: str, detail: str, columns: tuple[str, ...] = ()) -> None:
    """Add the effect of altering the object in the way that `detail` names."""
    walk.changes_schema = True
    destructive = detail in _DESTRUCTIVE
    written = frozenset(columns)
    walk.add(Effect(Action.ALTER, name, what, detail=detail, columns=written,
                    destructive=destructive))  # fmt: skip
