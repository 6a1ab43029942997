"""CREATE, ALTER, DROP, TRUNCATE: one effect for each thing, and what their expressions call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

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
from dbgate_core.sql.tree import Node, kind, present, strings
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
_DESTRUCTIVE: Final = frozenset(
    {
        "drop column", "alter column type", "drop constraint", "drop expression", "drop identity",
        "detach partition", "detach partition finalize", "disable trigger", "enable replica trigger",
        "disable rule", "enable replica rule", "disable row security", "no force row security",
        "drop inherit", "set unlogged",
    }
)  # fmt: skip
"""Forms of ALTER that lose data or switch a protection off."""
_COLUMN_COMMANDS: Final = ("column", "not null", "expression", "identity", "storage", "compression")
_UNTRUSTED: Final = frozenset({"c", "internal", "plpythonu", "plpython3u", "plperlu", "pltclu"})
_SAFE_LANGUAGES: Final = frozenset({"sql", "plpgsql"})


def _relation_name(relation: Node) -> str:
    return str(Relation(relation.schemaname, relation.relname))


def _alter(walk: Walk, name: str, what: str, detail: str, columns: tuple[str, ...] = ()) -> None:
    walk.changes_schema = True
    destructive = detail in _DESTRUCTIVE
    written = frozenset(columns)
    walk.add(Effect(Action.ALTER, name, what, detail=detail, columns=written,
                    destructive=destructive))  # fmt: skip


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
        _alter(walk, str(relation), what, detail, columns=columns)
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
        _alter(walk, name, what, "rename column", columns=(rename.subname,))
    elif what in ("constraint", "trigger", "rule", "policy"):
        _alter(walk, f"{name}.{rename.subname}", what, "rename")
    else:
        _alter(walk, name or rename.subname, what, "rename")


def _alter_schema(walk: Walk, alter: Node, scope: Scope) -> None:
    on_relation = present(alter, "relation")
    name = (
        str(walk.relation(alter.relation)) if on_relation else ".".join(object_path(alter.object))
    )
    _alter(walk, name, object_kind(alter, "object_type"), "set schema")


def _index(walk: Walk, index: Node, scope: Scope) -> None:
    relation = walk.relation(index.relation)
    walk.changes_schema = True
    detail = "concurrently" if index.concurrent else ""
    walk.add(
        Effect(Action.CREATE, f"{index.idxname or 'index'} on {relation}", "index", detail=detail)
    )
    walk.parts(index, None)


def _create_function(walk: Walk, create: Node, scope: Scope) -> None:
    path = strings(create.funcname)
    options = {item.def_elem.defname: item.def_elem for item in create.options}
    language = options["language"].arg.string.sval.lower() if "language" in options else "sql"
    security = options.get("security")
    words = ["or replace"] if create.replace else []
    if security is not None and security.arg.boolean.boolval:
        words.append("security definer")
    walk.created.add(path[-1])
    walk.changes_schema = True
    safe = language in _SAFE_LANGUAGES
    walk.add(Effect(Action.CREATE, ".".join(path), "procedure" if create.is_procedure else "function",
                    danger=Danger.NONE if safe else Danger.CODE,
                    detail=" ".join([*words, *([] if safe else [f"language {language}"])])))  # fmt: skip
    walk.parts(create, None)


def _trigger(walk: Walk, trigger: Node, scope: Scope) -> None:
    relation = walk.relation(trigger.relation)
    walk.changes_schema = True
    walk.writes.add(relation)
    walk.add(Effect(Action.CREATE, f"{relation}.{trigger.trigname}", "trigger",
                    detail=f"executes {'.'.join(strings(trigger.funcname))}"))  # fmt: skip
    walk.parts(trigger, None)


def _rule(walk: Walk, rule: Node, scope: Scope) -> None:
    relation = walk.relation(rule.relation)
    walk.changes_schema = True
    walk.writes.add(relation)
    walk.add(Effect(Action.CREATE, f"{relation}.{rule.rulename}", "rule"))
    walk.parts(rule, {}, frozenset({"relation"}))


def _policy(walk: Walk, policy: Node, scope: Scope) -> None:
    action = Action.CREATE if policy.DESCRIPTOR.name.startswith("Create") else Action.ALTER
    relation = walk.relation(policy.table)
    walk.changes_schema = True
    walk.add(Effect(action, f"{relation}.{policy.policy_name}", "policy"))
    walk.parts(policy, None, frozenset({"table"}))


def _create_schema(walk: Walk, create: Node, scope: Scope) -> None:
    walk.changes_schema = True
    name = create.schemaname or role_name(create.authrole)
    walk.add(Effect(Action.CREATE, name, "schema"))
    walk.push_all(create.schema_elts, None)


def _sequence(walk: Walk, create: Node, scope: Scope) -> None:
    created(walk, create.sequence, "sequence")


def _alter_sequence(walk: Walk, alter: Node, scope: Scope) -> None:
    relation = walk.relation(alter.sequence)
    walk.writes.add(relation)
    options = {item.def_elem.defname for item in alter.options}
    _alter(walk, str(relation), "sequence", "restart" if "restart" in options else "options")


def _define(walk: Walk, define: Node, scope: Scope) -> None:
    """CREATE AGGREGATE, OPERATOR, TYPE, TEXT SEARCH ..., COLLATION."""
    path = strings(define.defnames)
    what = object_kind(define, "kind")
    if what == "aggregate":
        walk.created.add(path[-1])
    walk.changes_schema = True
    walk.add(Effect(Action.CREATE, ".".join(path), what))


def _create_extension(walk: Walk, create: Node, scope: Scope) -> None:
    walk.changes_schema = True
    walk.add(Effect(Action.CREATE, create.extname, "extension"))


def _alter_extension(walk: Walk, alter: Node, scope: Scope) -> None:
    _alter(
        walk,
        alter.extname,
        "extension",
        "contents" if "Contents" in alter.DESCRIPTOR.name else "update",
    )


def _import_foreign_schema(walk: Walk, statement: Node, scope: Scope) -> None:
    walk.changes_schema = True
    walk.add(Effect(Action.CREATE, statement.local_schema, "foreign table", danger=Danger.NETWORK,
                    detail="import foreign schema"))  # fmt: skip


def _comment(walk: Walk, comment: Node, scope: Scope) -> None:
    name = ".".join(object_path(comment.object))
    walk.add(Effect(Action.ALTER, name, "comment", detail=object_kind(comment)))


def _alter_enum(walk: Walk, alter: Node, scope: Scope) -> None:
    detail = "rename value" if alter.old_val else "add value"
    _alter(walk, ".".join(strings(alter.type_name)), "type", detail)


def _alter_function(walk: Walk, alter: Node, scope: Scope) -> None:
    options = " ".join(sorted(item.def_elem.defname for item in alter.actions))
    _alter(walk, ".".join(strings(alter.func.objname)), object_kind(alter), options)
    walk.parts(alter, None)


_DOMAIN_CHANGES: Final = {
    "T": "alter default", "N": "drop not null", "O": "set not null", "C": "add constraint",
    "X": "drop constraint", "V": "validate constraint",
}  # fmt: skip


def _alter_domain(walk: Walk, alter: Node, scope: Scope) -> None:
    detail = _DOMAIN_CHANGES.get(alter.subtype, "options")
    _alter(walk, ".".join(strings(alter.type_name)), "domain", detail)
    walk.parts(alter, None)


def _create_database(walk: Walk, create: Node, scope: Scope) -> None:
    walk.add(Effect(Action.CREATE, create.dbname, "database"))


def _drop_database(walk: Walk, drop: Node, scope: Scope) -> None:
    walk.add(Effect(Action.DROP, drop.dbname, "database", destructive=True))


def _set_of_database(walk: Walk, alter: Node, scope: Scope) -> None:
    walk.add(Effect(Action.ALTER, alter.dbname, "database", danger=Danger.SETTING,
                    detail=f"set {alter.setstmt.name or 'all'}"))  # fmt: skip


def _security_label(walk: Walk, label: Node, scope: Scope) -> None:
    name = ".".join(object_path(label.object))
    walk.add(Effect(Action.GRANT, name, object_kind(label), detail="security label"))


def _simple(
    action: Action, what: str, name: Callable[[Node], str], danger: Danger = Danger.NONE
) -> Handler:
    """A handler of a statement with one object and nothing that is evaluated but its parts."""

    def handle(walk: Walk, statement: Node, scope: Scope) -> None:
        walk.changes_schema = True
        walk.add(Effect(action, name(statement), what, danger=danger,
                        destructive=action is Action.DROP))  # fmt: skip
        walk.parts(statement, None)

    return handle


def _field(field: str) -> Callable[[Node], str]:
    def read(statement: Node) -> str:
        value = getattr(statement, field)
        return (
            value if isinstance(value, str) else ".".join(p for n in value for p in object_path(n))
        )

    return read


def _relation_field(field: str) -> Callable[[Node], str]:
    return lambda statement: _relation_name(getattr(statement, field))


_CREATE, _ALTER, _DROP = Action.CREATE, Action.ALTER, Action.DROP
HANDLERS: Final[dict[str, Handler]] = {
    "create_stmt": _create_table,
    "create_foreign_table_stmt": _create_foreign_table,
    "alter_table_stmt": _alter_table,
    "drop_stmt": _drop,
    "truncate_stmt": _truncate,
    "rename_stmt": _rename,
    "alter_object_schema_stmt": _alter_schema,
    "alter_object_depends_stmt": _simple(
        _ALTER, "dependency", lambda s: ".".join(object_path(s.object))
    ),
    "index_stmt": _index,
    "create_function_stmt": _create_function,
    "alter_function_stmt": _alter_function,
    "create_trig_stmt": _trigger,
    "rule_stmt": _rule,
    "create_policy_stmt": _policy,
    "alter_policy_stmt": _policy,
    "create_schema_stmt": _create_schema,
    "create_seq_stmt": _sequence,
    "alter_seq_stmt": _alter_sequence,
    "define_stmt": _define,
    "create_extension_stmt": _create_extension,
    "alter_extension_stmt": _alter_extension,
    "alter_extension_contents_stmt": _alter_extension,
    "import_foreign_schema_stmt": _import_foreign_schema,
    "comment_stmt": _comment,
    "sec_label_stmt": _security_label,
    "alter_enum_stmt": _alter_enum,
    "createdb_stmt": _create_database,
    "dropdb_stmt": _drop_database,
    "alter_database_stmt": _simple(_ALTER, "database", _field("dbname")),
    "alter_database_refresh_coll_stmt": _simple(_ALTER, "database", _field("dbname")),
    "alter_database_set_stmt": _set_of_database,
    "create_domain_stmt": _simple(_CREATE, "domain", _field("domainname")),
    "alter_domain_stmt": _alter_domain,
    "create_enum_stmt": _simple(_CREATE, "type", _field("type_name")),
    "create_range_stmt": _simple(_CREATE, "type", _field("type_name")),
    "composite_type_stmt": _simple(_CREATE, "type", _relation_field("typevar")),
    "alter_type_stmt": _simple(_ALTER, "type", _field("type_name")),
    "create_table_space_stmt": _simple(
        _CREATE, "tablespace", _field("tablespacename"), Danger.SERVER_FILE
    ),
    "drop_table_space_stmt": _simple(_DROP, "tablespace", _field("tablespacename")),
    "alter_table_space_options_stmt": _simple(_ALTER, "tablespace", _field("tablespacename")),
    "alter_table_move_all_stmt": _simple(_ALTER, "tablespace", _field("orig_tablespacename")),
    "create_event_trig_stmt": _simple(_CREATE, "event trigger", _field("trigname")),
    "alter_event_trig_stmt": _simple(_ALTER, "event trigger", _field("trigname")),
    "create_plang_stmt": _simple(_CREATE, "language", _field("plname"), Danger.CODE),
    "create_am_stmt": _simple(_CREATE, "access method", _field("amname"), Danger.CODE),
    "create_cast_stmt": _simple(_CREATE, "cast", lambda s: ".".join(strings(s.sourcetype.names))),
    "create_transform_stmt": _simple(_CREATE, "transform", lambda s: s.lang, Danger.CODE),
    "create_conversion_stmt": _simple(_CREATE, "conversion", _field("conversion_name")),
    "create_op_class_stmt": _simple(_CREATE, "operator class", _field("opclassname")),
    "create_op_family_stmt": _simple(_CREATE, "operator family", _field("opfamilyname")),
    "alter_op_family_stmt": _simple(_ALTER, "operator family", _field("opfamilyname")),
    "alter_operator_stmt": _simple(
        _ALTER, "operator", lambda s: ".".join(strings(s.opername.objname))
    ),
    "alter_collation_stmt": _simple(_ALTER, "collation", _field("collname")),
    "create_stats_stmt": _simple(_CREATE, "statistics", _field("defnames")),
    "alter_stats_stmt": _simple(_ALTER, "statistics", _field("defnames")),
    "alter_tsdictionary_stmt": _simple(_ALTER, "text search dictionary", _field("dictname")),
    "alter_tsconfiguration_stmt": _simple(_ALTER, "text search configuration", _field("cfgname")),
    "create_fdw_stmt": _simple(_CREATE, "foreign data wrapper", _field("fdwname"), Danger.NETWORK),
    "alter_fdw_stmt": _simple(_ALTER, "foreign data wrapper", _field("fdwname"), Danger.NETWORK),
    "create_foreign_server_stmt": _simple(_CREATE, "server", _field("servername"), Danger.NETWORK),
    "alter_foreign_server_stmt": _simple(_ALTER, "server", _field("servername"), Danger.NETWORK),
    "create_user_mapping_stmt": _simple(
        _CREATE, "user mapping", _field("servername"), Danger.NETWORK
    ),
    "alter_user_mapping_stmt": _simple(
        _ALTER, "user mapping", _field("servername"), Danger.NETWORK
    ),
    "drop_user_mapping_stmt": _simple(_DROP, "user mapping", _field("servername"), Danger.NETWORK),
    "create_publication_stmt": _simple(_CREATE, "publication", _field("pubname"), Danger.NETWORK),
    "alter_publication_stmt": _simple(_ALTER, "publication", _field("pubname"), Danger.NETWORK),
    "create_subscription_stmt": _simple(_CREATE, "subscription", _field("subname"), Danger.NETWORK),
    "alter_subscription_stmt": _simple(_ALTER, "subscription", _field("subname"), Danger.NETWORK),
    "drop_subscription_stmt": _simple(_DROP, "subscription", _field("subname"), Danger.NETWORK),
}
