"""Names and kinds of the objects that CREATE, ALTER, DROP and GRANT speak of."""

from __future__ import annotations

import re
from typing import Final

from dbgate_core.sql.tree import Node, inner, kind, strings

TEMPORARY_SCHEMA: Final = "pg_temp"
_WORDS: Final = {
    "matview": "materialized view", "fdw": "foreign data wrapper", "foreign server": "server",
    "statistic ext": "statistics", "tabconstraint": "constraint", "domconstraint": "constraint",
    "tsconfiguration": "text search configuration", "tsdictionary": "text search dictionary",
    "tsparser": "text search parser", "tstemplate": "text search template",
    "opclass": "operator class", "opfamily": "operator family", "largeobject": "large object",
    "defacl": "default privileges", "parameter acl": "setting", "publication rel": "publication",
    "publication namespace": "publication",
}  # fmt: skip
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def enum_name(message: Node, field: str) -> str:
    """The name of an enum field's value; empty for a value that is not known."""
    found = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(
        getattr(message, field)
    )
    return str(found.name) if found else ""


def object_kind(message: Node, field: str = "objtype") -> str:
    """An ObjectType in the words of the commands: `table`, `materialized view` ..."""
    words = enum_name(message, field).removeprefix("OBJECT_").lower().replace("_", " ")
    return _WORDS.get(words, words)


def camel_words(name: str) -> str:
    """`DropColumn` as `drop column`."""
    return _CAPITAL.sub(" ", name).lower()


def object_path(node: Node) -> tuple[str, ...]:
    """The parts of an object's name, from whatever node holds it."""
    name = kind(node)
    if name == "string":
        return (node.string.sval,)
    if name == "list":
        return tuple(part for item in node.list.items for part in object_path(item))
    if name == "type_name":
        return strings(node.type_name.names)
    if name == "object_with_args":
        return strings(node.object_with_args.objname)
    if name == "range_var":
        relation = node.range_var
        return (
            (relation.schemaname, relation.relname) if relation.schemaname else (relation.relname,)
        )
    if name == "role_spec":
        return (role_name(node.role_spec),)
    if name in ("integer", "float"):
        held = inner(node)
        return (str(held.ival) if name == "integer" else held.fval,)
    return ()


def role_name(role: Node) -> str:
    """A role as the statement names it: `current_user` and `public` by these words."""
    form = enum_name(role, "roletype")
    return role.rolename if form == "ROLESPEC_CSTRING" else form.removeprefix("ROLESPEC_").lower()
