"""Statements that neither query nor define: COPY, SET, EXPLAIN, PREPARE, transactions, upkeep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.sql.bodies import PLPGSQL, language_of, own_body
from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.following import inlined
from dbgate_core.sql.functions import danger_of
from dbgate_core.sql.objects import enum_name
from dbgate_core.sql.queries import created, into_relation, literal
from dbgate_core.sql.reach import CASCADE, kept_up, touched
from dbgate_core.sql.settings import SEARCH_PATH, setting_effect
from dbgate_core.sql.system import write_danger
from dbgate_core.sql.tree import Node, kind, present, strings
from dbgate_core.sql.walk import NO_CTES, Handler, Scope, Walk

_NOT_RUN: Final = {Action.INSERT, Action.UPDATE, Action.DELETE, Action.MERGE}
_FALSE: Final = frozenset({"off", "false", "0", "no"})


def _copy(walk: Walk, copy: Node, scope: Scope) -> None:
    action = Action.COPY_IN if copy.is_from else Action.COPY_OUT
    danger, way = Danger.NONE, "stdin" if copy.is_from else "stdout"
    if copy.is_program:
        danger, way = Danger.PROGRAM, "program"
    elif copy.filename:
        danger, way = Danger.SERVER_FILE, "file"
    if present(copy, "relation"):
        relation = walk.relation(copy.relation)
        columns = frozenset(strings(copy.attlist)) if copy.is_from else frozenset[str]()
        what = walk.kind_of(relation)
        if copy.is_from:
            danger = danger or write_danger(relation)
        walk.add(Effect(action, str(relation), what, danger=danger, detail=way, columns=columns))
        if copy.is_from:
            walk.changes += 1
            walk.writes.add(relation)
            touched(walk, relation, Action.INSERT)
        else:
            walk.read(relation)
    else:
        walk.add(Effect(action, danger=danger, detail=way))
        walk.push(copy.query, NO_CTES)
    walk.push(copy.where_clause, NO_CTES)


def _variable_set(walk: Walk, change: Node, scope: Scope) -> None:
    form = enum_name(change, "kind")
    if form == "VAR_SET_MULTI":
        _set_multi(walk, change)
        return
    if form == "VAR_RESET_ALL":
        walk.sets_search_path = True
        walk.add(Effect(Action.SET, kind="setting", detail="reset all"))
        return
    values = [_value(item) for item in change.args] if form == "VAR_SET_VALUE" else None
    verb = "" if values is not None else "reset"
    walk.add(setting_effect(change.name, values, verb, bool(change.is_local)))
    walk.sets_search_path |= change.name.lower() == SEARCH_PATH


def _value(node: Node) -> str:
    text = literal(node)
    if text is not None:
        return text
    constant = node.a_const
    if constant.HasField("boolval"):
        return "on" if constant.boolval.boolval else "off"
    return str(constant.ival.ival) if constant.HasField("ival") else constant.fval.fval


def _set_multi(walk: Walk, change: Node) -> None:
    """SET TRANSACTION and SET SESSION CHARACTERISTICS: modes of transactions."""
    modes = [item.def_elem.defname for item in change.args if kind(item) == "def_elem"]
    walk.add(Effect(Action.TRANSACTION, detail=f"set {' '.join(modes) or 'snapshot'}"))


def _variable_show(walk: Walk, show: Node, scope: Scope) -> None:
    walk.add(Effect(Action.UTILITY, show.name, "setting", detail="show"))


def _explain(walk: Walk, explain: Node, scope: Scope) -> None:
    """With ANALYZE, what the statement does; without, what it reads: nothing of it runs.

    Calls stay, for the planner runs functions to estimate and to fold.
    """
    if _analyzes(explain.options):
        walk.push(explain.query, NO_CTES)
        return
    inner = Walk(walk.handlers, walk.catalog, walk.search_path, frozenset(walk.shadowing))
    inner.run(explain.query)
    walk.reads |= inner.reads | inner.writes
    walk.functions |= inner.functions
    walk.routines |= inner.routines
    walk.hooks |= {hook for hook in inner.hooks if not hook.events}
    walk.incomplete |= inner.incomplete
    for effect in inner.effects:
        if effect.detail == CASCADE:
            continue
        if effect.action in _NOT_RUN and effect.kind != "sequence":
            walk.add(Effect(Action.SELECT, effect.object, effect.kind, detail="explain"))
        elif effect.danger or effect.action in (Action.SELECT, Action.CALL, Action.UNKNOWN):
            walk.add(effect)
    if not walk.effects:
        walk.add(Effect(Action.SELECT, detail="explain"))


def _analyzes(options: Iterable[Node]) -> bool:
    """Is ANALYZE given, in any spelling that is not plainly off. Later options would win: any counts."""
    for item in options:
        option = item.def_elem
        if option.defname.lower() == "analyze" and _option_text(option) not in _FALSE:
            return True
    return False


def _option_text(option: Node) -> str:
    """The text of a DefElem's argument, lower case; `on` when there is none."""
    if not present(option, "arg"):
        return "on"
    argument = option.arg
    name = kind(argument)
    if name == "string":
        return str(argument.string.sval).lower()
    if name == "integer":
        return str(argument.integer.ival)
    if name == "boolean":
        return "true" if argument.boolean.boolval else "false"
    return "?"


def _prepare(walk: Walk, prepare: Node, scope: Scope) -> None:
    """Judged as if it ran, so that EXECUTE of the name need not be."""
    walk.moves_names = True
    walk.defines.append(prepare.name)
    walk.push(prepare.query, NO_CTES)


def _execute(walk: Walk, execute: Node, scope: Scope) -> None:
    walk.moves_names = True
    walk.add(Effect(Action.UTILITY, execute.name, "statement", detail="execute"))
    walk.push_all(execute.params, NO_CTES)


def _deallocate(walk: Walk, deallocate: Node, scope: Scope) -> None:
    walk.moves_names = True
    walk.add(Effect(Action.UTILITY, deallocate.name, "statement", detail="deallocate"))


def _declare(walk: Walk, declare: Node, scope: Scope) -> None:
    walk.moves_names = True
    walk.defines.append(declare.portalname)
    walk.push(declare.query, NO_CTES)


def _close(walk: Walk, close: Node, scope: Scope) -> None:
    walk.moves_names = True
    walk.add(Effect(Action.UTILITY, close.portalname, "cursor", detail="close"))


def _fetch(walk: Walk, fetch: Node, scope: Scope) -> None:
    detail = "move" if fetch.ismove else "fetch"
    walk.add(Effect(Action.UTILITY, fetch.portalname, "cursor", detail=detail))


def _create_table_as(walk: Walk, statement: Node, scope: Scope) -> None:
    matview = enum_name(statement, "objtype") == "OBJECT_MATVIEW"
    into_relation(walk, statement.into, "materialized view" if matview else "table")
    walk.push(statement.query, NO_CTES)


def _view(walk: Walk, view: Node, scope: Scope) -> None:
    created(walk, view.view, "view", "or replace" if view.replace else "")
    walk.push(view.query, NO_CTES)


def _transaction(walk: Walk, transaction: Node, scope: Scope) -> None:
    words = enum_name(transaction, "kind").removeprefix("TRANS_STMT_").lower().replace("_", " ")
    detail = {"prepare": "prepare transaction", "start": "begin"}.get(words, words)
    modes = [item.def_elem.defname for item in transaction.options]
    walk.add(Effect(Action.TRANSACTION, transaction.savepoint_name or transaction.gid,
                    detail=" ".join([detail, *modes])))  # fmt: skip


def _constraints_set(walk: Walk, statement: Node, scope: Scope) -> None:
    detail = "deferred" if statement.deferred else "immediate"
    walk.add(Effect(Action.TRANSACTION, detail=f"set constraints {detail}"))


def _lock(walk: Walk, lock: Node, scope: Scope) -> None:
    """A lock's mode, in the words of LOCK TABLE."""
    for item in lock.relations:
        relation = walk.relation(item.range_var)
        detail = f"lock {_LOCK_MODES.get(lock.mode, 'unknown')}"
        walk.add(Effect(Action.UTILITY, str(relation), walk.kind_of(relation), detail=detail))


_LOCK_MODES: Final = {
    1: "access share", 2: "row share", 3: "row exclusive", 4: "share update exclusive", 5: "share",
    6: "share row exclusive", 7: "exclusive", 8: "access exclusive",
}  # fmt: skip


def _vacuum(walk: Walk, vacuum: Node, scope: Scope) -> None:
    options = {
        item.def_elem.defname.lower(): _option_text(item.def_elem) for item in vacuum.options
    }
    detail = "vacuum" if vacuum.is_vacuumcmd else "analyze"
    if options.get("full", "off") not in _FALSE:
        detail = "vacuum full"
    relations = [item.vacuum_relation.relation for item in vacuum.rels]
    for item in relations:
        relation = walk.relation(item)
        walk.add(Effect(Action.UTILITY, str(relation), walk.kind_of(relation), detail=detail))
        kept_up(walk, relation)
    if not relations:
        walk.add(Effect(Action.UTILITY, kind="database", detail=detail))
        kept_up(walk, None)


def _cluster(walk: Walk, cluster: Node, scope: Scope) -> None:
    _upkeep(walk, cluster, "cluster")


def _reindex(walk: Walk, reindex: Node, scope: Scope) -> None:
    _upkeep(walk, reindex, "reindex")


def _upkeep(walk: Walk, statement: Node, detail: str) -> None:
    if present(statement, "relation"):
        relation = walk.relation(statement.relation)
        what = walk.kind_of(relation)
        if detail == "reindex" and enum_name(statement, "kind") == "REINDEX_OBJECT_INDEX":
            what = "index"
        walk.add(Effect(Action.UTILITY, str(relation), what, detail=detail))
        kept_up(walk, relation)
    else:
        name = statement.name if detail == "reindex" else ""
        walk.add(Effect(Action.UTILITY, name, "database", detail=detail))
        kept_up(walk, None)


def _refresh(walk: Walk, refresh: Node, scope: Scope) -> None:
    relation = walk.relation(refresh.relation)
    walk.read(relation, "refresh")
    walk.writes.add(relation)
    walk.add(Effect(Action.UTILITY, str(relation), "materialized view", detail="refresh"))


def _checkpoint(walk: Walk, statement: Node, scope: Scope) -> None:
    walk.add(Effect(Action.UTILITY, kind="server", detail="checkpoint"))


def _discard(walk: Walk, discard: Node, scope: Scope) -> None:
    what = enum_name(discard, "target").removeprefix("DISCARD_").lower()
    if what == "all":
        walk.moves_names = walk.sets_search_path = True
    walk.add(Effect(Action.UTILITY, kind="session", detail=f"discard {what}"))


def _load(walk: Walk, load: Node, scope: Scope) -> None:
    walk.add(Effect(Action.UTILITY, load.filename, "library", danger=Danger.CODE, detail="load"))


def _do(walk: Walk, do: Node, scope: Scope) -> None:
    """A block of code, and what is in it. Dynamic SQL and other languages are not understood."""
    language = language_of(do.args, PLPGSQL)
    body = own_body("do_stmt", do)
    inlined(walk, body)
    walk.add(Effect(Action.DO, language, "language", danger=Danger.CODE))
    if not body.whole:
        walk.not_understood("code")


def _call(walk: Walk, call: Node, scope: Scope) -> None:
    path = strings(call.funccall.funcname)
    walk.functions.add(".".join(path))
    danger, detail = danger_of(path[-1]) or (Danger.NONE, "")
    if danger or not walk.routine(path):
        walk.add(Effect(Action.CALL, ".".join(path), "procedure", danger=danger, detail=detail))
    walk.push_all(call.funccall.args, NO_CTES)


def _notify(walk: Walk, notify: Node, scope: Scope) -> None:
    walk.add(Effect(Action.LISTEN, notify.conditionname, "channel", detail="notify"))


def _listen(walk: Walk, listen: Node, scope: Scope) -> None:
    walk.add(Effect(Action.LISTEN, listen.conditionname, "channel", detail="listen"))


def _unlisten(walk: Walk, unlisten: Node, scope: Scope) -> None:
    walk.add(Effect(Action.LISTEN, unlisten.conditionname, "channel", detail="unlisten"))


def _alter_system(walk: Walk, statement: Node, scope: Scope) -> None:
    name = statement.setstmt.name
    walk.add(Effect(Action.ALTER, name, "system", danger=Danger.SETTING, detail="alter system"))


HANDLERS: Final[dict[str, Handler]] = {
    "copy_stmt": _copy,
    "variable_set_stmt": _variable_set,
    "variable_show_stmt": _variable_show,
    "explain_stmt": _explain,
    "prepare_stmt": _prepare,
    "execute_stmt": _execute,
    "deallocate_stmt": _deallocate,
    "declare_cursor_stmt": _declare,
    "close_portal_stmt": _close,
    "fetch_stmt": _fetch,
    "create_table_as_stmt": _create_table_as,
    "view_stmt": _view,
    "transaction_stmt": _transaction,
    "constraints_set_stmt": _constraints_set,
    "lock_stmt": _lock,
    "vacuum_stmt": _vacuum,
    "cluster_stmt": _cluster,
    "reindex_stmt": _reindex,
    "refresh_mat_view_stmt": _refresh,
    "check_point_stmt": _checkpoint,
    "discard_stmt": _discard,
    "load_stmt": _load,
    "do_stmt": _do,
    "call_stmt": _call,
    "notify_stmt": _notify,
    "listen_stmt": _listen,
    "unlisten_stmt": _unlisten,
    "alter_system_stmt": _alter_system,
}
