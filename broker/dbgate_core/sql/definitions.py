"""CREATE, ALTER, DROP and TRUNCATE of relations, and DROP of everything else."""

from __future__ import annotations

from typing import Final

from dbgate_core.sql.altering import altered
from dbgate_core.sql.effects import Action, Danger, Effect, Relation
from dbgate_core.sql.objects import (
    TEMPORARY_SCHEMA,
    camel_words,
    enum_name,
    object_kind,
    object_path,
    role_name,
)
from dbgate_core.sql.queries import created
from dbgate_core.sql.reach import truncated
from dbgate_core.sql.tree import Node, kind, present
from dbgate_core.sql.walk import Handler, Scope, Walk

_DETAILS: Final = {
    "disable trig": "disable trigger", "disable trig all": "disable trigger",
    "disable trig user": "disable trigger", "enable trig": "enable trigger",
    "enable trig all": "enable trigger", "enable trig user": "enable trigger",
    "enable always trig": "enable trigger", "enable replica trig": "enable replica trigger",
    "alter column type": "alter column type", "no force row security": "no force row security",
    "set un logged": "set unlogged", "set rel options": "set options",
    "reset rel options": "reset options", "set table space": "set tablespace", "column default": "alter column default",
}  # fmt: skip
_COLUMN_COMMANDS: Final = ("column", "not null", "expression", "identity", "storage", "compression")


def _relation_name(relation: Node) -> str:
    return str(Relation(relation.schemaname, relation.relname))


def _create_table(walk: Walk, create: Node, scope: Scope) -> None:
    created(walk, create.relation, "table")
    walk.parts(create, None)


def _create_foreign_table(walk: Walk, create: Node, scope: Scope) -> None:
    name = _relation_name(create.base_stmt.relation)
    walk.changes_schema = True
    walk.add(Effect(Action.CREATE, name, "foreign table", danger=Danger.NETWORK))
    walk.parts(create.base_stmt, None)


def _alter_table(walk: Walk, alter: Node, scope: Scope) -> None:
    relation = walk.relation(alter.relation)
    what = object_kind(alter)
    walk.writes.add(relation)
    for item in alter.cmds:
        command = item.alter_table_cmd
        words = camel_words(enum_name(command, "subtype").removeprefix("AT_"))
        detail = _DETAILS.get(words, words)
        if detail == "change owner":
            owner = f"owner {role_name(command.newowner)}"
            walk.changes_schema = True
            walk.add(Effect(Action.GRANT, str(relation), what, detail=owner))
            continue
        named = any(word in detail for word in _COLUMN_COMMANDS) and command.name
        columns = (command.name,) if named else _new_columns(command)
        altered(walk, str(relation), what, detail, columns=columns)
        walk.parts(command, None)


def _new_columns(command: Node) -> tuple[str, ...]:
    added = kind(getattr(command, "def")) == "column_def" and getattr(command, "def").column_def
    return (added.colname,) if added and added.colname else ()


def _drop(walk: Walk, drop: Node, scope: Scope) -> None:
    what = object_kind(drop, "remove_type")
    detail = "cascade" if enum_name(drop, "behavior") == "DROP_CASCADE" else ""
    walk.changes_schema = True
    for item in drop.objects:
        path = object_path(item)
        temporary = len(path) > 1 and path[0] == TEMPORARY_SCHEMA
        if what in ("table", "view", "materialized view", "foreign table", "sequence"):
            relation = walk.named(".".join(path[:-1]), path[-1])
            walk.writes.add(relation)
            path = (str(relation),)
        walk.add(Effect(Action.DROP, ".".join(path), what, destructive=not temporary,
                        detail="temporary" if temporary else detail))  # fmt: skip


def _truncate(walk: Walk, truncate: Node, scope: Scope) -> None:
    detail = "cascade" if enum_name(truncate, "behavior") == "DROP_CASCADE" else ""
    for item in truncate.relations:
        relation = walk.relation(item.range_var)
        walk.writes.add(relation)
        walk.add(Effect(Action.TRUNCATE, str(relation), walk.kind_of(relation), detail=detail,
                        destructive=item.range_var.schemaname != TEMPORARY_SCHEMA))  # fmt: skip
        truncated(walk, relation, cascade=bool(detail))


def _rename(walk: Walk, rename: Node, scope: Scope) -> None:
    what = object_kind(rename, "rename_type")
    on_relation = present(rename, "relation")
    name = (
        str(walk.relation(rename.relation)) if on_relation else ".".join(object_path(rename.object))
    )
    if what == "role":
        walk.add(Effect(Action.GRANT, rename.subname, what, detail="rename"))
    elif what in ("column", "attribute"):
        what = object_kind(rename, "relation_type")
        altered(walk, name, what, "rename column", columns=(rename.subname,))
    elif what in ("constraint", "trigger", "rule", "policy"):
        altered(walk, f"{name}.{rename.subname}", what, "rename")
    else:
        altered(walk, name or rename.subname, what, "rename")


def _alter_schema(walk: Walk, alter: Node, scope: Scope) -> None:
    on_relation = present(alter, "relation")
    name = (
        str(walk.relation(alter.relation)) if on_relation else ".".join(object_path(alter.object))
    )
    altered(walk, name, object_kind(alter, "object_type"), "set schema")


def _index(walk: Walk, index: Node, scope: Scope) -> None:
    relation = walk.relation(index.relation)
    walk.changes_schema = True
    detail = "concurrently" if index.concurrent else ""
    walk.add(
        Effect(Action.CREATE, f"{index.idxname or 'index'} on {relation}", "index", detail=detail)
    )
    walk.parts(index, None)


def _sequence(walk: Walk, create: Node, scope: Scope) -> None:
    created(walk, create.sequence, "sequence")


def _alter_sequence(walk: Walk, alter: Node, scope: Scope) -> None:
    relation = walk.relation(alter.sequence)
    walk.writes.add(relation)
    options = {item.def_elem.defname for item in alter.options}
    altered(walk, str(relation), "sequence", "restart" if "restart" in options else "options")


def _comment(walk: Walk, comment: Node, scope: Scope) -> None:
    name = ".".join(object_path(comment.object))
    walk.add(Effect(Action.ALTER, name, "comment", detail=object_kind(comment)))


HANDLERS: Final[dict[str, Handler]] = {
    "create_stmt": _create_table,
    "create_foreign_table_stmt": _create_foreign_table,
    "alter_table_stmt": _alter_table,
    "drop_stmt": _drop,
    "truncate_stmt": _truncate,
    "rename_stmt": _rename,
    "alter_object_schema_stmt": _alter_schema,
    "index_stmt": _index,
    "create_seq_stmt": _sequence,
    "alter_seq_stmt": _alter_sequence,
    "comment_stmt": _comment,
}
