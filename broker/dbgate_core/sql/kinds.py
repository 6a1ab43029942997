"""Kinds of statements, for counting: the actions in seven groups, from the lightest to the weightiest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.sql.effects import Action, Effect

KIND_OF: Final = {
    Action.SET: "session",
    Action.LISTEN: "session",
    Action.TRANSACTION: "session",
    Action.UTILITY: "session",
    Action.SELECT: "read",
    Action.COPY_OUT: "read",
    Action.CALL: "code",
    Action.DO: "code",
    Action.INSERT: "write",
    Action.UPDATE: "write",
    Action.DELETE: "write",
    Action.MERGE: "write",
    Action.COPY_IN: "write",
    Action.TRUNCATE: "write",
    Action.CREATE: "schema",
    Action.ALTER: "schema",
    Action.DROP: "schema",
    Action.GRANT: "privilege",
    Action.UNKNOWN: "unknown",
}
KINDS: Final = ("session", "read", "code", "write", "schema", "privilege", "unknown")
_WEIGHT: Final = {action: KINDS.index(kind) for action, kind in KIND_OF.items()}


def kind_of(effects: Iterable[Effect]) -> str:
    """The kind of the weightiest effect; `session` when there is none, as of an empty text."""
    return KINDS[max((_WEIGHT[effect.action] for effect in effects), default=0)]
