"""Who may do what: GRANT, REVOKE, roles, owners, default privileges. All are `grant` effects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.objects import enum_name, object_kind, object_path, role_name
from dbgate_core.sql.tree import Node, present
from dbgate_core.sql.walk import Handler, Scope, Walk


def _roles(roles: Iterable[Node]) -> str:
    return ", ".join(role_name(item.role_spec) for item in roles)


def _grant(walk: Walk, grant: Node, scope: Scope) -> None:
    verb = "grant" if grant.is_grant else "revoke"
    rights = ", ".join(item.access_priv.priv_name for item in grant.privileges) or "all"
    link = "to" if grant.is_grant else "from"
    detail = f"{verb} {rights} {link} {_roles(grant.grantees)}"
    what = object_kind(grant)
    if enum_name(grant, "targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        what = f"all {what}s in schema"
    names = [".".join(object_path(item)) for item in grant.objects] or [""]
    walk.changes_schema = True
    for name in names:
        walk.add(Effect(Action.GRANT, name, what, detail=detail))


def _grant_role(walk: Walk, grant: Node, scope: Scope) -> None:
    verb, link = ("grant", "to") if grant.is_grant else ("revoke", "from")
    for item in grant.granted_roles:
        detail = f"{verb} membership {link} {_roles(grant.grantee_roles)}"
        walk.add(Effect(Action.GRANT, item.access_priv.priv_name, "role", detail=detail))


def _default_privileges(walk: Walk, statement: Node, scope: Scope) -> None:
    verb = "grant" if statement.action.is_grant else "revoke"
    walk.add(Effect(Action.GRANT, object_kind(statement.action), "default privileges", detail=verb))


def _create_role(walk: Walk, create: Node, scope: Scope) -> None:
    walk.add(Effect(Action.GRANT, create.role, "role", detail="create role"))


def _alter_role(walk: Walk, alter: Node, scope: Scope) -> None:
    walk.add(Effect(Action.GRANT, role_name(alter.role), "role", detail="alter role"))


def _set_of_role(walk: Walk, alter: Node, scope: Scope) -> None:
    name = role_name(alter.role) if present(alter, "role") else "all"
    detail = f"alter role set {alter.setstmt.name or 'all'}"
    walk.add(Effect(Action.GRANT, name, "role", danger=Danger.SETTING, detail=detail))


def _drop_role(walk: Walk, drop: Node, scope: Scope) -> None:
    for item in drop.roles:
        name = role_name(item.role_spec)
        walk.add(Effect(Action.DROP, name, "role", destructive=True))
        walk.add(Effect(Action.GRANT, name, "role", detail="drop role"))


def _owner(walk: Walk, alter: Node, scope: Scope) -> None:
    name = ".".join(object_path(alter.object)) or str(walk.relation(alter.relation))
    walk.changes_schema = True
    detail = f"owner {role_name(alter.newowner)}"
    walk.add(Effect(Action.GRANT, name, object_kind(alter, "object_type"), detail=detail))


def _drop_owned(walk: Walk, drop: Node, scope: Scope) -> None:
    walk.changes_schema = True
    walk.add(
        Effect(Action.DROP, _roles(drop.roles), "owned", destructive=True, detail="drop owned")
    )
    walk.add(Effect(Action.GRANT, _roles(drop.roles), "owned", detail="drop owned"))


def _reassign_owned(walk: Walk, reassign: Node, scope: Scope) -> None:
    walk.changes_schema = True
    detail = f"reassign owned to {role_name(reassign.newrole)}"
    walk.add(Effect(Action.GRANT, _roles(reassign.roles), "owned", detail=detail))


HANDLERS: Final[dict[str, Handler]] = {
    "grant_stmt": _grant,
    "grant_role_stmt": _grant_role,
    "alter_default_privileges_stmt": _default_privileges,
    "create_role_stmt": _create_role,
    "alter_role_stmt": _alter_role,
    "alter_role_set_stmt": _set_of_role,
    "drop_role_stmt": _drop_role,
    "alter_owner_stmt": _owner,
    "drop_owned_stmt": _drop_owned,
    "reassign_owned_stmt": _reassign_owned,
}
