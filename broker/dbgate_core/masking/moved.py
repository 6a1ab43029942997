"""Which names of columns mean another one, once a text has renamed columns."""

from __future__ import annotations

from typing import Final

from dbgate_core.errors import DbgateError
from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import kind

ALL_NAMES: Final = frozenset({""})
"""Nobody knows which."""


def moved_columns(text: str) -> frozenset[str]:
    """The names that RENAME gives to columns; `ALL_NAMES` where code does it."""
    try:
        nodes = [raw.stmt for raw in parse(text).stmts]
    except DbgateError:
        return ALL_NAMES
    if any(kind(node) in ("do_stmt", "call_stmt", "select_stmt") for node in nodes):
        return ALL_NAMES
    return frozenset(node.rename_stmt.newname for node in nodes if kind(node) == "rename_stmt")
