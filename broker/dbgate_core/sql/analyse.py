"""A text to its analysis: the one function that judging, recording and masking call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from dbgate_core.catalog import Catalog
from dbgate_core.errors import LimitExceeded
from dbgate_core.sql import definitions, other_definitions, privileges, queries, routines, utilities
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.counting import uncounted
from dbgate_core.sql.effects import Action, Effect
from dbgate_core.sql.following import follow
from dbgate_core.sql.parser import parse
from dbgate_core.sql.searches import searches
from dbgate_core.sql.tree import Node, kind, present
from dbgate_core.sql.walk import Handler, Walk

_BLANKS: Final = " \t\n\r\f\v;"
_HANDLERS: Final[dict[str, Handler]] = {
    **queries.HANDLERS,
    **utilities.HANDLERS,
    **definitions.HANDLERS,
    **routines.HANDLERS,
    **other_definitions.HANDLERS,
    **privileges.HANDLERS,
}
_GIVES_ROWS: Final = frozenset(
    {"explain_stmt", "variable_show_stmt", "fetch_stmt", "execute_stmt", "call_stmt"}
)
_NAMING: Final = frozenset({"prepare_stmt", "declare_cursor_stmt"})
_DML: Final = frozenset({"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})
MAX_STATEMENTS: Final = 10_000
"""Statements in one text; a dump sent as one query has fewer."""


def analyse(
    text: str,
    catalog: Catalog | None = None,
    search_path: tuple[str, ...] = ("public",),
    *,
    settled: bool = True,
) -> Analysis:
    """What the text would do, were it run with that search path.

    `settled` is false while DDL has run that the catalog does not show: no function is then judged
    by its body. Pure. Raises NotParsed for text that PostgreSQL's grammar refuses and LimitExceeded for what
    is too long or nested too deep: such text must not be forwarded. What parses but is not
    understood is an `unknown` effect, and `incomplete`.
    """
    statements = parse(text).stmts
    if len(statements) > MAX_STATEMENTS:
        raise LimitExceeded(f"more than {MAX_STATEMENTS} statements in one text")
    try:
        walks = _walks([raw.stmt for raw in statements], catalog, search_path, settled)
    except RecursionError as exc:
        raise LimitExceeded("a statement nested too deep to be judged") from exc
    reads = _union(walk.reads for walk in walks)
    return Analysis(
        text=text,
        canonical=text.strip(_BLANKS),
        statements=len(statements),
        effects=tuple(dict.fromkeys(effect for walk in walks for effect in walk.effects)),
        reads=reads,
        writes=_union(walk.writes for walk in walks),
        behind=_union(walk.behind for walk in walks),
        functions=_union(walk.functions for walk in walks),
        incomplete=any(walk.incomplete for walk in walks),
        moves_names=any(walk.moves_names for walk in walks),
        changes_schema=any(walk.changes_schema for walk in walks),
        sets_search_path=any(walk.sets_search_path for walk in walks),
        returns_rows=any(_returns_rows(raw.stmt) for raw in statements),
        defines={name: text for walk in walks for name in walk.defines},
        changes=sum(walk.changes for walk in walks),
        uncounted=_uncounted(walks),
        portals=any(walk.portals for walk in walks),
        searches=searches((raw.stmt for raw in statements), catalog, reads, search_path)
        | _union(walk.searches for walk in walks),
    )


_Item = TypeVar("_Item")


def _union(parts: Iterable[set[_Item]]) -> frozenset[_Item]:
    return frozenset[_Item]().union(*parts)


def _walks(
    statements: list[Node], catalog: Catalog | None, search_path: tuple[str, ...], settled: bool
) -> list[Walk]:
    """One walk a statement. A function made by one of them may be called by the next."""
    created: frozenset[str] = frozenset()
    walks = []
    for statement in statements:
        walk = Walk(_HANDLERS, catalog, search_path, created, settled=settled)
        walk.run(statement)
        follow(walk)
        _complete(walk, statement)
        created |= walk.created
        settled = settled and not walk.changes_schema
        walk.uncounted = uncounted(walk, statement)
        walks.append(walk)
    return walks


def _uncounted(walks: list[Walk]) -> str:
    """What of a text nobody counts in time: a transaction that it ends keeps what it changed."""
    if any(walk.changes for walk in walks) and any(
        effect.action is Action.TRANSACTION for walk in walks for effect in walk.effects
    ):
        return "rows changed beside transaction commands in one text"
    return next((walk.uncounted for walk in walks if walk.uncounted), "")


def _complete(walk: Walk, node: Node) -> None:
    """A query that reads no relation is a `select` of nothing; any other silence is `unknown`."""
    name = kind(node)
    query = getattr(node, name).query if name in _NAMING else node
    if kind(query) == "select_stmt" and all(
        found.action is not Action.SELECT for found in walk.effects
    ):
        walk.add(Effect(Action.SELECT))
    if not walk.effects:
        walk.not_understood(name)


def _returns_rows(node: Node) -> bool:
    name = kind(node)
    if name == "select_stmt":
        return not present(node.select_stmt, "into_clause")
    if name in _DML:
        return present(getattr(node, name), "returning_clause")
    return name in _GIVES_ROWS
