"""Statements that move protected values to where masking cannot follow them.

A mask looks at what a result carries. A value written into an unprotected column, a setting, a
notification or a large object has left its column, and a later statement would read it in clear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from dbgate_core.catalog import Catalog
from dbgate_core.errors import DbgateError
from dbgate_core.masking.body_writes import by_call
from dbgate_core.masking.carried import CLEAN, Carried, Source
from dbgate_core.masking.code import hidden_in_code
from dbgate_core.masking.filled import Filled
from dbgate_core.masking.foreseen import foreseen
from dbgate_core.masking.functions import OPEN, SETTINGS
from dbgate_core.masking.lineage import (
    ANY_COLUMN,
    assigned,
    dml_sources,
    expression,
    from_items,
    query_outputs,
    runs_foreign_code,
    with_queries,
)
from dbgate_core.masking.makes import is_temporary, made_table, makes
from dbgate_core.masking.scope import Scope
from dbgate_core.masking.structure import classed, hidden_change
from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import Node, children, inner, kind, present, strings

SINKS: Final = frozenset(
    {
        "set_config", "pg_notify", "lo_from_bytea", "lo_put", "lowrite", "pg_logical_emit_message",
        "dblink", "dblink_exec", "dblink_send_query", "dblink_connect", "pg_file_write",
        "setval", "setseed", "pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock",
        "pg_try_advisory_lock_shared", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared",
        "pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared", "pg_replication_origin_create",
        "pg_create_logical_replication_slot", "pg_create_physical_replication_slot",
        "pg_create_restore_point",
    }
)  # fmt: skip
"""Functions that put an argument where another statement or session can read it (pg_locks,
a sequence, the order of random() ...)."""
_WRITES: Final = frozenset({"insert_stmt", "update_stmt", "merge_stmt"})
_HOLDERS: Final = {
    "explain_stmt": "query",
    "prepare_stmt": "query",
    "declare_cursor_stmt": "query",
    "copy_stmt": "query",
}


def hidden_flow(
    text: str,
    catalog: Catalog,
    search_path: tuple[str, ...] = ("public",),
    clean: frozenset[str] = frozenset(),
    shadows: frozenset[str] = frozenset(),
    *,
    renamed: bool = False,
    moved: frozenset[str] = frozenset(),
) -> str:
    """Why the text would move protected values out of sight; empty when it does not.

    `renamed`: tables may have been renamed since the catalog was read; columns, too, to the names in `moved`. A text that cannot be parsed
    moves nothing, for it is never forwarded.
    """
    if not catalog.classes:
        return ""
    shadows |= makes(text).temporary_names(shadows)
    scope = Scope(catalog, search_path, clean=clean, shadows=shadows, renamed=renamed, moved=moved)
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
    target = _new_table(node)
    if target is not None and not is_temporary(target):
        query = node.create_table_as_stmt.query if name == "create_table_as_stmt" else node
        outputs = query_outputs(query, scope)
        return "" if outputs.everything.clean else "a new table would hold protected values"
    reasons = (check(node, scope) for check in (_code, _writes, _calling, _sinks, _amount))
    return next((reason for reason in reasons if reason), "")


def _code(node: Node, scope: Scope) -> str:
    """What DDL changes, and what rules and functions of SQL would do whenever they run."""
    if kind(node) == "rule_stmt":
        relation = node.rule_stmt.relation
        rows = tuple(
            scope.relation(relation.schemaname, relation.relname, alias) for alias in ("old", "new")
        )
        inside = scope.within(rows)
        return next(
            filter(None, (_statement(action, inside) for action in node.rule_stmt.actions)), ""
        )
    code = kind(node) in ("create_function_stmt", "do_stmt")
    if code and (reason := hidden_in_code(node, scope, _in_code)):
        return reason
    if kind(node) == "create_function_stmt":
        return next(filter(None, (_statement(found, scope) for found in _body(node))), "")
    return hidden_change(node, scope)


def _in_code(node: Node, scope: Scope) -> str:
    """As `_statement`, where a variable may hold anything that was read before."""
    calls = (call for call in _calls(node) if strings(call.funcname)[-1] in SINKS)
    called = [call for call in calls if not all(map(_constant, call.args))]
    if called:
        return f"{strings(called[0].funcname)[-1]} would carry them away"
    made = node.view_stmt.view if kind(node) == "view_stmt" else _new_table(node)
    if made is not None and is_temporary(made):  # nobody saw its name, which may be a plain table's
        return f"{made.relname} would hold them"
    return _statement(node, scope)


def _body(node: Node) -> Iterator[Node]:
    """The statements of a function of SQL. Raises what `parse` raises."""
    create = node.create_function_stmt
    options = {item.def_elem.defname: item.def_elem for item in create.options}
    language = options["language"].arg.string.sval.lower() if "language" in options else "sql"
    if language == "sql" and "as" in options:
        yield from (raw.stmt for raw in parse(options["as"].arg.list.items[0].string.sval).stmts)
    if present(create, "sql_body"):
        yield from _held(create.sql_body)


def _held(node: Node) -> Iterator[Node]:
    """The statements within the lists of BEGIN ATOMIC ... END, or the expression of RETURN."""
    if kind(node) == "list":
        for item in node.list.items:
            yield from _held(item)
    else:
        yield node


def _amount(node: Node, scope: Scope) -> str:
    """How many rows there are tells a value by which they are counted off or cut."""
    if kind(node) != "select_stmt":
        return ""
    counted: list[Carried] = []
    query_outputs(node, replace(scope, counted=counted))
    if all(carried.clean for carried in counted):
        return ""
    return "the number of rows would tell a protected value"


@foreseen
def taints(
    text: str,
    catalog: Catalog,
    search_path: tuple[str, ...],
    clean: frozenset[str],
    shadows: frozenset[str] = frozenset(),
) -> bool:
    """Whether the text may put protected values into a temporary table.

    It may when it writes, and reads anything that is not clean. Foreign code is not followed here: a
    statement that runs any has a `call` or `do` effect.
    """
    if not catalog.classes:
        return False
    scope = Scope(catalog, search_path, clean=clean, shadows=shadows)
    try:
        return any(_taints(raw.stmt, scope) for raw in parse(text).stmts)
    except (DbgateError, RecursionError):
        return True


def _taints(node: Node, scope: Scope) -> bool:
    if kind(node) in _HOLDERS:
        held = inner(node)
        name = _HOLDERS[kind(node)]
        return present(held, name) and _taints(getattr(held, name), scope)
    if _new_table(node) is None and not any(_written(node)):
        return False
    opened = any(strings(call.funcname)[-1] in OPEN | SETTINGS for call in _calls(node))
    return opened or _reads_protected(node, scope)


def _written(node: Node) -> Iterator[Node]:
    """The INSERT, UPDATE and MERGE statements at or below a node."""
    if kind(node) in _WRITES:
        yield node
    if kind(node):
        for child in children(inner(node)):
            yield from _written(child)


def _new_table(node: Node) -> Node | None:
    """The RangeVar of the table that CREATE TABLE AS or SELECT INTO makes and fills."""
    return None if kind(node) == "create_stmt" else made_table(node)[0]


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
    if _is_new(statement.relation, scope):
        known = target if scope.renamed else _by_name(statement, target, others, scope)
        return _written_to_new(
            statement.relation.relname, assigned(statement, scope, known, others)
        )
    written = assigned(statement, scope, target, others)
    if (
        scope.shadows or scope.renamed
    ):  # the path may find the real one; what it holds is what it held
        real = replace(scope, shadows=frozenset(), clean=frozenset(), renamed=False)
        target, _, _ = dml_sources(statement, real)
    for name, carried in written.items():
        moved = scope.is_moved(name) and not carried.clean
        if moved or not _may_hold(name, carried, target):
            return f"{name or 'a column'} would hold protected values"
    return ""


def _calling(node: Node, scope: Scope) -> str:
    """What functions write that the statement calls, given what it gives them."""
    if kind(node) == "create_function_stmt":
        return ""
    simple = kind(node) == "select_stmt" and sum(1 for _ in _below(node, "select_stmt")) == 1
    inside = scope.within(from_items(node.select_stmt.from_clause, scope)[0]) if simple else scope
    filled = Filled(replace(scope, counted=None))
    for call in _calls(node):
        by_call(call, [expression(argument, inside) for argument in call.args], filled)
    for (oid, column), classes in filled.fills.items():
        relation = scope.catalog.by_oid(oid)
        held = relation.column(column) if relation is not None else None
        if held is None or not held.classes or held.document is not None:
            name = relation.name if relation is not None else "a relation"
            return f"a function would write {', '.join(sorted(classes))} to {name}"
    return ""


def _is_new(relation: Node, scope: Scope) -> bool:
    """Is it an ordinary table that the catalog does not have yet.

    What a temporary table holds is masked for good; this one will be known by its columns' names.
    """
    temporary = relation.schemaname == "pg_temp" or (
        not relation.schemaname and relation.relname in scope.shadows
    )
    return not temporary and scope.found(relation.schemaname, relation.relname) is None


def _by_name(statement: Node, target: Source, others: tuple[Source, ...], scope: Scope) -> Source:
    """The new table, what is named in the statement taken for its columns, classed as they will be."""
    if any(other.rest is not None for other in others):
        return target  # a name may be one of the other's
    if (
        _fills_by_place(statement)
        and not query_outputs(statement.select_stmt, scope).everything.clean
    ):
        return target  # nobody knows which column is the first
    table = statement.relation.relname
    mentioned = [strings(ref.fields) for ref in _mentioned(statement)]
    names = dict.fromkeys(path[-1] for path in mentioned if path and path[-1] not in ("*", table))
    columns = [(n, scope.anything if classed(table, n) else CLEAN) for n in names]
    return Source(target.alias, tuple(columns), target.rest)


def _fills_by_place(statement: Node) -> bool:
    """Is it an INSERT without a list of columns."""
    return statement.DESCRIPTOR.name == "InsertStmt" and not statement.cols


def _mentioned(message: Node) -> Iterator[Node]:
    for child in children(message):
        yield from _below(child, "column_ref")


def _written_to_new(table: str, written: Mapping[str, Carried]) -> str:
    for name, carried in written.items():
        if not carried.clean and not (name and classed(table, name)):
            return f"{name or 'a column'} of a table that is new would hold protected values"
    return ""


def _may_hold(name: str, carried: Carried, target: Source) -> bool:
    """May the column have the value: it carries nothing, or the column is protected itself.

    Of a document some members are shown, and nobody knows into which a value goes.
    """
    if carried.clean:
        return True
    if name == ANY_COLUMN:  # of a temporary table that is masked, every column is
        return target.rest is not None and bool(target.rest.classes)
    column = target.column(name)
    return column is not None and bool(column.classes) and column.document is None


def _sinks(node: Node, scope: Scope) -> str:
    calls = [call for call in _calls(node) if strings(call.funcname)[-1] in SINKS]
    arguments = [argument for call in calls for argument in call.args]
    if all(map(_constant, arguments)) or _all_clean(arguments, node, scope):
        return ""
    if _reads_protected(node, scope):
        return f"{strings(calls[0].funcname)[-1]} would carry protected values away"
    return ""


def _all_clean(arguments: list[Node], node: Node, scope: Scope) -> bool:
    """Are they plain columns that are not protected, as in `WHERE pg_try_advisory_lock(id)`.

    Asked of a single query without WITH and subqueries only: there every name is the FROM list's.
    """
    if kind(node) != "select_stmt" or sum(1 for _ in _below(node, "select_stmt")) > 1:
        return False
    sources, _ = from_items(node.select_stmt.from_clause, scope)
    inside = scope.within(sources)
    return all(_constant(a) or (_column(a) and expression(a, inside).clean) for a in arguments)


def _column(node: Node) -> bool:
    if kind(node) == "type_cast":
        return _column(node.type_cast.arg)
    return kind(node) == "column_ref"


def _calls(node: Node) -> Iterator[Node]:
    return _below(node, "func_call")


def _below(node: Node, name: str) -> Iterator[Node]:
    """The messages of that kind at or below a node."""
    if not kind(node):
        return
    if kind(node) == name:
        yield inner(node)
    for child in children(inner(node)):
        yield from _below(child, name)


def _constant(node: Node) -> bool:
    if kind(node) == "type_cast":
        return _constant(node.type_cast.arg)
    return kind(node) in ("a_const", "param_ref")


def _reads_protected(node: Node, scope: Scope) -> bool:
    if runs_foreign_code(node, scope) or any(_below(node, "execute_stmt")):
        return True
    return any(not source.row.clean for source in _sources(node, scope))


def _sources(node: Node, scope: Scope) -> Iterator[Source]:
    if kind(node) == "range_var":
        relation = node.range_var
        yield scope.relation(relation.schemaname, relation.relname, relation.relname)
    elif kind(node):
        for child in children(inner(node)):
            yield from _sources(child, scope)
