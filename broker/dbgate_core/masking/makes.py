"""Which tables a text makes, and which names it gives to relations: looked for once in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dbgate_core.errors import DbgateError
from dbgate_core.masking.foreseen import foreseen
from dbgate_core.sql.objects import enum_name
from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import Node, inner, kind, present

_ON_COMMIT_DROP: Final = 4  # OnCommitAction


@dataclass(frozen=True, slots=True)
class Naming:
    """A name that a relation gets. `old` is the one that it had; empty when it is new."""

    name: str
    schema: str
    old: str
    temporary: bool

    def hides(self, known: frozenset[str], anywhere: bool) -> bool:
        """May the relation be a temporary one: it says so, has been one, or the path leads there."""
        return self.temporary or self.old in known or (anywhere and not self.schema)


@dataclass(frozen=True, slots=True)
class Makes:
    """What one text makes.

    `temporary` are the names of the temporary tables that it makes to stay: not those ON COMMIT DROP.
    `alone` are those of ordinary tables; none when it does anything else besides, when nothing is
    certain to have been made, when what is done to another table could fill one (partitions, children,
    cascades), or when the system's own would be found first.
    """

    temporary: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()
    namings: tuple[Naming, ...] = ()

    def temporary_names(self, known: frozenset[str], *, anywhere: bool = False) -> frozenset[str]:
        """The names that it gives to temporary relations, or takes for those that are `known`.

        With `anywhere` every relation that it makes without a schema counts, for the path may begin
        with pg_temp.
        """
        return frozenset(given.name for given in self.namings if given.hides(known, anywhere))


@foreseen
def makes(text: str) -> Makes:
    """What the text makes; nothing when it cannot be parsed, for then it is never forwarded."""
    try:
        nodes = [raw.stmt for raw in parse(text).stmts]
    except DbgateError:
        return Makes()
    return Makes(_to_stay(nodes), _alone(nodes), tuple(filter(None, map(_naming, nodes))))


def made_table(node: Node) -> tuple[Node | None, int]:
    """The RangeVar of the table that the statement makes, and what a commit does to it."""
    if kind(node) == "create_stmt":
        return node.create_stmt.relation, node.create_stmt.oncommit
    if kind(node) == "create_table_as_stmt":
        return node.create_table_as_stmt.into.rel, node.create_table_as_stmt.into.on_commit
    if kind(node) == "select_stmt" and present(node.select_stmt, "into_clause"):
        return node.select_stmt.into_clause.rel, node.select_stmt.into_clause.on_commit
    return None, 0


def is_temporary(relation: Node) -> bool:
    """Does the RangeVar say so, or its schema."""
    return bool(relation.relpersistence == "t" or relation.schemaname == "pg_temp")


def _to_stay(nodes: list[Node]) -> frozenset[str]:
    found = map(made_table, nodes)
    return frozenset(
        str(relation.relname)
        for relation, on_commit in found
        if relation is not None
        and is_temporary(relation)
        and relation.schemaname in ("", "pg_temp")
        and on_commit != _ON_COMMIT_DROP
    )


def _alone(nodes: list[Node]) -> frozenset[str]:
    if not all(map(_stands_alone, nodes)):
        return frozenset()
    made = (made_table(node)[0] for node in nodes)
    return frozenset(str(relation.relname) for relation in made if relation is not None)


def _stands_alone(node: Node) -> bool:
    """Is it a CREATE TABLE, without IF NOT EXISTS, of a table that others cannot reach into."""
    made = made_table(node)[0]
    if made is None or made.schemaname or is_temporary(made) or made.relname.startswith("pg_"):
        return False
    statement = inner(node)
    if kind(node) == "create_table_as_stmt":
        plain = enum_name(statement, "objtype") == "OBJECT_TABLE" and not statement.if_not_exists
        return plain and kind(statement.query) == "select_stmt"
    if kind(node) != "create_stmt" or statement.if_not_exists:
        return False
    reached = statement.inh_relations or statement.constraints or present(statement, "of_typename")
    if reached or present(statement, "partbound") or present(statement, "partspec"):
        return False
    return not any(_fills(element) for element in statement.table_elts)


def _fills(element: Node) -> bool:
    """May values come to the table by one of its columns or constraints."""
    if kind(element) == "constraint":
        return _is_cascade(element.constraint)
    if kind(element) != "column_def":
        return kind(element) != "table_like_clause"
    return any(_is_cascade(item.constraint) for item in element.column_def.constraints)


def _is_cascade(constraint: Node) -> bool:
    return bool(constraint.fk_upd_action == "c")


def _naming(node: Node) -> Naming | None:
    name = kind(node)
    if name == "explain_stmt":
        return _naming(node.explain_stmt.query)
    if name == "rename_stmt":
        old = node.rename_stmt.relation
        temporary = old.schemaname == "pg_temp"
        return Naming(str(node.rename_stmt.newname), old.schemaname, old.relname, temporary)
    made = node.view_stmt.view if name == "view_stmt" else made_table(node)[0]
    if made is None:
        return None
    return Naming(str(made.relname), made.schemaname, "", is_temporary(made))
