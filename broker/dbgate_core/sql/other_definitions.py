"""CREATE and ALTER of what is neither a relation nor code: schemas, databases, types, servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dbgate_core.sql.altering import altered
from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.objects import (
    object_kind,
    object_path,
    role_name,
)
from dbgate_core.sql.tree import Node, present, strings
from dbgate_core.sql.walk import Handler, Scope, Walk


def _create_schema(walk: Walk, create: Node, scope: Scope) -> None:
    walk.changes_schema = True
    name = create.schemaname or role_name(create.authrole)
    walk.add(Effect(Action.CREATE, name, "schema"))
    if present(create, "authrole"):
        owner = role_name(create.authrole)
        walk.add(Effect(Action.GRANT, name, "schema", detail=f"owner {owner}"))
    walk.push_all(create.schema_elts, None)


def _create_extension(walk: Walk, create: Node, scope: Scope) -> None:
    walk.changes_schema = True
    walk.add(Effect(Action.CREATE, create.extname, "extension"))


def _alter_extension(walk: Walk, alter: Node, scope: Scope) -> None:
    altered(
        walk,
        alter.extname,
        "extension",
        "contents" if "Contents" in alter.DESCRIPTOR.name else "update",
    )


def _import_foreign_schema(walk: Walk, statement: Node, scope: Scope) -> None:
    walk.changes_schema = True
    walk.add(Effect(Action.CREATE, statement.local_schema, "foreign table", danger=Danger.NETWORK,
                    detail="import foreign schema"))  # fmt: skip


def _alter_enum(walk: Walk, alter: Node, scope: Scope) -> None:
    detail = "rename value" if alter.old_val else "add value"
    altered(walk, ".".join(strings(alter.type_name)), "type", detail)


def _alter_function(walk: Walk, alter: Node, scope: Scope) -> None:
    options = " ".join(sorted(item.def_elem.defname for item in alter.actions))
    altered(walk, ".".join(strings(alter.func.objname)), object_kind(alter), options)
    walk.parts(alter, None)


_DOMAIN_CHANGES: Final = {
    "T": "alter default", "N": "drop not null", "O": "set not null", "C": "add constraint",
    "X": "drop constraint", "V": "validate constraint",
}  # fmt: skip


def _alter_domain(walk: Walk, alter: Node, scope: Scope) -> None:
    detail = _DOMAIN_CHANGES.get(alter.subtype, "options")
    altered(walk, ".".join(strings(alter.type_name)), "domain", detail)
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
    return lambda statement: ".".join(
        part
        for part in (getattr(statement, field).schemaname, getattr(statement, field).relname)
        if part
    )


_CREATE, _ALTER, _DROP = Action.CREATE, Action.ALTER, Action.DROP
HANDLERS: Final[dict[str, Handler]] = {
    "alter_object_depends_stmt": _simple(
        _ALTER, "dependency", lambda s: ".".join(object_path(s.object))
    ),
    "alter_function_stmt": _alter_function,
    "create_schema_stmt": _create_schema,
    "create_extension_stmt": _create_extension,
    "alter_extension_stmt": _alter_extension,
    "alter_extension_contents_stmt": _alter_extension,
    "import_foreign_schema_stmt": _import_foreign_schema,
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
    "create_transform_stmt": _simple(_CREATE, "transform", lambda s: s.lang, Danger.CODE),
    "create_conversion_stmt": _simple(_CREATE, "conversion", _field("conversion_name")),
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
