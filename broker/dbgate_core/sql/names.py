"""Which names of prepared statements and portals a text moves.

PREPARE and DEALLOCATE share their names with the protocol's Parse, DECLARE and CLOSE with its Bind
(PostgreSQL documentation, "Extended Query"): after them a name may mean something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.pgwire.guard import Moved, Names
from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import Node, kind

_DISCARD_ALL: Final = 1  # DiscardMode
_EVERYTHING: Final = Moved(None, None)


def moved(text: str) -> Moved:
    """The names that the text's statements move. Raises what `parse` raises."""
    every = [_of(raw.stmt) for raw in parse(text).stmts]
    return Moved(_union(m.statements for m in every), _union(m.portals for m in every))


def execute_of(name: str) -> str:
    """The EXECUTE of a prepared statement."""
    quoted = name.replace('"', '""')
    return f'execute "{quoted}"'


def _of(node: Node) -> Moved:
    match kind(node):
        case "prepare_stmt":
            return Moved(statements=frozenset({node.prepare_stmt.name}))
        case "deallocate_stmt":
            return Moved(statements=_named(node.deallocate_stmt.name))
        case "declare_cursor_stmt":
            return Moved(portals=frozenset({node.declare_cursor_stmt.portalname}))
        case "close_portal_stmt":
            return Moved(portals=_named(node.close_portal_stmt.portalname))
        case "discard_stmt":
            return _EVERYTHING if node.discard_stmt.target == _DISCARD_ALL else Moved()
        case _:
            return Moved()


def _named(name: str) -> Names:
    """One name; without it the command means all."""
    return frozenset({name}) if name else None


def _union(parts: Iterable[Names]) -> Names:
    listed = list(parts)
    known = [names for names in listed if names is not None]
    return frozenset().union(*known) if len(known) == len(listed) else None
