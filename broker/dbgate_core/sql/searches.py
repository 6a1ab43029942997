"""By what a statement picks, joins, sorts or groups rows, where that is a protected column.

A mask hides what is shown. `WHERE email LIKE 'a%'` shows nothing of the column and still tells, row by row,
what is in it. So such conditions are part of what policy and the log see. Names are followed by their last part
through subqueries, WITH queries and aliases of the whole statement, which errs on the side of finding one;
a condition that is not of a known form counts as `other`, which tells the most.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dbgate_core.catalog import Catalog, CatalogRelation
from dbgate_core.sql.effects import Relation
from dbgate_core.sql.objects import enum_name
from dbgate_core.sql.tree import Node, children, inner, kind, listed, present, strings


class How(StrEnum):
    """How rows are picked by a column. `equality`: compared with given values, as a whole."""

    EQUALITY = "equality"
    RANGE = "range"
    PATTERN = "pattern"
    JOIN = "join"
    ORDER = "order"
    GROUP = "group"
    OTHER = "other"


@dataclass(frozen=True, slots=True, order=True)
class Search:
    """A protected column (`public.customers.email`), and how rows are picked by it."""

    column: str
    how: How


_OPERATOR: Final = "AEXPR_OP"
_LIKES: Final = frozenset({"AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR"})
_EQUALS: Final = frozenset({_OPERATOR, "AEXPR_OP_ANY", "AEXPR_NOT_DISTINCT", "AEXPR_IN"})
_EQUAL: Final = "="
_RANGES: Final = frozenset({"<", ">", "<=", ">=", "<>", "!="})
_PATTERNS: Final = frozenset({"~~", "!~~", "~~*", "!~~*", "~", "~*", "!~", "!~*", "^@"})
_COMPARING: Final = _RANGES | _PATTERNS | {_EQUAL}
_DIVIDING: Final = frozenset({"/", "%"})
"""Whether it fails says whether the value is nought."""
_TEXTS: Final = frozenset({"text", "varchar", "bpchar", "name", "char"})
_WHOLE: Final = frozenset({"lower", "upper", "btrim", "trim"})
"""Functions of one value whose result stands for all of it."""
_SPREADS: Final = frozenset(
    {"unnest", "json_array_elements", "jsonb_array_elements", "json_array_elements_text"}
    | {"jsonb_array_elements_text", "json_each", "jsonb_each", "json_each_text", "jsonb_each_text"}
)
"""Functions in FROM that give the parts of a value, as many rows as there are parts."""
_EMPTY: Final = frozenset(
    {"", "a_const", "param_ref", "string", "integer", "float", "boolean", "a_star"}
)
"""Nodes in which there is nothing to look for: a list may have 100,000 of them."""
_LEARNING: Final = frozenset(
    {"ResTarget", "CommonTableExpr", "RangeSubselect", "RangeFunction", "RangeVar"}
)
MAX_PASSES: Final = 32
"""Aliases of aliases, as deep as this, are followed; of a deeper statement all counts as `other`."""
_NO_OPERATION: Final = 1  # SetOperation
_UNION: Final = 2
_CONDITIONS: Final = (
    "where_clause",
    "having_clause",
    "quals",
    "agg_filter",
    "join_condition",
    "condition",
)


class _Names:
    """The protected columns that each name of the statement may stand for."""

    def __init__(
        self, relations: Iterable[CatalogRelation], variables: frozenset[str] = frozenset()
    ) -> None:
        self.relations = list(relations)
        self.variables = variables
        self.all: frozenset[str] = frozenset()
        self.compares_rows = False
        self._of: dict[str, frozenset[str]] = {}
        for relation in self.relations:
            whole = frozenset(
                f"{relation.schema}.{relation.name}.{c.name}" for c in relation.columns if c.classes
            )
            self.all |= whole
            self._add(relation.name, whole)
            for column in relation.columns:
                if column.classes:
                    self._add(column.name, {f"{relation.schema}.{relation.name}.{column.name}"})

    def _add(self, name: str, columns: Iterable[str]) -> bool:
        before = self._of.get(name, frozenset())
        self._of[name] = before | frozenset(columns)
        return self._of[name] != before

    def named(self, name: str) -> frozenset[str]:
        """The protected columns of that name."""
        return self._of.get(name, frozenset())

    def shared(self) -> frozenset[str]:
        """The columns by which a natural join of two of the relations would go."""
        met = Counter(column.name for relation in self.relations for column in relation.columns)
        twice = [name for name, times in met.items() if times > 1]
        return frozenset().union(*(self._of.get(name, frozenset()) for name in twice))

    def learn(self, bodies: list[Node]) -> bool:
        """Aliases stand for what is behind them; again, until nothing new is found, or False after too many times."""
        return any(not sum(self._learn(body) for body in bodies) for _ in range(MAX_PASSES))

    def _learn(self, body: Node) -> bool:
        match body.DESCRIPTOR.name:
            case "ResTarget" if body.name:
                return self._add(body.name, self.within(body.val))
            case "CommonTableExpr":
                return self._all_are([body.ctename, *strings(body.aliascolnames)], self.all)
            case "RangeSubselect" | "RangeFunction" if present(body, "alias"):
                return self._all_are(
                    [body.alias.aliasname, *strings(body.alias.colnames)], self.all
                )
            case "RangeVar" if present(body, "alias"):
                known = self._of.get(body.relname, frozenset())
                return self._all_are([body.alias.aliasname, *strings(body.alias.colnames)], known)
        return False

    def _all_are(self, names: list[str], columns: frozenset[str]) -> bool:
        return sum(self._add(name, columns) for name in names) > 0

    def within(self, node: Node) -> frozenset[str]:
        """The protected columns in an expression; those in its subqueries are conditions of these."""
        found: set[str] = set()
        pending = deque([node])
        while pending:
            item = pending.popleft()
            name = kind(item)
            if name == "column_ref":
                found |= self._named(strings(item.column_ref.fields))
            elif name == "sub_link":
                pending.append(item.sub_link.testexpr)
                pending.extend(_outputs(item.sub_link.subselect.select_stmt))
            elif name not in _EMPTY:
                pending.extend(children(inner(item)))
        return frozenset(found)

    def is_variable(self, fields: tuple[str, ...]) -> bool:
        """Is it a variable of a function, or a field of one."""
        return len(fields) > 0 and fields[0].lower() in self.variables

    def _named(self, fields: tuple[str, ...]) -> frozenset[str]:
        if not fields:
            return frozenset()
        return self.all if fields[-1] == "*" else self._of.get(fields[-1], frozenset())


def searches(
    statements: Iterable[Node],
    catalog: Catalog | None,
    reads: Iterable[Relation],
    search_path: tuple[str, ...],
    variables: frozenset[str] = frozenset(),
) -> frozenset[Search]:
    """What the statements search by. Pure; nothing where no relation that they read has a protected column.

    `variables` are names in a function's body that are no columns: what is compared with them is given.
    """
    if catalog is None or not catalog.classes:
        return frozenset()
    known = (catalog.resolve(relation, search_path) for relation in reads)
    relations = {r.oid: r for r in known if r is not None and r.schema != "pg_catalog"}
    names = _Names((r for r in relations.values() if r.classes), variables)
    if not names.all:
        return frozenset()
    bodies = [body for statement in statements for body in _bodies(statement)]
    names.compares_rows = any(map(_compares_rows, bodies))
    if not names.learn([body for body in bodies if body.DESCRIPTOR.name in _LEARNING]):
        return frozenset(Search(column, How.OTHER) for column in names.all)
    return frozenset(
        Search(column, how)
        for body in bodies
        for columns, how in _found(names, body)
        for column in columns
    )


def _bodies(node: Node) -> Iterator[Node]:
    """Every message in a tree that is something itself."""
    pending = [node]
    while pending:
        message = pending.pop()
        if message.DESCRIPTOR.name == "Node":
            if kind(message) not in _EMPTY:
                pending.append(inner(message))
            continue
        yield message
        for field, value in message.ListFields():
            if field.message_type is not None:
                pending.extend(listed(value))


def _found(names: _Names, body: Node) -> Iterator[tuple[frozenset[str], How]]:
    """What one part of a tree picks rows by."""
    fields = body.DESCRIPTOR.fields_by_name
    for field in _CONDITIONS:
        if field in fields and present(body, field):
            yield from _condition(names, getattr(body, field))
    match body.DESCRIPTOR.name:
        case "A_Expr":
            yield from _comparison(names, body)
        case "CaseExpr":
            yield from _case(names, body)
        case "TypeCast" if not _is_whole(body.arg) and not _is_text(body.type_name):
            yield names.within(body.arg), How.OTHER
        case "SubLink" if kind(body.testexpr):
            yield _compared_with_query(names, body)
        case "RangeFunction":
            for function in body.functions:
                yield from _table_function(names, function)
        case "SelectStmt":
            yield from _select(names, body)
        case "JoinExpr":
            for column in strings(body.using_clause):
                yield names.named(column), How.JOIN
            if body.is_natural:
                yield names.shared(), How.JOIN
        case "FuncCall":
            for item in body.agg_order:
                yield names.within(item.sort_by.node), How.ORDER
        case "WindowDef":
            for item in body.order_clause:
                yield names.within(item.sort_by.node), How.ORDER
            for item in body.partition_clause:
                yield names.within(item), How.GROUP


def _is_text(type_name: Node) -> bool:
    """Is every value one of the type: a cast to it never fails, which would tell of the value."""
    return strings(type_name.names)[-1] in _TEXTS


def _comparison(names: _Names, expression: Node) -> Iterator[tuple[frozenset[str], How]]:
    """A comparison tells as much where it is shown, counted or summed; so does what divides by a value."""
    if enum_name(expression, "kind") == _OPERATOR and strings(expression.name)[-1] in _DIVIDING:
        yield names.within(expression.rexpr), How.OTHER
    elif _compares(expression):
        left, right = names.within(expression.lexpr), names.within(expression.rexpr)
        if left and right:
            yield left | right, _how_compared(expression) or How.JOIN
        elif left:
            yield (
                left,
                _how_compared(expression)
                or _by(names, expression, expression.lexpr, expression.rexpr),
            )
        elif right:
            yield (
                right,
                _how_compared(expression)
                or _by(names, expression, expression.rexpr, expression.lexpr),
            )


def _compared_with_query(names: _Names, link: Node) -> tuple[frozenset[str], How]:
    """`x IN (SELECT ...)`, `'m' > ALL (SELECT ...)`."""
    given = names.within(link.testexpr).union(
        *map(names.within, _outputs(link.subselect.select_stmt))
    )
    equal = not link.oper_name or strings(link.oper_name)[-1] == _EQUAL
    return given, How.JOIN if equal and _is_whole(link.testexpr) else How.OTHER


def _compares(expression: Node) -> bool:
    other = enum_name(expression, "kind") != _OPERATOR
    return other or strings(expression.name)[-1] in _COMPARING


def _case(names: _Names, case: Node) -> Iterator[tuple[frozenset[str], How]]:
    """`CASE WHEN condition` or `CASE value WHEN other`, which compares the two."""
    compared = names.within(case.arg)
    for when in case.args:
        given = when.case_when.expr
        if not kind(case.arg):
            yield from _condition(names, given)
        elif columns := compared | names.within(given):
            whole = _is_whole(case.arg) and _is_given(names, given)
            yield columns, How.EQUALITY if whole else How.OTHER


def _table_function(names: _Names, function: Node) -> Iterator[tuple[frozenset[str], How]]:
    """`generate_series(1, ascii(email))` tells by how many rows it gives; `unnest(emails)` spreads a value out."""
    call = function.list.items[0]
    spread = kind(call) == "func_call" and strings(call.func_call.funcname)[-1] in _SPREADS
    if not (spread and all(map(_is_whole, call.func_call.args))):
        yield names.within(call), How.OTHER


def _select(names: _Names, select: Node) -> Iterator[tuple[frozenset[str], How]]:
    targets = select.target_list
    for bound in (select.limit_count, select.limit_offset):  # so many rows tell a number
        yield names.within(bound), How.OTHER
    for item in select.sort_clause:
        yield _by_place(names, item.sort_by.node, targets), How.ORDER
    for item in select.group_clause:
        yield _by_place(names, item, targets), How.GROUP
    for item in select.distinct_clause:
        if kind(item):
            yield names.within(item), How.GROUP
        else:
            yield from ((names.within(target.res_target.val), How.GROUP) for target in targets)
    if select.op > _NO_OPERATION and names.compares_rows:
        for part in (select.larg, select.rarg):
            for target in part.target_list:
                yield names.within(target.res_target.val), How.JOIN


def _outputs(select: Node) -> Iterator[Node]:
    """What a query gives; of UNION and the like, what each of its parts does."""
    pending = [select]
    while pending:
        part = pending.pop()
        yield from (target.res_target.val for target in part.target_list)
        if part.op > _NO_OPERATION:
            pending += (part.larg, part.rarg)


def _compares_rows(body: Node) -> bool:
    """UNION, INTERSECT and EXCEPT compare whole rows, unlike UNION ALL."""
    if body.DESCRIPTOR.name != "SelectStmt" or body.op <= _NO_OPERATION:
        return False
    return not (body.op == _UNION and body.all)


def _by_place(names: _Names, node: Node, targets: Node) -> frozenset[str]:
    """What is sorted or grouped by: `ORDER BY 2` means the second output."""
    if kind(node) != "a_const" or node.a_const.WhichOneof("val") != "ival":
        return names.within(node)
    place: int = node.a_const.ival.ival
    if not 0 < place <= len(targets) or any(map(_is_star, targets)):
        return names.all
    return names.within(targets[place - 1].res_target.val)


def _is_star(target: Node) -> bool:
    fields = target.res_target.val.column_ref.fields
    return len(fields) > 0 and kind(fields[-1]) == "a_star"


def _condition(names: _Names, node: Node) -> Iterator[tuple[frozenset[str], How]]:
    """Each part of a condition by itself; comparisons are found wherever they stand."""
    pending = [node]
    while pending:
        item = pending.pop()
        if kind(item) == "bool_expr":
            pending += item.bool_expr.args
        elif not _is_comparison(item) and (columns := names.within(item)):
            how = _how(item)
            if how is not None:
                yield columns, how


def _is_comparison(node: Node) -> bool:
    if kind(node) == "sub_link":
        return bool(kind(node.sub_link.testexpr))
    return kind(node) == "a_expr" and _compares(node.a_expr)


def _how(node: Node) -> How | None:
    """How a part of a condition picks rows; None for a look whether there is a value."""
    name = kind(node)
    if name == "null_test" and kind(node.null_test.arg) == "column_ref":
        return None
    return How.OTHER


def _how_compared(compared: Node) -> How | None:
    """By the operator alone."""
    form = enum_name(compared, "kind")
    if form in _LIKES or strings(compared.name)[-1] in _PATTERNS:
        return How.PATTERN
    return How.RANGE if "BETWEEN" in form else None


def _by(names: _Names, compared: Node, protected: Node, other: Node) -> How:
    """What is protected must stand whole on its side, and given values on the other."""
    if not _is_whole(protected):
        return How.OTHER
    operator, form = strings(compared.name)[-1], enum_name(compared, "kind")
    if operator in _RANGES or form == "AEXPR_DISTINCT":
        return How.RANGE
    if operator != _EQUAL or form not in _EQUALS:
        return How.OTHER
    return How.EQUALITY if _is_given(names, other) else How.JOIN


def _is_whole(node: Node) -> bool:
    """Whether it is a column, or what stands for all of it."""
    while True:
        name = kind(node)
        if name == "type_cast":
            node = node.type_cast.arg
        elif name == "func_call" and len(node.func_call.args) == 1:
            if strings(node.func_call.funcname)[-1] not in _WHOLE:
                return False
            node = node.func_call.args[0]
        else:
            return name == "column_ref"


def _is_given(names: _Names, node: Node) -> bool:
    """Whether it is made of constants, parameters and variables alone."""
    return not any(
        body.DESCRIPTOR.name == "SubLink"
        or (body.DESCRIPTOR.name == "ColumnRef" and not names.is_variable(strings(body.fields)))
        for body in _bodies(node)
    )
