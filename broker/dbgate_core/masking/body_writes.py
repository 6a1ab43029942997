"""What the bodies of functions write, in SQL and PL/pgSQL, and those of the functions that they call.

Each variable carries all that is ever put into it, wherever that happens: rounds go on until nothing is new. Which
branch is taken is no value, as in conditions elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from dbgate_core.behaviour import Routine
from dbgate_core.catalog import Catalog
from dbgate_core.errors import DbgateError
from dbgate_core.masking.carried import CLEAN, Carried, Outputs, Source
from dbgate_core.masking.filled import Classes, Filled, below
from dbgate_core.masking.functions import OPEN, SETTINGS
from dbgate_core.masking.lineage import ANY_COLUMN, expression, query_outputs
from dbgate_core.masking.routines import passes_arguments
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.bodies import PLPGSQL, SQL, body_of, language_of
from dbgate_core.sql.parser import parse, parse_code
from dbgate_core.sql.tree import Node, children, inner, kind, present, strings

MAX_ROUNDS: Final = 12
MAX_DEFINITIONS: Final = 512
"""Texts kept parsed; each is bounded by what the catalog reads of one."""
_NAMING: Final = frozenset({"range_var", "func_call"})
MAX_CALLS: Final = 8
"""Functions that call each other are followed so deep."""
_STATEMENT_MODE, _EXPRESSION_MODE = 0, 2  # RawParseMode; 3 to 5 are assignments
_OWN: Final = frozenset({"new", "old", "found"})
_QUERIES: Final = ("sqlstmt", "query", "expr")
"""Fields of a statement with what fills its target."""
_TARGETS: Final = ("target", "var")
_AT_RUN_TIME: Final = frozenset(
    {"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors", "PLpgSQL_stmt_fetch", "PLpgSQL_stmt_forc"}
)
"""What they give is not followed: SQL made at run time, and what a cursor holds."""
_BY_NUMBER: Final = {"PLpgSQL_stmt_foreach_a": "varno", "PLpgSQL_diag_item": "target"}

Json = Any  # of libpg_query


def by_statement(node: Node, scope: Scope, filled: Filled) -> None:
    """Note what a statement writes, and what the functions do that it calls."""
    filled.written(node, scope)
    for call in below(node, frozenset({"func_call"})):
        by_call(call.func_call, [expression(a, scope) for a in call.func_call.args], filled)


def by_call(call: Node, given: Sequence[Carried], filled: Filled) -> None:
    """Note what the functions that a call may mean write, when they are given this."""
    path = strings(call.funcname)
    catalog = filled.scope.catalog
    if path[-1] not in catalog.functions or passes_arguments(path[-1], catalog):
        return
    for routine in catalog.behaviour.named(path[-2:]):
        if routine.definition and filled.depth < MAX_CALLS:
            by_routine(routine, given, filled)


def by_routine(routine: Routine, given: Sequence[Carried], filled: Filled) -> None:
    """The same of one of them; nothing of what cannot be read."""
    try:
        node = defined(routine.definition)
        create = node.create_function_stmt
        names = [item.function_parameter.name.lower() for item in create.parameters]
        classes = frozenset[Any]().union(*(carried.classes for carried in given))
        everywhere = dict.fromkeys(filter(None, names), classes)
        scope = replace(filled.scope, levels=(), ctes={}, parameters=tuple(given))
        inside = replace(
            filled, scope=scope, relation=None, given=everywhere, depth=filled.depth + 1
        )
        by_definition(node, inside)
    except (DbgateError, RecursionError, LookupError):
        return


@lru_cache(maxsize=MAX_DEFINITIONS)
def defined(text: str) -> Node:
    """The CREATE FUNCTION or CREATE RULE of a text. Raises what `parse` raises, and IndexError."""
    return parse(text).stmts[0].stmt


@lru_cache(maxsize=MAX_DEFINITIONS)
def _named(text: str) -> frozenset[str] | None:
    """The names of all relations and functions in the body of a CREATE FUNCTION; None when it is not all read."""
    body = body_of(text)
    found = [node for statement in body.nodes for node in below(statement, _NAMING)]
    names = (
        n.range_var.relname if kind(n) == "range_var" else strings(n.func_call.funcname)[-1]
        for n in found
    )
    return frozenset(names) if body.whole else None


def reads_nothing_protected(text: str, catalog: Catalog) -> bool:
    """Does the body of a CREATE FUNCTION plainly read nothing but the row that it was called for: a cheap look."""
    names = _named(text)
    if names is None:
        return False
    return not any(
        (name in catalog.functions and not passes_arguments(name, catalog))
        or name in OPEN | SETTINGS
        or any(relation.classes for relation in catalog.named(name))
        for name in names
    )


def by_definition(node: Node, filled: Filled) -> None:
    """Note what a CREATE FUNCTION or CREATE RULE writes. Raises DbgateError for what cannot be read."""
    if kind(node) == "rule_stmt":
        inside = filled.scope.within(filled.rows())
        for action in node.rule_stmt.actions:
            by_statement(action, inside, filled)
        return
    language = language_of(node.create_function_stmt.options, SQL)
    if language == PLPGSQL:
        by_code(node, filled)
    elif language == SQL:
        named = tuple((name, Carried(held, derived=True)) for name, held in filled.given.items())
        inside = filled.scope.within((Source("", named),))
        for statement in _statements(node):
            by_statement(statement, inside, filled)
    else:
        filled.unread()


def _statements(node: Node) -> Iterator[Node]:
    """Those of a function of SQL."""
    create = node.create_function_stmt
    for item in create.options:
        if item.def_elem.defname == "as":
            yield from (raw.stmt for raw in parse(_text(node)).stmts)
    if present(create, "sql_body"):
        yield create.sql_body


def by_code(node: Node, filled: Filled) -> None:
    """Note what a function in PL/pgSQL writes. Raises DbgateError for what cannot be read."""
    code = parse_code(node)
    names = list(_names(code))
    variables: dict[str, Classes] = {
        name: filled.given.get(name, frozenset())
        for name in names
        if not (name in _OWN or name.startswith("tg_"))
    }
    for _ in range(MAX_ROUNDS):
        before = dict(variables)
        _Reading(filled, variables, names).walk(code)
        if variables == before:
            break
    else:
        filled.unread()
    for name, classes in variables.items():
        if re.search(rf"\breturn\s+\"?{re.escape(name)}\b", _text(node), re.IGNORECASE):
            filled.own(ANY_COLUMN, classes)


def _text(node: Node) -> str:
    options = {o.def_elem.defname: o.def_elem.arg for o in node.create_function_stmt.options}
    return str(options["as"].list.items[0].string.sval)


def _names(code: Json) -> Iterator[str]:
    """The names of variables, by their numbers; that of a row or field is empty."""
    for function in code:
        for datum in function["PLpgSQL_function"]["datums"]:
            for what, held in datum.items():
                named = what in ("PLpgSQL_var", "PLpgSQL_rec")
                yield held.get("refname", "").lower() if named else ""


class _Reading:
    """One round over the code; what it finds is put into the variables."""

    def __init__(self, filled: Filled, variables: dict[str, Classes], names: list[str]) -> None:
        self._filled, self._variables, self._names = filled, variables, names

    def walk(self, part: Json) -> None:
        """Read a part of the code."""
        if isinstance(part, list):
            for item in part:
                self.walk(item)
        elif isinstance(part, dict):
            for name, held in part.items():
                self._part(name, held)

    def _part(self, name: str, held: Json) -> None:
        if name == "PLpgSQL_expr":
            self._read(held)
            return
        if name == "PLpgSQL_var" and "default_val" in held:
            self._put(held["refname"], self._read(held["default_val"]["PLpgSQL_expr"]).everything)
        if name in _BY_NUMBER and _BY_NUMBER[name] in held:
            self._put(self._names[held[_BY_NUMBER[name]]], self._scope.anything)
        if name.startswith("PLpgSQL_stmt_"):
            self._statement(name, held)
        self.walk(held)

    def _statement(self, name: str, held: Mapping[str, Json]) -> None:
        targets = [held[field] for field in _TARGETS if field in held]
        if not targets:
            return
        given = Outputs(None, self._scope.anything)
        if name not in _AT_RUN_TIME:
            queries = [held[field]["PLpgSQL_expr"] for field in _QUERIES if field in held]
            given = self._read(queries[0]) if queries else given
        for target in targets:
            self._into(target, given)

    def _into(self, target: Json, given: Outputs) -> None:
        for what, held in target.items():
            if what != "PLpgSQL_row":
                self._put(held["refname"], given.everything)
                continue
            fields = [field["name"] for field in held.get("fields", ()) if field.get("name")]
            for index, field in enumerate(fields):
                self._put(field, given.at(index, len(fields)))

    def _put(self, target: str, carried: Carried) -> None:
        """Into a variable, a field of one, or a column of NEW."""
        path = [part.strip().strip('"') for part in target.lower().partition("[")[0].split(".")]
        if path[0] == "new":
            self._filled.own(path[1] if len(path) > 1 else ANY_COLUMN, carried.classes)
        for part in path:
            if part in self._variables:
                self._variables[part] |= carried.classes

    def _read(self, expr: Mapping[str, Json]) -> Outputs:
        """What an expression or statement gives; what it writes is noted."""
        query, mode = expr["query"], expr.get("parseMode", _EXPRESSION_MODE)
        target = ""
        if mode > _EXPRESSION_MODE:
            target, _, query = query.partition("=")
            target = target.rstrip().removesuffix(":")
        given = [self._run(raw.stmt) for raw in parse(_as_statement(query, mode)).stmts]
        found = given[0] if len(given) == 1 else Outputs(None, self._scope.anything)
        if target:
            self._put(target, found.everything)
        return found

    def _run(self, node: Node) -> Outputs:
        scope = self._scope
        rows = self._filled.rows()
        for name in _unknown(node, scope) if rows else ():  # a transition table is the trigger's
            scope = scope.having(name, Outputs(rows[0].columns, rows[0].row))
        by_statement(node, scope, self._filled)
        if kind(node) in ("select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"):
            return query_outputs(node, scope)
        return Outputs(None, scope.anything)

    @property
    def _scope(self) -> Scope:
        held = {name: Carried(c, derived=True) for name, c in self._variables.items() if name}
        bare = Source("", tuple(held.items()))
        fields = (Source(name, (), carried) for name, carried in held.items())
        clean = Source(
            "",
            tuple((n, CLEAN) for n in self._names if n not in held and n not in ("", "new", "old")),
        )
        return self._filled.scope.within((*self._filled.rows(), bare, clean, *fields))


def _as_statement(query: str, mode: int) -> str:
    return query if mode == _STATEMENT_MODE else f"select {query}"


def _unknown(node: Node, scope: Scope) -> Iterable[str]:
    """The names without a schema, in a statement, of relations that nobody knows."""
    if kind(node) == "range_var":
        relation = node.range_var
        if not relation.schemaname and scope.found("", relation.relname) is None:
            yield relation.relname
    elif kind(node):
        for child in children(inner(node)):
            yield from _unknown(child, scope)
