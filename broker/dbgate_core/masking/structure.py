"""DDL that would move protected values out of sight: by another name, type, default or rule.

A column is protected for its name, table, type and comment (classes.py), so these must not be
changed away from under its values; what its values showed follows it. Defaults, generated columns, rules, operators and casts run by
themselves later, where no statement shows what they read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dbgate_core.masking.classes import classify_column
from dbgate_core.masking.lineage import runs_foreign_code
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.objects import object_kind, object_path
from dbgate_core.sql.tree import Node, children, inner, kind, present, strings

_ACQUITTING: Final = frozenset({"bool", "timestamp", "timestamptz", "time", "timetz", "interval",
                                "int2", "oid", "money"})  # fmt: skip
"""Types whose columns count as clean, or as clean of most: a class by name does not survive them."""
_LATER: Final = "would run code later that cannot be followed"


def hidden_change(node: Node, scope: Scope) -> str:
    """Why the DDL would uncover or copy protected values; empty when it does not."""
    match kind(node):
        case "create_stmt":
            return _columns(list(node.create_stmt.table_elts), node.create_stmt.relation, scope)
        case "alter_table_stmt":
            return _altered(node.alter_table_stmt, scope)
        case "rename_stmt":
            return _renamed(node.rename_stmt, scope)
        case "comment_stmt":
            return _commented(node.comment_stmt, scope)
        case "define_stmt" if object_kind(node.define_stmt, "kind") == "operator":
            return f"an operator {_LATER}"
        case "create_cast_stmt" if present(node.create_cast_stmt, "func"):
            return f"a cast {_LATER}"
    return ""


def _renamed(rename: Node, scope: Scope) -> str:
    if not present(rename, "relation"):
        return ""
    old, what = rename.relation.relname, object_kind(rename, "rename_type")
    protected = _named(rename.relation, scope)
    lost = ""
    if what == "column" and (rename.subname in protected or classed(old, rename.subname)):
        kept = classed(old, rename.newname, comment=protected.get(rename.subname, ""))
        lost = "" if kept else rename.subname
    elif what in ("table", "foreign table"):
        named = [name for name in (*protected, "name") if name in protected or classed(old, name)]
        kept_by = {name: protected.get(name, "") for name in named}
        lost = next(
            (n for n, said in kept_by.items() if not classed(rename.newname, n, comment=said)), ""
        )
    return f"{lost} would not be known for what it is any more" if lost else ""


def _commented(comment: Node, scope: Scope) -> str:
    """A comment may be why a column is protected."""
    if object_kind(comment, "objtype") != "column":
        return ""
    *place, name = object_path(comment.object)
    relation = scope.found(place[-2] if len(place) > 1 else "", place[-1]) if place else None
    column = relation.column(name) if relation is not None else None
    if relation is None or column is None or not column.classes - column.found:
        return ""
    kept = classed(relation.name, name, comment=comment.comment)
    return "" if kept else f"{name} would not be known for what it is any more"


def _protected(relation: Node, scope: Scope) -> set[str]:
    """A table's protected columns; a view's are so for what it reads."""
    found = scope.found(relation.schemaname, relation.relname)
    if found is None or found.definition:
        return set()
    return {column.name for column in found.columns if column.classes}


def _named(relation: Node, scope: Scope) -> dict[str, str]:
    """Those of a table that are protected for what they are called, and their comments."""
    found = scope.found(relation.schemaname, relation.relname)
    if found is None or found.definition:
        return {}
    return {
        column.name: column.comment for column in found.columns if column.classes - column.found
    }


def classed(table: str, name: str, type_name: str = "text", comment: str = "") -> bool:
    """Would a column of that name be protected: also one that the catalog does not know yet."""
    return bool(classify_column(table, name, type_name, comment))


def _altered(alter: Node, scope: Scope) -> str:
    protected, table = _named(alter.relation, scope), alter.relation.relname
    added: list[Node] = []
    for item in alter.cmds:
        command = item.alter_table_cmd
        if not present(command, "def"):
            continue
        definition = getattr(command, "def")
        if kind(definition) != "column_def":
            if kind(definition) == "constraint":
                added.append(definition)
            elif runs_foreign_code(definition, scope):
                return f"a default {_LATER}"
        elif _acquits(definition.column_def) and (
            command.name in protected or (command.name and classed(table, command.name))
        ):
            return f"{command.name} would not be known for what it is any more"
        else:
            added.append(definition)
    return _columns(added, alter.relation, scope)


def _acquits(column: Node) -> bool:
    names = strings(column.type_name.names)
    return bool(names) and names[-1] in _ACQUITTING


def _columns(elements: list[Node], relation: Node, scope: Scope) -> str:
    """Column definitions and table constraints of CREATE and ALTER TABLE."""
    columns = [e.column_def for e in elements if kind(e) == "column_def"]
    types = {c.colname: strings(c.type_name.names)[-1] for c in columns if c.type_name.names}
    known = {
        name for name, type_name in types.items() if classed(relation.relname, name, type_name)
    }
    known |= _protected(relation, scope)
    for column in columns:
        for item in column.constraints:
            if reason := _constraint(item.constraint, (column.colname,), known, scope):
                return reason
    for element in elements:
        if kind(element) == "constraint":
            constraint = element.constraint
            if reason := _constraint(constraint, strings(constraint.fk_attrs), known, scope):
                return reason
    return ""


def _constraint(constraint: Node, columns: tuple[str, ...], known: set[str], scope: Scope) -> str:
    if present(constraint, "raw_expr") and object_kind(constraint, "contype") != "check":
        if runs_foreign_code(constraint.raw_expr, scope):
            return f"the default of {columns[0] if columns else 'a column'} {_LATER}"
        if known.intersection(_names(constraint.raw_expr)) and not known.issuperset(columns):
            return f"{columns[0]} would hold protected values"
    if constraint.fk_upd_action == "c" and any(name not in known for name in columns):
        target = constraint.pktable
        keys = strings(constraint.pk_attrs)
        protected = _protected(target, scope)
        if protected and (not keys or protected & set(keys)):
            return f"{columns[0]} would hold protected values"
    return ""


def _names(node: Node) -> Iterator[str]:
    """The last names of the columns that an expression reads."""
    if kind(node) == "column_ref":
        yield strings(node.column_ref.fields)[-1]
    elif kind(node):
        for child in children(inner(node)):
            yield from _names(child)
