"""Where the columns of a query come from, read from PostgreSQL's own parse tree.

A simple target list is followed exactly: through aliases, subqueries, WITH, joins, set operations,
VALUES, RETURNING and `*`. Any other expression carries the classes of all that stands in it. What
cannot be told carries everything protected in the database: masked, never passed.

WHERE, ORDER BY, EXISTS, count() and IS NULL tell something of values without giving them; they
are no way out here, policy judges them as predicates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.masking.carried import CLEAN, Carried, Outputs, Source, computed, either
from dbgate_core.masking.document import edits_itself, member, same_places
from dbgate_core.masking.functions import BLIND, COUNTING, OPEN, PASSING, SETTINGS
from dbgate_core.masking.routines import passes_arguments
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.tree import Node, children, inner, kind, present, strings

MAX_DEPTH: Final = 40
"""Nested queries beyond this carry everything: nobody writes them, and Python's stack is finite."""
_RECURSION_ROUNDS: Final = 4
_VALUE_LEAVES: Final = frozenset({"a_const", "set_to_default", "null_test", "type_name"})
_DML: Final = frozenset({"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})


def query_outputs(node: Node, scope: Scope) -> Outputs:
    """The outputs of a SELECT, VALUES, or DML with RETURNING."""
    if scope.depth > MAX_DEPTH:
        return Outputs(None, scope.anything)
    name = kind(node)
    if name == "select_stmt":
        return _select(node.select_stmt, scope.deeper())
    if name in _DML:
        return _returning(inner(node), scope.deeper())
    return Outputs(None, scope.anything)


def _select(select: Node, scope: Scope) -> Outputs:
    scope = with_queries(select, scope)
    _count(scope, (select.limit_count, select.limit_offset))
    if present(select, "larg"):
        return _set_operation([_select(select.larg, scope), _select(select.rarg, scope)])
    if select.values_lists:
        rows = [[(f"column{number}", expression(item, scope)) for number, item in
                 enumerate(row.list.items, 1)] for row in select.values_lists]  # fmt: skip
        return _set_operation([Outputs.known(row) for row in rows])
    sources, star = from_items(select.from_clause, scope)
    return _targets(select.target_list, scope.within(sources), star)


def _count(scope: Scope, deciding: Iterable[Node]) -> None:
    """Note what decides how many rows there are, where somebody asks for it."""
    if scope.counted is not None:
        scope.counted.extend(expression(node, scope) for node in deciding)


def _set_operation(parts: list[Outputs]) -> Outputs:
    everything = computed(part.everything for part in parts)
    first = parts[0].columns
    if first is None or any(p.columns is None or len(p.columns) != len(first) for p in parts):
        return Outputs(None, everything)
    branches = [part.columns for part in parts if part.columns is not None]
    merged = tuple(
        (name, either(branch[index][1] for branch in branches))
        for index, (name, _) in enumerate(first)
    )
    return Outputs(merged, everything)


def _targets(targets: Iterable[Node], scope: Scope, star: Outputs) -> Outputs:
    columns: list[tuple[str, Carried]] = []
    everything: list[Carried] = []
    countable = True
    for target in targets:
        value = target.res_target.val
        expansion = _expansion(value, scope, star)
        if expansion is None:
            carried = expression(value, scope)
            columns.append((target.res_target.name or column_name(value), carried))
            everything.append(carried)
            continue
        everything.append(expansion.everything)
        countable &= expansion.columns is not None
        columns += expansion.columns or ()
    return Outputs(tuple(columns) if countable else None, computed(everything))


def _expansion(value: Node, scope: Scope, star: Outputs) -> Outputs | None:
    """What `*`, `alias.*` and `(row).*` stand for; None for any other target."""
    if kind(value) == "column_ref":
        path = strings(value.column_ref.fields)
        if path[-1] != "*":
            return None
        if len(path) == 1:
            return star
        found = [source for source in scope.levels[-1] if source.alias == path[-2]]
        return found[0].outputs() if len(found) == 1 else Outputs(None, scope.column(path))
    if kind(value) == "a_indirection" and kind(value.a_indirection.indirection[-1]) == "a_star":
        return Outputs(None, expression(value, scope))
    return None


def column_name(value: Node) -> str:
    """The name that PostgreSQL gives a target without AS (FigureColname in parse_target.c)."""
    name = kind(value)
    if name == "column_ref":
        return strings(value.column_ref.fields)[-1]
    if name == "func_call":
        return strings(value.func_call.funcname)[-1]
    if name == "type_cast":
        below = column_name(value.type_cast.arg)
        return below if below != "?column?" else strings(value.type_cast.type_name.names)[-1]
    if name == "collate_clause":
        return column_name(value.collate_clause.arg)
    if name == "case_expr" and present(value.case_expr, "defresult"):
        below = column_name(value.case_expr.defresult)
        return below if below != "?column?" else "case"
    plain = {
        "case_expr": "case",
        "coalesce_expr": "coalesce",
        "a_array_expr": "array",
        "row_expr": "row",
    }
    return plain.get(name, "?column?")


def with_queries(statement: Node, scope: Scope) -> Scope:
    """The scope within a statement: with its WITH queries."""
    if not present(statement, "with_clause"):
        return scope
    recursive = statement.with_clause.recursive
    for item in statement.with_clause.ctes:
        cte = item.common_table_expr
        names = strings(cte.aliascolnames)
        if recursive:
            outputs = _recursive(cte, names, scope)
        else:
            outputs = _renamed(query_outputs(cte.ctequery, scope), names)
        scope = scope.having(cte.ctename, outputs)
    return scope


def _recursive(cte: Node, names: tuple[str, ...], scope: Scope) -> Outputs:
    """The fixed point: what it carries when it reads itself as it was found the round before."""
    outputs = Outputs((), CLEAN)
    query = cte.ctequery
    if kind(query) == "select_stmt" and present(query.select_stmt, "larg"):
        outputs = _renamed(_select(query.select_stmt.larg, scope.deeper()), names)
    for _ in range(_RECURSION_ROUNDS):
        found = _renamed(query_outputs(query, scope.having(cte.ctename, outputs)), names)
        if found == outputs:
            return outputs
        outputs = found
    return Outputs(None, scope.anything)


def _renamed(outputs: Outputs, names: tuple[str, ...]) -> Outputs:
    if not names or outputs.columns is None:
        return outputs
    renamed = [(name, carried) for name, (_, carried) in zip(names, outputs.columns, strict=False)]
    return Outputs((*renamed, *outputs.columns[len(renamed) :]), outputs.everything)


def from_items(items: Iterable[Node], scope: Scope) -> tuple[tuple[Source, ...], Outputs]:
    """The sources of a FROM list, and what `*` gives."""
    sources: tuple[Source, ...] = ()
    stars: list[Outputs] = []
    for item in items:
        found, star = _from_item(item, scope, sources)
        sources += found
        stars.append(star)
    return sources, _joined(stars)


def _joined(stars: list[Outputs]) -> Outputs:
    everything = computed(star.everything for star in stars)
    columns: list[tuple[str, Carried]] = []
    for star in stars:
        if star.columns is None:
            return Outputs(None, everything)
        columns += star.columns
    return Outputs(tuple(columns), everything)


def _from_item(
    item: Node, scope: Scope, before: tuple[Source, ...]
) -> tuple[tuple[Source, ...], Outputs]:
    name, message = kind(item), inner(item)
    if name == "join_expr":
        return _join(message, scope, before)
    if name == "range_table_sample":
        _count(scope, message.args)
        return _from_item(message.relation, scope, before)
    if name == "range_var":
        alias = message.alias.aliasname if present(message, "alias") else message.relname
        source = scope.relation(message.schemaname, message.relname, alias)
    elif name == "range_subselect":
        outputs = query_outputs(message.subquery, scope.within(before))
        rest = outputs.everything if outputs.columns is None else None
        source = Source(message.alias.aliasname, outputs.columns or (), rest)
    else:
        carried = _generic(message, scope.within(before).deeper())
        source = Source(_alias(message), (), computed([carried]))
    source = _alias_columns(source, message)
    return (source,), source.outputs()


def _alias(message: Node) -> str:
    if present(message, "alias"):
        return str(message.alias.aliasname)
    for child in children(message):
        if kind(child) == "func_call":
            return strings(child.func_call.funcname)[-1]
        if kind(child) == "list":
            return next((column_name(part) for part in child.list.items), "")
    return ""


def _alias_columns(source: Source, message: Node) -> Source:
    """`AS t (a, b)`: the first columns renamed."""
    if not present(message, "alias") or not message.alias.colnames:
        return source
    names = strings(message.alias.colnames)
    if source.rest is not None:
        return Source(source.alias, tuple((name, source.rest) for name in names), source.rest)
    renamed = _renamed(Outputs(source.columns, CLEAN), names)
    return Source(source.alias, renamed.columns or ())


def _join(
    join: Node, scope: Scope, before: tuple[Source, ...]
) -> tuple[tuple[Source, ...], Outputs]:
    left, left_star = _from_item(join.larg, scope, before)
    right, right_star = _from_item(join.rarg, scope, before + left)
    everything = computed([left_star.everything, right_star.everything])
    names = strings(join.using_clause)
    if left_star.columns is None or right_star.columns is None:
        star = Outputs(None, everything)
    else:
        if join.is_natural:
            right_names = {name for name, _ in right_star.columns}
            names = tuple(name for name, _ in left_star.columns if name in right_names)
        both = (*left_star.columns, *right_star.columns)
        merged = tuple((n, either(c for name, c in both if name == n)) for n in names)
        star = Outputs((*merged, *((n, c) for n, c in both if n not in names)), everything)
    if present(join, "alias"):
        rest = everything if star.columns is None else None
        source = _alias_columns(Source(join.alias.aliasname, star.columns or (), rest), join)
        return (source,), source.outputs()
    return left + right, star


def _returning(statement: Node, scope: Scope) -> Outputs:
    """RETURNING gives back what was written: the target's columns carry what was assigned, too."""
    scope = with_queries(statement, scope)
    target, others, star = dml_sources(statement, scope)
    target = _tainted(target, assigned(statement, scope, target, others))
    inside = scope.within((target, *others, *_images(target)))
    targets = _returning_list(statement)
    if not targets:
        return Outputs((), CLEAN)
    return _targets(targets, inside, _joined([target.outputs(), star]))


def dml_sources(statement: Node, scope: Scope) -> tuple[Source, tuple[Source, ...], Outputs]:
    """The target of INSERT, UPDATE, DELETE or MERGE, the other sources, and what `*` gives of those."""
    relation = statement.relation
    alias = relation.alias.aliasname if present(relation, "alias") else relation.relname
    target = scope.relation(relation.schemaname, relation.relname, alias)
    extra: list[Node] = []
    for field in ("from_clause", "using_clause"):
        extra += list(getattr(statement, field, ()))
    if _has(statement, "source_relation"):
        extra.append(statement.source_relation)
    others, star = from_items(extra, scope)
    return target, others, star


def _images(target: Source) -> tuple[Source, ...]:
    """The names of the row before and after, and of the row proposed for insertion."""
    return tuple(Source(alias, target.columns, target.rest) for alias in ("old", "new", "excluded"))


def _has(statement: Node, field: str) -> bool:
    return field in statement.DESCRIPTOR.fields_by_name and present(statement, field)


def _returning_list(statement: Node) -> list[Node]:
    if _has(statement, "returning_clause"):
        return list(statement.returning_clause.exprs)
    return list(getattr(statement, "returning_list", ()))


ANY_COLUMN: Final = ""


def assigned(
    statement: Node, scope: Scope, target: Source, others: tuple[Source, ...]
) -> dict[str, Carried]:
    """What is written to each column of the target; under "" what may go to any."""
    inside = scope.within((target, *others, *_images(target)))
    written: dict[str, list[Carried]] = {ANY_COLUMN: []}
    if _has(statement, "select_stmt"):
        outputs = query_outputs(statement.select_stmt, scope)
        names = tuple(column.res_target.name for column in statement.cols)
        names = names or tuple(name for name, _ in target.columns)
        if outputs.columns is None or len(outputs.columns) > len(names):
            written[ANY_COLUMN].append(outputs.everything)
        for name, (_, carried) in zip(names, outputs.columns or (), strict=False):
            if not same_places(carried, target.column(name)):
                written.setdefault(name, []).append(carried)
    sets = list(getattr(statement, "target_list", ()))
    if _has(statement, "on_conflict_clause"):
        sets += statement.on_conflict_clause.target_list
    for item in sets:
        if edits_itself(item.res_target, target.alias, inside, expression):
            continue
        carried = expression(item.res_target.val, inside)
        written.setdefault(item.res_target.name, []).append(carried)
    for when in getattr(statement, "merge_when_clauses", ()):
        written[ANY_COLUMN].append(_generic(inner(when), inside))
    return {name: computed(parts) for name, parts in written.items()}


def _tainted(source: Source, written: dict[str, Carried]) -> Source:
    anywhere = written[ANY_COLUMN]
    columns = []
    for name, carried in source.columns:
        extra = computed([anywhere, written.get(name, CLEAN)])
        holds = carried.classes >= extra.classes and (extra.clean or carried.document is None)
        known = carried if holds else computed([carried, extra])
        columns.append((name, known))
    rest = computed([source.rest, *written.values()]) if source.rest is not None else None
    return Source(source.alias, tuple(columns), rest)


def expression(node: Node, scope: Scope) -> Carried:
    """What the value of an expression carries."""
    name = kind(node)
    if not name or name in _VALUE_LEAVES:
        return CLEAN
    message = inner(node)
    if name == "param_ref":
        return next(iter(scope.parameters[message.number - 1 : message.number]), CLEAN)
    if name == "column_ref":
        return scope.column(strings(message.fields))
    if name == "a_expr" and (found := _member(node, scope)) is not None:
        return found
    if name == "func_call":
        return _function(message, scope)
    if name == "sub_link":
        return _sub_link(message, scope)
    if name == "case_expr":
        return _case(message, scope)
    if name in ("coalesce_expr", "min_max_expr"):
        return either(expression(argument, scope) for argument in message.args)
    if name == "collate_clause":
        return expression(message.arg, scope)
    if name in ("select_stmt", *_DML):
        return query_outputs(node, scope).everything
    if name == "a_indirection" and _calls_function(message, scope):
        return scope.anything
    return _generic(message, scope)


def _member(node: Node, scope: Scope) -> Carried | None:
    """What one member of a document carries; None where members are not told apart."""
    asked = member(node, scope)
    if asked is None or asked[0].document is None:
        return None
    column, keys = asked
    found = column.document.below(keys) if column.document is not None else None
    if found is None or not found[1]:
        return computed([column])
    return Carried(found[0]) if found[0] else CLEAN


def _calls_function(indirection: Node, scope: Scope) -> bool:
    """`(row).f` calls f(row) when the row has no column f."""
    return any(
        kind(part) == "string" and part.string.sval in scope.catalog.functions
        for part in indirection.indirection
    )


def _generic(message: Node, scope: Scope) -> Carried:
    if message.DESCRIPTOR.name == "FuncCall":
        return _function(message, scope)
    return computed([expression(child, scope) for child in children(message)])


def _function(call: Node, scope: Scope) -> Carried:
    path = strings(call.funcname)
    name = path[-1]
    if _foreign(path, scope) or name in OPEN:
        return scope.anything
    if name in SETTINGS:
        return CLEAN if _plain_setting(call) else scope.anything
    arguments = [expression(argument, scope) for argument in call.args]
    if name in COUNTING and scope.counted is not None:
        scope.counted.extend(arguments)
    if name in BLIND:
        return CLEAN
    if name in PASSING and arguments:
        return either(arguments[:1]) if all(a.clean for a in arguments[1:]) else computed(arguments)
    return computed([*arguments, *(expression(item, scope) for item in call.agg_order)])


def runs_foreign_code(node: Node, scope: Scope) -> bool:
    """Does a query call a function that EXPLAIN might run while it plans."""
    if kind(node) == "func_call":
        path = strings(node.func_call.funcname)
        if _foreign(path, scope) or path[-1] in OPEN:
            return True
    if kind(node) == "range_var":
        if scope.blurred:
            return True
        view = scope.found(node.range_var.schemaname, node.range_var.relname)
        if view is not None and any(name in view.definition for name in scope.catalog.functions):
            return True
    return any(runs_foreign_code(child, scope) for child in children(inner(node)))


def _foreign(path: tuple[str, ...], scope: Scope) -> bool:
    """Is the function another than one of the system's own, so that it may read relations."""
    if len(path) > 1 and path[-2] in ("pg_catalog", "information_schema"):
        return False
    if len(path) == 1 and path[0] not in scope.catalog.functions:
        return False
    as_read = not (scope.blurred or scope.renamed or scope.shadows)
    return not (as_read and passes_arguments(path[-1], scope.catalog))


def _plain_setting(call: Node) -> bool:
    value = call.args[0] if call.args else None
    return value is not None and kind(value) == "a_const" and "." not in value.a_const.sval.sval


def _sub_link(link: Node, scope: Scope) -> Carried:
    """EXISTS gives no value; a scalar subquery gives its column; IN and ANY compare with it."""
    exists, scalar = 1, 5  # SubLinkType EXISTS_SUBLINK, EXPR_SUBLINK (pg_query.proto)
    if link.sub_link_type == exists:
        return CLEAN
    outputs = query_outputs(link.subselect, scope)
    if link.sub_link_type == scalar and outputs.columns is not None and len(outputs.columns) == 1:
        return outputs.columns[0][1]
    tested = [expression(link.testexpr, scope)] if present(link, "testexpr") else []
    return computed([outputs.everything, *tested])


def _case(case: Node, scope: Scope) -> Carried:
    conditions, results = [], []
    if present(case, "arg"):
        conditions.append(expression(case.arg, scope))
    for item in case.args:
        conditions.append(expression(item.case_when.expr, scope))
        results.append(expression(item.case_when.result, scope))
    if present(case, "defresult"):
        results.append(expression(case.defresult, scope))
    if all(condition.clean for condition in conditions):
        return either(results)
    return computed([*conditions, *results])
