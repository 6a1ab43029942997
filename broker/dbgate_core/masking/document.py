"""Documents in a column: which of their members are protected, and which member a query asks for.

A member that was never seen carries all that the documents do, for nobody has looked at it; so does an
object or array within, for it may hold such members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dbgate_core.masking.classes import DataClass
from dbgate_core.sql.tree import Node, inner, kind, present, strings

if TYPE_CHECKING:
    from dbgate_core.masking.carried import Carried
    from dbgate_core.masking.scope import Scope

ANY: Final = "*"
_MEMBER_OPERATORS: Final = frozenset({"->", "->>"})
_EDITS: Final = frozenset({"jsonb_set", "jsonb_set_lax", "jsonb_insert", "jsonb_strip_nulls"})
_EDITING: Final = frozenset({("||",), ("-",), ("#-",)})
_AEXPR_OP: Final = 1
"""A_Expr_Kind AEXPR_OP (pg_query.proto)."""


@dataclass(frozen=True, slots=True)
class Document:
    """The scalar members that were seen in a column's documents, with their classes (none: shown)."""

    members: tuple[tuple[tuple[str, ...], frozenset[DataClass]], ...]

    def below(self, keys: tuple[str, ...]) -> tuple[frozenset[DataClass], bool] | None:
        """The classes of a member and all in it, and whether it is a scalar; None: never seen."""
        found = [(path, own) for path, own in self.members if _within(path, keys)]
        if not found:
            return None
        scalar = all(len(path) == len(keys) for path, _ in found)
        return frozenset().union(*(own for _, own in found)), scalar


def _within(path: tuple[str, ...], keys: tuple[str, ...]) -> bool:
    if len(path) < len(keys):
        return False
    return all(ANY in (have, key) or have == key for have, key in zip(path, keys, strict=False))


def member(node: Node, scope: Scope) -> tuple[Carried, tuple[str, ...]] | None:
    """The column and the keys of `column -> 'a' ->> 'b'`; None for anything else.

    Only with constants, and where no operator of a user's may stand behind the sign.
    """
    keys: list[str] = []
    while kind(node) == "a_expr":
        step = node.a_expr
        signs = strings(step.name)
        if step.kind != _AEXPR_OP or len(signs) != 1 or signs[0] not in _MEMBER_OPERATORS:
            return None
        key = _key(step.rexpr)
        if key is None or signs[0] in scope.catalog.behaviour.operators:
            return None
        keys.insert(0, key)
        node = step.lexpr
    if kind(node) == "type_cast" and strings(node.type_cast.type_name.names)[-1] in (
        "json",
        "jsonb",
    ):
        node = node.type_cast.arg
    if not keys or kind(node) != "column_ref":
        return None
    return scope.column(strings(node.column_ref.fields)), tuple(keys)


def edits_itself(
    assignment: Node, alias: str, scope: Scope, carries: Callable[[Node, Scope], Carried]
) -> bool:
    """`d = d || clean`, `d = jsonb_set(d, path, clean)`: what a document holds stays where it is.

    `excluded.d`, the row that INSERT proposed, was asked about as what is inserted.
    """
    name = assignment.name
    own = ((name,), (alias, name), ("excluded", name))

    def clean(nodes: Iterable[Node]) -> bool:
        return all(carries(node, scope).clean for node in nodes)

    def stays(node: Node) -> bool:
        match kind(node):
            case "column_ref":
                return strings(node.column_ref.fields) in own
            case "func_call" if _built_in(node.func_call.funcname, scope):
                first, *others = node.func_call.args
                return stays(first) and clean(others)
            case "coalesce_expr":
                return all(stays(part) or clean([part]) for part in node.coalesce_expr.args)
            case "a_expr" if _edits(node.a_expr.name, scope):
                right = node.a_expr.rexpr
                return stays(node.a_expr.lexpr) and (clean([right]) or stays(right))
        return False

    return stays(assignment.val)


def same_places(carried: Carried, held: Carried | None) -> bool:
    """Is it a whole document, of which the column that takes it shows no more than its own does."""
    if carried.document is None or held is None or held.document is None:
        return False
    shown, before = held.document, carried.document
    for path, _ in (*shown.members, *before.members):
        inside, own = shown.below(path), before.below(path)
        if inside is not None and (own is None or not own[0] <= inside[0]):
            return False
    return True


def _built_in(name: Node, scope: Scope) -> bool:
    last = strings(name)[-1]
    return last in _EDITS and last not in scope.catalog.functions


def _edits(signs: Node, scope: Scope) -> bool:
    path = strings(signs)
    return path in _EDITING and path[0] not in scope.catalog.behaviour.operators


def _key(node: Node) -> str | None:
    """A constant key; an index is any element."""
    if kind(node) != "a_const":
        return None
    constant = inner(node)
    if present(constant, "ival"):
        return ANY
    return str(constant.sval.sval) if present(constant, "sval") else None
