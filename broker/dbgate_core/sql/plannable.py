"""What EXPLAIN and approvals may be asked of: questions about a text's own form."""

from __future__ import annotations

from typing import Final

from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Danger
from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import Node, children, inner, kind, present

_PLANNED: Final = frozenset({"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})


def plannable(analysis: Analysis) -> bool:
    """Whether EXPLAIN plans the text and runs nothing of it.

    So it is one statement that is planned, and calls nothing but what is known to be harmless: the
    planner runs functions to see what they give.
    """
    calls = any(e.action is Action.CALL or e.danger is not Danger.NONE for e in analysis.effects)
    if analysis.statements != 1 or analysis.incomplete or calls:
        return False
    statement = parse(analysis.text).stmts[0].stmt
    if kind(statement) == "select_stmt":
        return not present(statement.select_stmt, "into_clause")
    return kind(statement) in _PLANNED


def takes_parameters(analysis: Analysis) -> bool:
    """Whether the text has a `$1`: what it does is then not all in it. Nested too deep counts as yes."""
    try:
        return any(_has_parameter(raw.stmt) for raw in parse(analysis.text).stmts)
    except RecursionError:
        return True


def _has_parameter(node: Node) -> bool:
    if kind(node) == "param_ref":
        return True
    return any(_has_parameter(child) for child in children(inner(node)))
