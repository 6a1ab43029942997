"""What an expression equals once that is left out which adds nothing to it: `id + 0` is `id`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.sql.objects import enum_name
from dbgate_core.sql.target import Target
from dbgate_core.sql.tree import Node, kind, present, strings

_BARE: Final = frozenset({"target_list", "limit_option", "op"})
"""The fields of a query that is no more than an expression."""
_EXPRESSION_SUBLINK: Final = 5  # SubLinkType
_NEUTRAL: Final = {"+": "0", "-": "0", "*": "1", "/": "1", "^": "1", "||": ""}
"""What changes nothing on the right of an operator, as a constant's text."""
_EITHER_SIDE: Final = frozenset({"+", "*", "||"})
_WIDER: Final = (
    (("int2", 21), ("int4", 23), ("int8", 20), ("numeric", 1700)),
    (("float4", 700), ("float8", 701)),
    (("bpchar", 1042), ("varchar", 1043), ("text", 25)),
    (("bool", 16),),
    (("date", 1082),),
    (("timestamp", 1114),),
    (("timestamptz", 1184),),
    (("uuid", 2950),),
)
"""Types (name, OID) in rows: a value is equal to itself in one further right in its row."""
_TOTAL_OPERATORS: Final = frozenset(
    {"=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "||", "~", "~*", "!~", "!~*", "^@"}
)
_TOTAL_FUNCTIONS: Final = frozenset(
    {
        *("length", "char_length", "character_length", "octet_length", "bit_length", "lower"),
        *("upper", "abs", "md5", "reverse", "starts_with", "strpos", "position", "cardinality"),
        *("to_json", "to_jsonb", "row_to_json", "btrim", "ltrim", "rtrim", "left", "right"),
        *("sign", "mod", "ascii", "round", "floor", "ceil"),
    }
)
"""Built-ins that give null of null only."""
_TOTAL_FORMS: Final = frozenset(
    {"AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_IN", "AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN"}
)
_BLINDED: Final = {
    ("left", 2): "0",
    ("right", 2): "0",
    ("repeat", 2): "0",
    ("substr", 3): "0",
    ("substring", 3): "0",
    ("mod", 2): "1",
    ("power", 2): "0",
    ("pow", 2): "0",
    ("strpos", 2): "",
    ("position", 2): "",
    ("starts_with", 2): "",
}
"""Functions of so many arguments that always give the same when the last one is this."""


def reduced(node: Node, target: Target) -> Node:
    """The simplest part of the node that is known to be equal to it, nulls aside."""
    while True:
        simpler = _simpler(node, target)
        if simpler is None:
            return node
        node = simpler


def _simpler(node: Node, target: Target) -> Node | None:
    name = kind(node)
    if name == "sub_link":
        return _selected(node.sub_link)
    if name == "coalesce_expr":
        first = node.coalesce_expr.args[0]
        return first if target.is_filled(first) else None
    if name == "a_expr":
        return _operand(node.a_expr)
    if name == "collate_clause":
        return node.collate_clause.arg
    return node.type_cast.arg if name == "type_cast" and _widens(node.type_cast, target) else None


def _selected(link: Node) -> Node | None:
    """What a sub-select without a FROM or a condition gives."""
    select = link.subselect.select_stmt
    fields = {field.name for field, _ in select.ListFields()} - _BARE
    expression = link.sub_link_type == _EXPRESSION_SUBLINK and not present(link, "testexpr")
    if fields or not expression or len(select.target_list) != 1:
        return None
    return select.target_list[0].res_target.val


def _operand(expression: Node) -> Node | None:
    """`id` of `id + 0`, `id * 1`, `status || ''`, `nullif(id, null)`."""
    form = form_of(expression)
    left, right = expression.lexpr, expression.rexpr
    if form == "AEXPR_NULLIF":
        return left if kind(right) == "a_const" and right.a_const.isnull else None
    operator = strings(expression.name)[-1]
    if form != "AEXPR_OP" or operator not in _NEUTRAL:
        return None
    if not kind(left):
        return right if operator == "+" else None
    neutral = _NEUTRAL[operator]
    if plain_text(right) == neutral:
        return left
    return right if operator in _EITHER_SIDE and plain_text(left) == neutral else None


def _widens(cast: Node, target: Target) -> bool:
    """Is a column cast to its own type, or to a wider one, which leaves it equal."""
    column = target.column(cast.arg)
    if column is None or cast.type_name.typmods or cast.type_name.array_bounds:
        return False
    name, oid = strings(cast.type_name.names)[-1], target.base_type(column)
    for row in _WIDER:
        names, oids = [it[0] for it in row], [it[1] for it in row]
        if name in names and oid in oids:
            return names.index(name) >= oids.index(oid)
    return False


def form_of(expression: Node) -> str:
    """The form of an A_Expr, by its name in the grammar."""
    return enum_name(expression, "kind")


def plain_text(node: Node) -> str | None:
    """A constant as it is written, seen through casts: `0`, `1.5`, `infinity`; None for others."""
    while kind(node) == "type_cast":
        node = node.type_cast.arg
    if kind(node) != "a_const" or node.a_const.isnull:
        return None
    constant = node.a_const
    if constant.HasField("ival"):
        return str(constant.ival.ival)
    if constant.HasField("fval"):
        return str(constant.fval.fval)
    if constant.HasField("sval"):
        return str(constant.sval.sval)
    return str(constant.boolval.boolval).lower() if constant.HasField("boolval") else None


def never_null(node: Node, target: Target) -> bool:
    """Is the value surely not null: columns that never are, and what built-ins make of these."""
    name = kind(node)
    if name == "column_ref":
        return target.is_filled(node)
    if name == "a_const":
        return not node.a_const.isnull
    if name == "type_cast":
        return never_null(node.type_cast.arg, target)
    if name == "coalesce_expr":
        return any(never_null(item, target) for item in node.coalesce_expr.args)
    if name == "a_expr":
        return _total(node.a_expr) and all(
            never_null(side, target)
            for side in (node.a_expr.lexpr, node.a_expr.rexpr)
            if kind(side)
        )
    if name == "func_call":
        total = strings(node.func_call.funcname)[-1] in _TOTAL_FUNCTIONS
        return total and _all_filled(node.func_call.args, target)
    if name in ("null_test", "boolean_test"):
        return True
    parts = {"row_expr": "args", "bool_expr": "args", "min_max_expr": "args", "list": "items"}
    return name in parts and _all_filled(getattr(getattr(node, name), parts[name]), target)


def _all_filled(nodes: Iterable[Node], target: Target) -> bool:
    return all(never_null(item, target) for item in nodes)


def _total(expression: Node) -> bool:
    form = form_of(expression)
    return form in _TOTAL_FORMS or (
        form == "AEXPR_OP" and strings(expression.name)[-1] in _TOTAL_OPERATORS
    )


def blind(node: Node) -> bool:
    """Is the value the same whatever its operands are: `id * 0`, `left(status, 0)`, `id % 1`."""
    if kind(node) == "func_call":
        return _blind_call(node.func_call)
    if kind(node) != "a_expr" or form_of(node.a_expr) != "AEXPR_OP":
        return False
    operator = strings(node.a_expr.name)[-1]
    left, right = plain_text(node.a_expr.lexpr), plain_text(node.a_expr.rexpr)
    if operator in ("*", "&"):
        return "0" in (left, right)
    return (operator, right) in (("%", "1"), ("^", "0"), ("^@", ""))


def _blind_call(call: Node) -> bool:
    name, args = strings(call.funcname)[-1], call.args
    if not args or (name, len(args)) not in _BLINDED:
        return False
    return plain_text(args[-1]) == _BLINDED[name, len(args)]
