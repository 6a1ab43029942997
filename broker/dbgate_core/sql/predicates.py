"""Does a condition pick some of the target's rows, or all of them.

A condition is real when some column of the target decides it. Constants, volatile calls, other
sources' columns, comparisons of a value with itself, complements (`x OR NOT x`) and joins of the target
with itself are trivial, as a planner folds them or as people write them to get round a guardrail.
What is not seen through counts as real: no judge can decide every tautology.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from dbgate_core.sql.effects import Predicate
from dbgate_core.sql.extents import cover_together, passes
from dbgate_core.sql.extremes import beyond_all, beyond_selected, points_there
from dbgate_core.sql.reducing import form_of, never_null
from dbgate_core.sql.shapes import (
    Key,
    complements,
    depends,
    key_of,
    query_depends,
    self_arithmetic,
    shares,
)
from dbgate_core.sql.target import Target, gives_all_rows
from dbgate_core.sql.tree import Node, kind, present, strings

_TRUE_TEXTS: Final = frozenset({"t", "true", "tr", "tru", "y", "ye", "yes", "on", "1"})
_ALL_PATTERNS: Final = frozenset({"", ".*", ".?", "^", "$", "^.*", ".*$", "^.*$"})
_REFLEXIVE: Final = frozenset({"=", "<=", ">=", "~~", "~~*", "@>", "<@"})
_REGEX: Final = frozenset({"~", "~*"})
_IS_NOT_NULL: Final = 2  # NullTestType
_BETWEEN: Final = ("AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN")
_UNION: Final = 2  # SetOperation
_LIKE, _ILIKE, _SIMILAR, _IN = "AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR", "AEXPR_IN"


class Truth(Enum):
    """What is known of a condition before any row is seen."""

    TRUE = "true"
    FALSE = "false"
    FIXED = "the same for every row"
    SAME_ROW = "true of a row and itself in a copy of the table"
    OTHER_ROW = "true of a row and others in a copy of the table"
    REAL = "decided by the row"


def judge_predicate(condition: Node, given: bool, target: Target) -> Predicate:
    """ABSENT, TRIVIAL or REAL; `given` is false when there is no condition.

    A condition too deep to be followed is TRIVIAL.
    """
    if not given:
        return Predicate.ABSENT
    try:
        real = truth(condition, target, False) is Truth.REAL
    except RecursionError:
        return Predicate.TRIVIAL
    return Predicate.REAL if real else Predicate.TRIVIAL


def always(condition: Node, target: Target) -> bool:
    """Is the condition true for every row, as far as can be seen."""
    return truth(condition, target, False) in (Truth.TRUE, Truth.FIXED, Truth.SAME_ROW)


def truth(node: Node, target: Target, negated: bool) -> Truth:
    """The truth of the condition, or of its negation."""
    name = kind(node)
    reader = _READERS.get(name)
    if reader is not None:
        return reader(getattr(node, name), target, negated)
    return Truth.REAL if depends(node, target) else Truth.FIXED


def _fixed(value: bool, negated: bool) -> Truth:
    return Truth.TRUE if value != negated else Truth.FALSE


def _constant(constant: Node, target: Target, negated: bool) -> Truth:
    if constant.isnull:
        return Truth.FALSE
    if constant.HasField("boolval"):
        return _fixed(bool(constant.boolval.boolval), negated)
    if constant.HasField("sval"):
        return _fixed(constant.sval.sval.strip().lower() in _TRUE_TEXTS, negated)
    if constant.HasField("ival"):
        return _fixed(constant.ival.ival != 0, negated)
    return Truth.FIXED


def _cast(cast: Node, target: Target, negated: bool) -> Truth:
    return truth(cast.arg, target, negated)


def _bool(expression: Node, target: Target, negated: bool) -> Truth:
    kinds = {1: "and", 2: "or", 3: "not"}
    operation = kinds[expression.boolop]
    if operation == "not":
        return truth(expression.args[0], target, not negated)
    conjunction = (operation == "and") != negated
    values = [truth(item, target, negated) for item in expression.args]
    if conjunction:
        return _all(values)
    turned = operation == "and"
    if complements(expression.args, target) or cover_together(expression.args, target, turned):
        return Truth.TRUE
    return _any(values)


def _all(values: list[Truth]) -> Truth:
    """Of two rows of a table and its copy, only an equality and an inequality pick some (duplicates)."""
    if Truth.SAME_ROW in values and Truth.OTHER_ROW in values and Truth.FALSE not in values:
        return Truth.REAL
    for value in (Truth.FALSE, Truth.REAL, Truth.FIXED, Truth.OTHER_ROW, Truth.SAME_ROW):
        if value in values:
            return value
    return Truth.TRUE


def _any(values: list[Truth]) -> Truth:
    for value in (Truth.TRUE, Truth.SAME_ROW, Truth.OTHER_ROW, Truth.FIXED, Truth.REAL):
        if value in values:
            return value
    return Truth.FALSE


def _null_test(test: Node, target: Target, negated: bool) -> Truth:
    """IS NULL of a condition that is known says nothing of the row."""
    inner = kind(test.arg)
    if never_null(test.arg, target):
        return _fixed(test.nulltesttype == _IS_NOT_NULL, negated)
    if inner in ("null_test", "boolean_test", "a_array_expr") or not depends(test.arg, target):
        return Truth.FIXED
    if inner in ("a_expr", "bool_expr", "sub_link"):
        return Truth.REAL if truth(test.arg, target, False) is Truth.REAL else Truth.FIXED
    if inner == "coalesce_expr" and any(
        not depends(item, target) for item in test.arg.coalesce_expr.args
    ):
        return Truth.FIXED
    return Truth.REAL


def _boolean_test(test: Node, target: Target, negated: bool) -> Truth:
    if test.booltesttype in (1, 4):  # IS TRUE, IS NOT FALSE
        return truth(test.arg, target, negated)
    if test.booltesttype in (2, 3):  # IS NOT TRUE, IS FALSE
        return truth(test.arg, target, not negated)
    if never_null(test.arg, target):
        return _fixed(test.booltesttype == 6, negated)
    unknown = (test.booltesttype == 5) != negated
    if not unknown:
        return Truth.FIXED
    return Truth.REAL if truth(test.arg, target, False) is Truth.REAL else Truth.FIXED


def _case(case: Node, target: Target, negated: bool) -> Truth:
    """The first arm that is surely taken decides; equal results decide whatever the arms say."""
    results: list[Truth] = []
    conditions: list[Truth] = []
    for item in case.args:
        arm = item.case_when
        condition = Truth.REAL if depends(item, target) else Truth.FIXED
        if not present(case, "arg"):
            condition = truth(arm.expr, target, False)
        elif not (depends(arm.expr, target) or depends(case.arg, target)):
            condition = Truth.FIXED
        if condition is Truth.FALSE:
            continue
        results.append(truth(arm.result, target, negated))
        conditions.append(condition)
        if condition is Truth.TRUE:
            break
    else:
        default = present(case, "defresult")
        results.append(truth(case.defresult, target, negated) if default else Truth.FALSE)
    if len(set(results)) == 1 and results[0] is not Truth.REAL:
        return results[0]
    return Truth.REAL if Truth.REAL in results + conditions else Truth.FIXED


def _coalesce(expression: Node, target: Target, negated: bool) -> Truth:
    values = [truth(item, target, negated) for item in expression.args]
    if values[0] is not Truth.REAL:
        return values[0] if kind(expression.args[0]) == "a_const" else _any(values)
    return Truth.REAL


def _comparison(expression: Node, target: Target, negated: bool) -> Truth:
    passing = passes(expression, target)
    if passing is not None:
        return _fixed(passing, negated)
    left, right = expression.lexpr, expression.rexpr
    operator = expression.name[len(expression.name) - 1].string.sval
    form = form_of(expression)
    if form in ("AEXPR_NOT_DISTINCT", "AEXPR_DISTINCT"):
        operator, negated = "=", negated != (form == "AEXPR_DISTINCT")
        return _compared(left, right, operator, target, negated)
    if form == "AEXPR_NULLIF":
        return Truth.REAL if depends(left, target) else Truth.FIXED
    if form == _IN or form in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
        negated = negated != (operator == "<>")
        return _listed(left, right, target, negated)
    if form in _BETWEEN:
        return _between(left, right.list.items, target, negated != (form == _BETWEEN[1]))
    if "BETWEEN" in form:
        negated = negated != ("NOT" in form)
        return _listed(left, right, target, negated)
    if _null(left) or _null(right):
        return Truth.FALSE
    if form in (_LIKE, _ILIKE, _SIMILAR) or operator in _REGEX:
        negated = negated != operator.startswith("!")
        if _any_text(right, form == "AEXPR_OP"):
            return _fixed(True, negated)
    return _compared(left, right, operator, target, negated)


def _compared(left: Node, right: Node, operator: str, target: Target, negated: bool) -> Truth:
    here, there = key_of(left, target, twins=False), key_of(right, target, twins=False)
    if here == there:
        return _fixed(operator in _REFLEXIVE, negated)
    if beyond_all(left, operator, right, target) or shares(left, operator, right, target):
        return _fixed(True, negated)
    if not depends(left, target) and not depends(right, target):
        plain = kind(left) == kind(right) == "a_const"
        return _fixed(False, negated) if plain and operator == "=" else Truth.FIXED
    if _twinned(left, right, target):
        same = (operator in _REFLEXIVE) != negated
        return Truth.SAME_ROW if same else Truth.OTHER_ROW
    return Truth.FIXED if self_arithmetic(left, right, target) else Truth.REAL


def _between(left: Node, ends: Sequence[Node], target: Target, negated: bool) -> Truth:
    """At least the one end and at most the other."""
    values = [
        _compared(left, end, operator, target, negated)
        for operator, end in zip((">=", "<="), ends, strict=True)
    ]
    return _any(values) if negated else _all(values)


def _empty(select: Node, target: Target) -> bool:
    """Does the query plainly give no row."""
    limit = select.limit_count.a_const
    if limit.HasField("ival") and limit.ival.ival == 0:
        return True
    if not present(select, "where_clause"):
        return False
    inside = target.within(select.from_clause)
    return truth(select.where_clause, inside, False) is Truth.FALSE


def _twinned(left: Node, right: Node, target: Target) -> bool:
    """A column of the target against the same column of an unfiltered copy of it."""
    return key_of(left, target, twins=True) == key_of(right, target, twins=True)


def _listed(left: Node, right: Node, target: Target, negated: bool) -> Truth:
    """IN, = ANY, BETWEEN: trivial when the value stands in its own list."""
    if kind(right) == "sub_link":
        return _in_query(left, right.sub_link.subselect.select_stmt, target, negated)
    own: Key = key_of(left, target, twins=False)
    if _empty_array(right):
        return Truth.FIXED
    items = right.list.items if kind(right) == "list" else right.a_array_expr.elements
    if any(key_of(item, target, twins=False) == own for item in items):
        return _fixed(True, negated) if depends(left, target) else Truth.FIXED
    return Truth.REAL if depends(left, target) or depends(right, target) else Truth.FIXED


def _empty_array(node: Node) -> bool:
    while kind(node) == "type_cast":
        node = node.type_cast.arg
    if kind(node) == "a_array_expr":
        return not node.a_array_expr.elements
    return kind(node) == "a_const" and node.a_const.sval.sval.strip() == "{}"


def _in_query(left: Node, select: Node, target: Target, negated: bool) -> Truth:
    """`id IN (SELECT id FROM t)` is true of every row, `NOT IN` an empty list as well."""
    if _empty(select, target):
        return _fixed(False, negated)
    if select.op == _UNION:
        arms = [_in_query(left, arm, target, False) for arm in (select.larg, select.rarg)]
        if Truth.TRUE in arms:
            return _fixed(True, negated)
    if points_there(left, select, target):
        return _fixed(True, negated)
    if gives_all_rows(target.walk, select, target.relation, target.ctes):
        inside = target.within(select.from_clause)
        listed = select.target_list[0].res_target.val if len(select.target_list) == 1 else None
        if listed is not None and key_of(left, target, twins=True) == key_of(
            listed, inside, twins=True
        ):
            return _fixed(True, negated)
    if depends(left, target) or query_depends(select, target):
        return Truth.REAL
    return Truth.FIXED


def _sub_link(link: Node, target: Target, negated: bool) -> Truth:
    kinds = link.DESCRIPTOR.fields_by_name["sub_link_type"].enum_type.values_by_number
    form = kinds[link.sub_link_type].name
    select = link.subselect.select_stmt
    if form == "ANY_SUBLINK":
        return _in_query(link.testexpr, select, target, negated)
    if form == "EXISTS_SUBLINK":
        return _exists(select, target)
    if form == "ALL_SUBLINK" and _empty(select, target):
        return _fixed(True, negated)
    if form == "ALL_SUBLINK" and beyond_selected(
        link.testexpr, strings(link.oper_name)[-1], select, target
    ):
        return _fixed(True, negated)
    tested = present(link, "testexpr") and depends(link.testexpr, target)
    return Truth.REAL if tested or query_depends(select, target) else Truth.FIXED


def _exists(select: Node, target: Target) -> Truth:
    """Real when the query's own condition is, or when anything else in it hangs on the row."""
    if not query_depends(select, target):
        return Truth.FIXED
    inside = target.within(select.from_clause)
    if present(select, "where_clause") and truth(select.where_clause, inside, False) is Truth.REAL:
        return Truth.REAL
    joined = any(depends(item, inside) for item in select.from_clause)
    return Truth.REAL if joined or present(select, "having_clause") else Truth.FIXED


def _current_of(expression: Node, target: Target, negated: bool) -> Truth:
    """WHERE CURRENT OF: the one row under a cursor."""
    return Truth.REAL


def _null(node: Node) -> bool:
    return kind(node) == "a_const" and bool(node.a_const.isnull)


def _any_text(node: Node, regex: bool) -> bool:
    """Is the pattern one that every text matches."""
    if kind(node) == "func_call" and len(node.func_call.args):  # SIMILAR TO: its escape function
        node = node.func_call.args[0]
    if kind(node) != "a_const" or not node.a_const.HasField("sval"):
        return False
    pattern = node.a_const.sval.sval
    return pattern in _ALL_PATTERNS if regex else bool(pattern) and not pattern.strip("%")


_READERS: Final[dict[str, Callable[[Node, Target, bool], Truth]]] = {
    "a_const": _constant,
    "type_cast": _cast,
    "bool_expr": _bool,
    "null_test": _null_test,
    "boolean_test": _boolean_test,
    "case_expr": _case,
    "coalesce_expr": _coalesce,
    "a_expr": _comparison,
    "sub_link": _sub_link,
    "current_of_expr": _current_of,
}
