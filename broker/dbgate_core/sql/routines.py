"""Functions and what calls them by itself: triggers, rules, policies, operators, casts, types."""

from __future__ import annotations

from typing import Final

from dbgate_core.sql.bodies import PLPGSQL, SQL, language_of, own_body
from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.following import inlined
from dbgate_core.sql.objects import (
    object_kind,
    object_path,
)
from dbgate_core.sql.tree import Node, present, strings
from dbgate_core.sql.walk import Handler, Scope, Walk

_SAFE_LANGUAGES: Final = frozenset({SQL, PLPGSQL})
"""Languages that run as SQL would; any other reaches the server or is not read."""


def _create_function(walk: Walk, create: Node, scope: Scope) -> None:
    path = strings(create.funcname)
    options = {item.def_elem.defname: item.def_elem for item in create.options}
    language = language_of(create.options, SQL)
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
    # What it does, as if it ran: whoever may call it may do it. What PL/pgSQL makes at run time is
    # not known here; the call is then one that is not followed.
    if safe:
        body = own_body("create_function_stmt", create)
        inlined(walk, body)
        if language == SQL and not body.whole:
            walk.not_understood("function body")


def _trigger(walk: Walk, trigger: Node, scope: Scope) -> None:
    relation = walk.relation(trigger.relation)
    walk.changes_schema = True
    walk.writes.add(relation)
    walk.add(Effect(Action.CREATE, f"{relation}.{trigger.trigname}", "trigger",
                    detail=f"executes {'.'.join(strings(trigger.funcname))}"))  # fmt: skip
    walk.named_function(strings(trigger.funcname))
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


_CALLED_NAMES: Final = """
    function procedure sfunc finalfunc combinefunc serialfunc deserialfunc msfunc minvfunc
    mfinalfunc input output receive send typmod_in typmod_out analyze subscript canonical
    subtype_diff restrict join init lexize start gettoken end headline lextypes
"""
_CALLED: Final = frozenset(_CALLED_NAMES.split())
"""Options of CREATE AGGREGATE, OPERATOR, TYPE ... that name a function."""


def _define(walk: Walk, define: Node, scope: Scope) -> None:
    """CREATE AGGREGATE, OPERATOR, TYPE, TEXT SEARCH ..., COLLATION."""
    path = strings(define.defnames)
    what = object_kind(define, "kind")
    if what == "aggregate":
        walk.created.add(path[-1])
    walk.changes_schema = True
    walk.add(Effect(Action.CREATE, ".".join(path), what))
    for item in define.definition:
        option = item.def_elem
        if option.defname.lower() in _CALLED and present(option, "arg"):
            walk.named_function(object_path(option.arg) or ("",))


def _create_cast(walk: Walk, create: Node, scope: Scope) -> None:
    walk.changes_schema = True
    types = (".".join(strings(create.sourcetype.names)), ".".join(strings(create.targettype.names)))
    walk.add(Effect(Action.CREATE, " as ".join(types), "cast"))
    if present(create, "func"):
        walk.named_function(strings(create.func.objname))


def _operator_class(walk: Walk, create: Node, scope: Scope) -> None:
    walk.changes_schema = True
    walk.add(Effect(Action.CREATE, ".".join(strings(create.opclassname)), "operator class"))
    for item in create.items:
        if names := strings(item.create_op_class_item.name.objname):
            walk.named_function(names)


HANDLERS: Final[dict[str, Handler]] = {
    "create_function_stmt": _create_function,
    "create_trig_stmt": _trigger,
    "rule_stmt": _rule,
    "create_policy_stmt": _policy,
    "alter_policy_stmt": _policy,
    "define_stmt": _define,
    "create_cast_stmt": _create_cast,
    "create_op_class_stmt": _operator_class,
}
