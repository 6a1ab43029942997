"""Statements that move protected values to where masking cannot follow them.

A mask looks at what a result carries. A value written into an unprotected column, a setting, a
notification or a large object has left its column, and a later statement would read it in clear.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dbgate_core.catalog import Catalog
from dbgate_core.errors import DbgateError
from dbgate_core.masking.carried import Carried, Source
from dbgate_core.masking.lineage import (
    ANY_COLUMN,
    assigned,
    dml_sources,
    query_outputs,
    runs_foreign_code,
    with_queries,
)
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.tree import Node, children, inner, kind, present, strings
from dbgate_core.sql.parser import parse

SINKS: Final = frozenset(
    {
        "set_config", "pg_notify", "lo_from_bytea", "lo_put", "lowrite", "pg_logical_emit_message",
        "dblink", "dblink_exec", "dblink_send_query", "dblink_connect", "pg_file_write",
    }
)  # fmt: skip
"""Functions that put an argument where another statement or session can read it."""
_WRITES: Final = frozenset({"insert_stmt", "update_stmt", "merge_stmt"})
_HOLDERS: Final = {
    "explain_stmt": "query",
    "prepare_stmt": "query",
    "declare_cursor_stmt": "query",
    "copy_stmt": "query",
}


def hidden_flow(text: str, catalog: Catalog, search_path: tuple[str, ...] = ("public",)) -> str:
    """Why the text would move protected values out of sight; empty when it does not.

    A text that cannot be parsed moves nothing, for it is never forwarded.
    """
    if not catalog.classes:
        return ""
    scope = Scope(catalog, search_path)
    try:
        reasons = (_statement(raw.stmt, scope) for raw in parse(text).stmts)
        return next((reason for reason in reasons if reason), "")
    except DbgateError:
        return ""
    except RecursionError:
        return "the statement is nested too deeply to be followed"


def _statement(node: Node, scope: Scope) -> str:
    name = kind(node)
    if name in _HOLDERS:
        held = inner(node)
        return _statement(held.query, scope) if present(held, _HOLDERS[name]) else ""
    if name == "create_table_as_stmt":
        outputs = query_outputs(node.create_table_as_stmt.query, scope)
        return "" if outputs.everything.clean else "a new table would hold protected values"
    if name == "select_stmt" and present(node.select_stmt, "into_clause"):
        outputs = query_outputs(node, scope)
        return "" if outputs.everything.clean else "a new table would hold protected values"
    return _writes(node, scope) or _sinks(node, scope)


def _writes(node: Node, scope: Scope) -> str:
    """The writes of a statement and of its WITH queries."""
    if kind(node) not in (*_WRITES, "select_stmt", "delete_stmt"):
        return ""
    statement = inner(node)
    scope = with_queries(statement, scope)
    if present(statement, "with_clause"):
        for item in statement.with_clause.ctes:
            if reason := _writes(item.common_table_expr.ctequery, scope):
                return reason
    if kind(node) not in _WRITES:
        return ""
    target, others, _ = dml_sources(statement, scope)
    written = assigned(statement, scope, target, others)
    return next((f"{name or 'a column'} would hold protected values" for name, carried in written.items()
                 if not _may_hold(name, carried, target)), "")  # fmt: skip


def _may_hold(name: str, carried: Carried, target: Source) -> bool:
    """May the column have the value: it carries nothing, or the column is protected itself."""
    if carried.clean:
        return True
    if name == ANY_COLUMN:
        return False
    column = target.column(name)
    return column is not None and bool(column.classes)


def _sinks(node: Node, scope: Scope) -> str:
    calls = [call for call in _calls(node) if strings(call.funcname)[-1] in SINKS]
    if all(_constant(argument) for call in calls for argument in call.args):
        return ""
    if _reads_protected(node, scope):
        return f"{strings(calls[0].funcname)[-1]} would carry protected values away"
    return ""


def _calls(node: Node) -> Iterator[Node]:
    if not kind(node):
        return
    if kind(node) == "func_call":
        yield node.func_call
    for child in children(inner(node)):
        yield from _calls(child)


def _constant(node: Node) -> bool:
    if kind(node) == "type_cast":
        return _constant(node.type_cast.arg)
    return kind(node) in ("a_const", "param_ref")


def _reads_protected(node: Node, scope: Scope) -> bool:
    if runs_foreign_code(node, scope):
        return True
    return any(not source.row.clean for source in _sources(node, scope))


def _sources(node: Node, scope: Scope) -> Iterator[Source]:
    if kind(node) == "range_var":
        relation = node.range_var
        yield scope.relation(relation.schemaname, relation.relname, relation.relname)
    elif kind(node):
        for child in children(inner(node)):
            yield from _sources(child, scope)
