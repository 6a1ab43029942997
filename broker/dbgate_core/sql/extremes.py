"""A row against all rows of its own table, or against those that it must point to.

`id >= (SELECT min(id) FROM t)` is true of every row of t, and so is a foreign key that is looked for in
the table it points to.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.sql.shapes import Key, key_of
from dbgate_core.sql.target import Target, column_path, gives_all_rows
from dbgate_core.sql.tree import Node, kind, present, strings

_EXPRESSION_SUBLINK: Final = 5  # SubLinkType
_REACHED: Final = {("min", ">="), ("max", "<=")}
_MIRRORED: Final = {">=": "<=", "<=": ">="}


def beyond_all(left: Node, operator: str, right: Node, target: Target) -> bool:
    """Is it `id >= (SELECT min(id) FROM t)`, `(SELECT max(id) FROM t) >= id` or the like."""
    if kind(left) == "sub_link":
        left, right, operator = right, left, _MIRRORED.get(operator, "")
    if kind(right) != "sub_link" or right.sub_link.sub_link_type != _EXPRESSION_SUBLINK:
        return False
    return beyond_selected(left, operator, right.sub_link.subselect.select_stmt, target)


def beyond_selected(left: Node, operator: str, select: Node, target: Target) -> bool:
    """Does the query give the extreme of what is compared with it, over all rows."""
    found = _extreme(select, target)
    if found is None:
        return False
    function, key = found
    return (function, operator) in _REACHED and key == key_of(left, target, twins=True)


def _extreme(select: Node, target: Target) -> tuple[str, Key] | None:
    if len(select.target_list) != 1 or select.group_clause:
        return None
    value = select.target_list[0].res_target.val
    if kind(value) != "func_call" or len(value.func_call.args) != 1:
        return None
    call = value.func_call
    if present(call, "agg_filter") or present(call, "over"):
        return None
    if not gives_all_rows(target.walk, select, target.relation, target.ctes):
        return None
    inside = target.within(select.from_clause)
    return strings(call.funcname)[-1], key_of(call.args[0], inside, twins=True)


def points_there(left: Node, select: Node, target: Target) -> bool:
    """Is the value a foreign key that is never null, and the query all of what it points to."""
    catalog, found = target.walk.catalog, target.walk.find(target.relation)
    if catalog is None or found is None or not target.is_filled(left):
        return False
    if len(select.from_clause) != 1 or len(select.target_list) != 1:
        return False
    item, listed = select.from_clause[0], select.target_list[0].res_target.val
    if kind(item) != "range_var" or kind(listed) != "column_ref":
        return False
    there = target.walk.relation(item.range_var)
    pointed = target.walk.find(there)
    if pointed is None or not gives_all_rows(target.walk, select, there, target.ctes):
        return False
    own, key = frozenset(column_path(left)[-1:]), frozenset(column_path(listed)[-1:])
    return any(
        reference.relation == found.oid and (reference.columns, reference.keys) == (own, key)
        for reference in catalog.behaviour.references.get(pointed.oid, ())
    )
