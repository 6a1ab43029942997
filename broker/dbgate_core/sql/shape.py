"""The shape of a statement: its text with the constants left out, where these decide nothing.

An application that writes its values into the text sends a new text each time, of a few shapes. What
is judged of one text holds for all of its shape only if no constant has a part in it: in a pattern, a
name, a limit, a setting or a condition that must be real it may have. So only what is plain SELECT or
INSERT of known parts has a shape; the list errs on the short side.
"""

from __future__ import annotations

from typing import Any, Final

import postgast

from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import Node, kind, listed, strings

MAX_CHARS: Final = 2_048
"""Longer texts are seldom sent again with other constants, and cost more to normalise."""
_PARTS: Final = frozenset(
    [
        "Node",
        "SelectStmt",
        "InsertStmt",
        "ResTarget",
        "ColumnRef",
        "A_Const",
        "Integer",
        "Float",
        "Boolean",
        "String",
        "BitString",
        "A_Star",
        "A_Expr",
        "BoolExpr",
        "NullTest",
        "RangeVar",
        "Alias",
        "JoinExpr",
        "SortBy",
        "List",
        "FuncCall",
    ]
)
_OPERATORS: Final = frozenset({"=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/"})
_EXPRESSIONS: Final = frozenset({"AEXPR_OP", "AEXPR_IN", "AEXPR_BETWEEN"})
_FUNCTIONS: Final = frozenset({("count",), ("sum",), ("min",), ("max",), ("avg",)})
_LIMITS: Final = ("limit_count", "limit_offset")


def shape_of(text: str) -> str:
    """The text with `$1` ... for its constants, or "" where it is not looked for.

    The text need not have a shape in the end: `has_shape` tells.
    """
    if len(text) > MAX_CHARS or "$" in text or "\0" in text:
        return ""
    try:
        return str(postgast.normalize(text))
    except (postgast.PgQueryError, UnicodeError):
        return ""


def has_shape(text: str) -> bool:
    """Whether every text of this one's shape is judged alike. The text has been parsed before."""
    statements = parse(text).stmts
    if len(statements) != 1 or kind(statements[0].stmt) not in ("select_stmt", "insert_stmt"):
        return False
    try:
        return _is_plain(statements[0].stmt)
    except RecursionError:
        return False


def _is_plain(node: Node) -> bool:
    """Whether nothing but the known parts is in it."""
    name = node.DESCRIPTOR.name
    if name not in _PARTS or (name in _CHECKS and not _CHECKS[name](node)):
        return False
    return all(
        _is_plain(item)
        for field, value in node.ListFields()
        if field.message_type is not None
        for item in listed(value)
    )


def _is_plain_expression(expression: Node) -> bool:
    shape = expression.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_number
    if shape[expression.kind].name not in _EXPRESSIONS:
        return False
    if shape[expression.kind].name == "AEXPR_BETWEEN":
        return True
    path = strings(expression.name)
    return len(path) == 1 and path[0] in _OPERATORS


def _is_plain_call(call: Node) -> bool:
    return strings(call.funcname) in _FUNCTIONS


def _is_plain_select(select: Node) -> bool:
    return not any(select.HasField(limit) for limit in _LIMITS)


_CHECKS: Final[dict[str, Any]] = {
    "A_Expr": _is_plain_expression,
    "FuncCall": _is_plain_call,
    "SelectStmt": _is_plain_select,
}
