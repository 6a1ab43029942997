"""The shape of expressions: which rows they hang on, and which two of them are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from dbgate_core.sql.reducing import blind, reduced
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


def depends(node: Node, target: Target) -> bool:
    """Does the value hang on the target's row."""
    name = kind(node)
    if not name:
        return False
    if name == "column_ref":
        return target.picks(column_path(node))
    if name == "select_stmt":
        return query_depends(node.select_stmt, target)
    if blind(node):
        return False
    return any(depends(child, target) for child in children(inner(node)))


def query_depends(select: Node, target: Target) -> bool:
    """Does a sub-select hang on the row outside."""
    inside = target.within(select.from_clause)
    if present(select, "larg"):
        return query_depends(select.larg, target) or query_depends(select.rarg, target)
    return any(depends(child, inside) for child in children(select))


def key_of(node: Node, target: Target, *, twins: bool) -> Key:
    """What two expressions have in common when they are the same.

    Places in the text are left out, and how a column of the target is qualified, and what changes
    nothing: `(SELECT id)`, `id + 0` and `least(id, id)` are `id`. With `twins`, columns of unfiltered
    copies of the target are taken for its own.
    """
    node = reduced(node, target)
    name = kind(node)
    if name == "column_ref":
        path = column_path(node)
        owner = target.owner(path)
        if owner is Owner.TARGET or (twins and owner is Owner.TWIN):
            return ("column", "*" if target.is_whole_row(path) else path[-1])
        return ("column", *path)
    if not name:
        return ()
    if name == "min_max_expr":
        keys = [key_of(item, target, twins=twins) for item in node.min_max_expr.args]
        return keys[0] if len(set(keys)) == 1 else (name, node.min_max_expr.op, *keys)
    return (name, _message_key(inner(node), target, twins))


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


def shares(left: Node, operator: str, right: Node, target: Target) -> bool:
    """`array[id, 1] && array[id]`, `array[id, 1] @> array[id]`: lists of which one holds the other's."""
    if kind(left) != "a_array_expr" or kind(right) != "a_array_expr":
        return False
    own, other = (
        {key_of(item, target, twins=False) for item in side.a_array_expr.elements}
        for side in (left, right)
    )
    holds = {"&&": bool(own & other), "@>": other <= own, "<@": own <= other}
    return holds.get(operator, False)


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
