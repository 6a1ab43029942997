"""SELECT, INSERT, UPDATE, DELETE and MERGE, and what stands inside their expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from dbgate_core.errors import LimitExceeded
from dbgate_core.sql.effects import Action, Effect, Predicate, Relation
from dbgate_core.sql.functions import ATTRIBUTE_CALLS, NOTIFY, SEQUENCE_WRITERS, SET_CONFIG
from dbgate_core.sql.predicates import judge_predicate
from dbgate_core.sql.settings import SEARCH_PATH, setting_effect
from dbgate_core.sql.target import Target, target_of
from dbgate_core.sql.tree import Node, kind, present, strings
from dbgate_core.sql.walk import NO_CTES, Handler, Scope, Walk

MAX_WITH_QUERIES: Final = 2_000
"""Of a statement. Each is looked at with the names of those before it, which grows with the square."""
_TABLESAMPLE: Final = frozenset({"system", "bernoulli"})
_SKIP_SELECT: Final = frozenset({"with_clause", "into_clause", "locking_clause"})
_SKIP_PINNED: Final = _SKIP_SELECT | {"target_list"}
_SKIP_DML: Final = frozenset({"with_clause", "relation", "cols"})
_UPDATES, _INSERTS, _DELETES, _NOTHING = 3, 4, 5, 8  # CmdType
_BY_SOURCE: Final = 2  # MergeMatchKind
_ON_CONFLICT_UPDATE: Final = 3  # OnConflictAction
_OPERATOR: Final = 1  # A_Expr_Kind
_TEMPORARY: Final = "temporary"


def with_queries(walk: Walk, statement: Node, scope: Scope) -> Mapping[str, Node]:
    """The scope within a statement: with the WITH queries that it sees, each pushed once.

    A WITH query sees those before it; with RECURSIVE, itself and all of them.
    """
    ctes = scope or NO_CTES
    if not present(statement, "with_clause"):
        return ctes
    clause = statement.with_clause
    queries = [item.common_table_expr for item in clause.ctes]
    walk.with_queries += len(queries)
    if walk.with_queries > MAX_WITH_QUERIES:
        raise LimitExceeded(f"more than {MAX_WITH_QUERIES} WITH queries in a statement")
    if clause.recursive:
        ctes = {**ctes, **{query.ctename: query.ctequery for query in queries}}
    for query in queries:
        walk.push(query.ctequery, ctes)
        if not clause.recursive:
            ctes = {**ctes, query.ctename: query.ctequery}
    return ctes


def _select(walk: Walk, select: Node, scope: Scope) -> None:
    ctes = with_queries(walk, select, scope)
    if present(select, "into_clause"):
        into_relation(walk, select.into_clause)
    if select.locking_clause:
        for item in from_relations(select.from_clause):
            if item.schemaname or item.relname not in ctes:
                walk.read(walk.relation(item), "lock")
    pinned = _pinned_setting(select, ctes)
    if pinned is None:
        walk.parts(select, ctes, _SKIP_SELECT)
        return
    arguments = select.target_list[0].res_target.val.func_call.args
    value = literal(arguments[1])
    _set(walk, pinned, None if value is None else [value])
    walk.parts(select, ctes, _SKIP_PINNED)


def _pinned_setting(select: Node, ctes: Mapping[str, Node]) -> str | None:
    """The setting in `SELECT set_config(name, ...) FROM pg_settings WHERE name = '...'` (pg_dump)."""
    if len(select.target_list) != 1 or len(select.from_clause) != 1:
        return None
    call = select.target_list[0].res_target.val.func_call
    if len(call.args) != 3 or strings(call.funcname)[-1] != SET_CONFIG:
        return None
    relation, test = select.from_clause[0].range_var, select.where_clause.a_expr
    if relation.relname != "pg_settings" or relation.schemaname not in ("", "pg_catalog"):
        return None
    if "pg_settings" in ctes or test.kind != _OPERATOR:
        return None
    if strings(call.args[0].column_ref.fields) != ("name",) or strings(test.name) != ("=",):
        return None
    if strings(test.lexpr.column_ref.fields) != ("name",):
        return None
    plain = kind(call.args[1]) == kind(call.args[2]) == "a_const"
    return literal(test.rexpr) if plain else None


def into_relation(walk: Walk, into: Node, what: str = "table", detail: str = "") -> None:
    """SELECT INTO and CREATE TABLE AS: a relation is made and filled."""
    made = created(walk, into.rel, what, detail)
    walk.writes.add(made)


def created(walk: Walk, relation: Node, what: str, detail: str = "") -> Relation:
    """A relation is created: its name, with `temporary` where nobody else will see it."""
    temporary = relation.relpersistence == "t" or relation.schemaname == "pg_temp"
    name = Relation(relation.schemaname, relation.relname)
    walk.add(Effect(Action.CREATE, str(name), what, detail=_TEMPORARY if temporary else detail))
    walk.changes_schema = True
    return name


def from_relations(items: Iterable[Node]) -> Iterator[Node]:
    """The relations of a FROM list, those under joins included; not those within sub-selects."""
    pending = list(items)
    while pending:
        item = pending.pop()
        name = kind(item)
        if name == "range_var":
            yield item.range_var
        elif name == "join_expr":
            pending += (item.join_expr.larg, item.join_expr.rarg)


def _insert(walk: Walk, insert: Node, scope: Scope) -> None:
    walk.changes += 1
    ctes = with_queries(walk, insert, scope)
    target = walk.relation(insert.relation)
    columns = [item.res_target.name for item in insert.cols]
    walk.write(Action.INSERT, target, columns=columns)
    conflict = insert.on_conflict_clause
    if present(insert, "on_conflict_clause") and conflict.action == _ON_CONFLICT_UPDATE:
        written = assigned(conflict.target_list)
        predicate = _conflict_predicate(walk, insert, ctes)
        walk.write(Action.UPDATE, target, predicate, written, "on conflict")
    _returning(walk, insert, target)
    walk.parts(insert, ctes, _SKIP_DML)


def _conflict_predicate(walk: Walk, insert: Node, ctes: Mapping[str, Node]) -> Predicate:
    """Which rows ON CONFLICT DO UPDATE reaches: those of the given values, or of any query.

    `INSERT INTO t SELECT * FROM t ON CONFLICT (id) DO UPDATE ...` reaches every row.
    """
    source = insert.select_stmt.select_stmt
    if source.values_lists or not kind(insert.select_stmt):
        return Predicate.REAL
    if not source.from_clause and all(
        kind(item.res_target.val) in ("a_const", "param_ref", "type_cast")
        for item in source.target_list
    ):
        return Predicate.REAL
    target = target_of(walk, insert.relation, source.from_clause, ctes)
    inner = judge_predicate(
        source.where_clause, present(source, "where_clause"), target.as_source()
    )
    if inner is Predicate.REAL:
        return inner
    conflict = insert.on_conflict_clause
    own = target_of(walk, insert.relation, (), ctes)
    return judge_predicate(conflict.where_clause, present(conflict, "where_clause"), own)


def assigned(targets: Iterable[Node]) -> list[str]:
    """The columns that a SET list assigns."""
    return [item.res_target.name for item in targets]


def _update(walk: Walk, update: Node, scope: Scope) -> None:
    walk.changes += 1
    ctes = with_queries(walk, update, scope)
    target = walk.relation(update.relation)
    known = target_of(walk, update.relation, update.from_clause, ctes)
    predicate = judge_predicate(update.where_clause, present(update, "where_clause"), known)
    walk.write(Action.UPDATE, target, predicate, assigned(update.target_list))
    walk.reads.add(target)
    _returning(walk, update, target)
    walk.parts(update, ctes, _SKIP_DML)


def _delete(walk: Walk, delete: Node, scope: Scope) -> None:
    walk.changes += 1
    ctes = with_queries(walk, delete, scope)
    target = walk.relation(delete.relation)
    known = target_of(walk, delete.relation, delete.using_clause, ctes)
    predicate = judge_predicate(delete.where_clause, present(delete, "where_clause"), known)
    walk.write(Action.DELETE, target, predicate)
    walk.reads.add(target)
    _returning(walk, delete, target)
    walk.parts(delete, ctes, _SKIP_DML)


def _returning(walk: Walk, statement: Node, target: Relation) -> None:
    """RETURNING reads the rows that were written."""
    if present(statement, "returning_clause"):
        walk.read(target, "returning")


def _merge(walk: Walk, merge: Node, scope: Scope) -> None:
    walk.changes += 1
    ctes = with_queries(walk, merge, scope)
    target = walk.relation(merge.relation)
    known = target_of(walk, merge.relation, [merge.source_relation], ctes)
    joined = judge_predicate(merge.join_condition, True, known)
    strongest = Predicate.REAL
    for item in merge.merge_when_clauses:
        arm = item.merge_when_clause
        predicate = _arm_predicate(arm, joined, known)
        if arm.command_type == _INSERTS:
            walk.write(Action.INSERT, target, columns=assigned(arm.target_list), detail="merge")
        elif arm.command_type == _UPDATES:
            walk.write(Action.UPDATE, target, predicate, assigned(arm.target_list), "merge")
        elif arm.command_type == _DELETES:
            walk.write(Action.DELETE, target, predicate, detail="merge")
        elif arm.command_type != _NOTHING:
            walk.not_understood("merge")
        if arm.command_type in (_UPDATES, _DELETES) and predicate is not Predicate.REAL:
            strongest = predicate
    walk.write(Action.MERGE, target, strongest)
    walk.reads.add(target)
    _returning(walk, merge, target)
    walk.parts(merge, ctes, _SKIP_DML)


def _arm_predicate(arm: Node, joined: Predicate, target: Target) -> Predicate:
    """Which rows an arm reaches: by its own condition, or by the join that made the match."""
    own = judge_predicate(arm.condition, present(arm, "condition"), target)
    if own is Predicate.REAL or arm.match_kind == _BY_SOURCE:
        return own
    return joined


def _range_var(walk: Walk, relation: Node, scope: Scope) -> None:
    if scope is None or (not relation.schemaname and relation.relname in scope):
        return
    walk.read(walk.relation(relation), alias=relation.alias.aliasname)


def _column_ref(walk: Walk, column: Node, scope: Scope) -> None:
    """A column. `alias.name` may also call a function on the row (PostgreSQL, "4.2.6")."""
    fields = column.fields
    last = fields[len(fields) - 1]
    name = last.string.sval
    if not name:
        walk.stars = True
        return
    walk.columns.add(name)
    if len(fields) > 1 and name in walk.shadowing and not _is_column(walk, name):
        walk.call((name,))


def _is_column(walk: Walk, name: str) -> bool:
    """Has any relation a column of that name: then `alias.name` is taken for it."""
    known = walk.known_columns.get(name)
    if known is None:
        relations = walk.catalog.relations if walk.catalog is not None else ()
        known = any(relation.column(name) is not None for relation in relations)
        walk.known_columns[name] = known
    return known


def _attribute(walk: Walk, name: str) -> None:
    """Attribute notation, `(value).name`: a call where a function of one argument has that name."""
    if name in ATTRIBUTE_CALLS or (name in walk.shadowing and not _is_column(walk, name)):
        _call(walk, (name,), (), None)


def _a_indirection(walk: Walk, indirection: Node, scope: Scope) -> None:
    for item in indirection.indirection:
        name = kind(item)
        if name == "string":
            walk.columns.add(item.string.sval)
            _attribute(walk, item.string.sval)
        elif name == "a_star":
            walk.stars = True
    walk.parts(indirection, scope)


def _func_call(walk: Walk, call: Node, scope: Scope) -> None:
    _call(walk, strings(call.funcname), call.args, scope)
    walk.parts(call, scope)


def _call(walk: Walk, path: tuple[str, ...], arguments: Iterable[Node], scope: Scope) -> None:
    name = path[-1]
    if name == SET_CONFIG:
        _set_config(walk, list(arguments))
    elif name in SEQUENCE_WRITERS:
        sequence = next((literal(item) for item in arguments), None)
        relation = walk.named(*_split(sequence or ""))
        walk.add(Effect(Action.UPDATE, str(relation), "sequence", Predicate.REAL, detail=name))
        walk.functions.add(".".join(path))
    elif name == NOTIFY:
        channel = next((literal(item) for item in arguments), None)
        walk.functions.add(".".join(path))
        walk.add(Effect(Action.LISTEN, channel or "", "channel", detail="notify"))
    else:
        walk.call(path)


def _set_config(walk: Walk, arguments: list[Node]) -> None:
    walk.functions.add(SET_CONFIG)
    name = literal(arguments[0]) if arguments else None
    value = literal(arguments[1]) if len(arguments) > 1 else None
    _set(walk, name, None if value is None else [value])


def _set(walk: Walk, name: str | None, values: list[str] | None) -> None:
    walk.add(setting_effect(name, values))
    walk.sets_search_path |= name is None or name.lower() == SEARCH_PATH


def literal(node: Node) -> str | None:
    """The text of a string constant, seen through casts; None for anything else."""
    while kind(node) == "type_cast":
        node = node.type_cast.arg
    if kind(node) != "a_const" or not node.a_const.HasField("sval"):
        return None
    return str(node.a_const.sval.sval)


def _split(name: str) -> tuple[str, str]:
    schema, _, bare = name.replace('"', "").rpartition(".")
    return schema, bare


def _a_expr(walk: Walk, expression: Node, scope: Scope) -> None:
    name = expression.name
    if len(name) > 1 or walk.has_operators:
        walk.operator(strings(name))
    walk.push(expression.lexpr, scope)
    walk.push(expression.rexpr, scope)


def _type_cast(walk: Walk, cast: Node, scope: Scope) -> None:
    """A cast to a type with a function of its own, or to a domain, whose checks run.

    A text constant has no other type before it: it is read as one of the type. A parameter may have any, by Parse.
    """
    plain = kind(cast.arg) == "a_const" and cast.arg.a_const.HasField("sval")
    plain = plain and not cast.type_name.typmods  # a length may be a function's to keep
    (walk.filled if plain else walk.converted)(strings(cast.type_name.names)[-1])
    walk.push(cast.arg, scope)


def _range_function(walk: Walk, function: Node, scope: Scope) -> None:
    """A function with column definitions fills them, as XMLTABLE and JSON_TABLE do."""
    for column in function.coldeflist:
        walk.filled(strings(column.column_def.type_name.names)[-1])
    walk.parts(function, scope)


def _filled_column(walk: Walk, column: Node, scope: Scope) -> None:
    if column.type_name.names:
        walk.filled(strings(column.type_name.names)[-1])
    walk.parts(column, scope)


def _sort_by(walk: Walk, sort: Node, scope: Scope) -> None:
    if sort.use_op:
        walk.operator(strings(sort.use_op))
    walk.push(sort.node, scope)


def _sub_link(walk: Walk, link: Node, scope: Scope) -> None:
    if link.oper_name:
        walk.operator(strings(link.oper_name))
    walk.parts(link, scope)


def _table_sample(walk: Walk, sample: Node, scope: Scope) -> None:
    method = strings(sample.method)
    if method[-1] not in _TABLESAMPLE:
        walk.call(method)
    walk.parts(sample, scope)


def _locking(walk: Walk, clause: Node, scope: Scope) -> None:
    """Names in FOR UPDATE OF are aliases; the SELECT has said which relations are locked."""


HANDLERS: Final[dict[str, Handler]] = {
    "select_stmt": _select,
    "insert_stmt": _insert,
    "update_stmt": _update,
    "delete_stmt": _delete,
    "merge_stmt": _merge,
    "range_var": _range_var,
    "column_ref": _column_ref,
    "a_indirection": _a_indirection,
    "func_call": _func_call,
    "a_expr": _a_expr,
    "type_cast": _type_cast,
    "range_function": _range_function,
    "range_table_func_col": _filled_column,
    "json_table_column": _filled_column,
    "sort_by": _sort_by,
    "sub_link": _sub_link,
    "range_table_sample": _table_sample,
    "locking_clause": _locking,
}
