"""The shape of expressions: which rows they hang on, and which two of them are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from dbgate_core.sql.target import Owner, Target, column_path
from dbgate_core.sql.tree import Node, children, inner, kind, present

Key: TypeAlias = "tuple[object, ...]"
_ARITHMETIC: Final = frozenset({"+", "-", "*", "/"})
_NEGATIONS: Final = {"=": "<>", "<": ">=", ">": "<=", "~~": "!~~", "~~*": "!~~*", "~": "!~",
                     "~*": "!~*"}  # fmt: skip
_OPPOSITES: Final = {**_NEGATIONS, **{right: left for left, right in _NEGATIONS.items()}}
_IGNORED: Final = frozenset(
    {"location", "rexpr_list_start", "rexpr_list_end", "list_start", "list_end"}
)

_BARE: Final = frozenset({"target_list", "limit_option", "op"})
"""The fields of a query that is no more than an expression."""
_EXPRESSION_SUBLINK: Final = 5  # SubLinkType


def depends(node: Node, target: Target) -> bool:
    """Does the value hang on the target's row."""
    name = kind(node)
    if not name:
        return False
    if name == "column_ref":
        return target.owner(column_path(node)) is Owner.TARGET
    if name == "select_stmt":
        return query_depends(node.select_stmt, target)
    if name == "a_expr" and _times_nothing(node.a_expr):
        return False
    return any(depends(child, target) for child in children(inner(node)))


def query_depends(select: Node, target: Target) -> bool:
    """Does a sub-select hang on the row outside."""
    inside = target.within(select.from_clause)
    if present(select, "larg"):
        return query_depends(select.larg, target) or query_depends(select.rarg, target)
    return any(depends(child, inside) for child in children(select))


def _times_nothing(expression: Node) -> bool:
    if len(expression.name) != 1 or expression.name[0].string.sval != "*":
        return False
    return any(
        kind(side) == "a_const" and side.a_const.HasField("ival") and side.a_const.ival.ival == 0
        for side in (expression.lexpr, expression.rexpr)
    )


def key_of(node: Node, target: Target, *, twins: bool) -> Key:
    """What two expressions have in common when they are the same.

    Places in the text are left out, and how a column of the target is qualified. With `twins`,
    columns of unfiltered copies of the target are taken for its own. `(SELECT id)` is `id`.
    """
    node = _selected(node)
    name = kind(node)
    if name == "column_ref":
        path = column_path(node)
        owner = target.owner(path)
        if owner is Owner.TARGET or (twins and owner is Owner.TWIN):
            return ("column", path[-1])
        return ("column", *path)
    if not name:
        return ()
    return (name, _message_key(inner(node), target, twins))


def _selected(node: Node) -> Node:
    """What a sub-select without a FROM or a condition gives, else the node itself."""
    while kind(node) == "sub_link" and not present(node.sub_link, "testexpr"):
        select = node.sub_link.subselect.select_stmt
        fields = {field.name for field, _ in select.ListFields()} - _BARE
        expression = node.sub_link.sub_link_type == _EXPRESSION_SUBLINK
        if fields or not expression or len(select.target_list) != 1:
            return node
        node = select.target_list[0].res_target.val
    return node


def _message_key(message: Node, target: Target, twins: bool) -> Key:
    parts: list[object] = []
    for field, value in message.ListFields():
        if field.name in _IGNORED:
            continue
        if field.message_type is None:
            parts.append((field.name, tuple(value) if field.is_repeated else value))
            continue
        values = value if field.is_repeated else [value]
        parts.append((field.name, *(_part_key(item, target, twins) for item in values)))
    return tuple(parts)


def _part_key(item: Node, target: Target, twins: bool) -> Key:
    if item.DESCRIPTOR.name == "Node":
        return key_of(item, target, twins=twins)
    return _message_key(item, target, twins)


def complements(items: Iterable[Node], target: Target) -> bool:
    """Is one of the conditions the negation of another."""
    seen: set[Key] = set()
    for item in items:
        seen.add(key_of(item, target, twins=False))
        if seen & set(_negations(item, target)):
            return True
    return False


def _negations(node: Node, target: Target) -> Iterator[Key]:
    """The keys of the conditions that are true where this one is false, nulls aside."""
    own = key_of(node, target, twins=False)
    name = kind(node)
    if name == "bool_expr" and node.bool_expr.boolop == 3:
        yield key_of(node.bool_expr.args[0], target, twins=False)
    copy = type(node)()
    copy.CopyFrom(node)
    if name == "null_test":
        copy.null_test.nulltesttype = 3 - copy.null_test.nulltesttype
    elif name == "boolean_test":
        kinds = {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5}
        copy.boolean_test.booltesttype = kinds[copy.boolean_test.booltesttype]
    elif name == "a_expr":
        _negate(copy.a_expr)
    negation = key_of(copy, target, twins=False)
    if negation != own:
        yield negation
    reverse = type(node)()
    reverse.bool_expr.boolop = 3
    reverse.bool_expr.args.add().CopyFrom(node)
    yield key_of(reverse, target, twins=False)


def _negate(expression: Node) -> None:
    """Turn the comparison round in place, where it has an opposite."""
    names = expression.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_name
    form = expression.kind
    swaps = {
        names["AEXPR_DISTINCT"].number: names["AEXPR_NOT_DISTINCT"].number,
        names["AEXPR_BETWEEN"].number: names["AEXPR_NOT_BETWEEN"].number,
        names["AEXPR_BETWEEN_SYM"].number: names["AEXPR_NOT_BETWEEN_SYM"].number,
    }
    swaps.update({after: before for before, after in list(swaps.items())})
    word = expression.name[len(expression.name) - 1].string
    if form in swaps:
        expression.kind = swaps[form]
        if "BETWEEN" in word.sval:
            word.sval = word.sval[4:] if word.sval.startswith("NOT ") else f"NOT {word.sval}"
    else:
        word.sval = _OPPOSITES.get(word.sval, word.sval)


def self_arithmetic(left: Node, right: Node, target: Target) -> bool:
    """`id + 1 > id`, `id - id = 0`: one column of the row, twice or more, in plain arithmetic."""
    found: list[Key] = []
    for side in (left, right):
        if not _arithmetic(side, target, found):
            return False
    return len(found) > 1 and len(set(found)) == 1


def _arithmetic(node: Node, target: Target, found: list[Key]) -> bool:
    name = kind(node)
    if name == "column_ref":
        found.append(key_of(node, target, twins=False))
        return True
    if name == "type_cast":
        return _arithmetic(node.type_cast.arg, target, found)
    if name == "a_expr":
        operator = node.a_expr.name[len(node.a_expr.name) - 1].string.sval
        sides = [side for side in (node.a_expr.lexpr, node.a_expr.rexpr) if kind(side)]
        return operator in _ARITHMETIC and all(_arithmetic(side, target, found) for side in sides)
    return name in ("a_const", "param_ref")
