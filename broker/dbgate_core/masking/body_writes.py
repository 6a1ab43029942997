"""What the bodies of functions write, in SQL and PL/pgSQL, and those of the functions that they call.

Each variable carries all that is ever put into it, wherever that happens: rounds go on until nothing is new. Which
branch is taken is no value, as in conditions elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from dbgate_core.behaviour import Routine
from dbgate_core.errors import DbgateError, LimitExceeded
from dbgate_core.masking.carried import CLEAN, Carried, Outputs, Source, computed
from dbgate_core.masking.filled import Classes, Filled, below
from dbgate_core.masking.lineage import ANY_COLUMN, expression, query_outputs
from dbgate_core.masking.routines import called, passes_arguments
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.bodies import PLPGSQL, SQL, language_of
from dbgate_core.sql.parser import parse, parse_code
from dbgate_core.sql.tree import Node, inner, kind, present, strings

MAX_ROUNDS: Final = 12
MAX_PIECES: Final = 1_024
MAX_DEFINITIONS: Final = 256
"""Texts kept parsed; each is bounded by what the catalog reads of one."""
MAX_CALLS: Final = 8
"""Functions that call each other are followed so deep, one by one; beyond, what they write is taken together."""
_STATEMENT_MODE, _EXPRESSION_MODE = 0, 2  # RawParseMode; 3 to 5 are assignments
_WRITES: Final = frozenset({"insert_stmt", "update_stmt", "merge_stmt"})
_MATTERING: Final = _WRITES | {"func_call", "range_var"}
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


@dataclass(frozen=True, slots=True)
class _Piece:
    """A statement, and what in it matters: what writes, what is called, and names of relations without a schema."""

    node: Node
    writes: tuple[Node, ...]
    calls: tuple[Node, ...]
    names: tuple[str, ...]


def _piece(node: Node) -> _Piece:
    found = list(below(node, _MATTERING))
    relations = (inner(each) for each in found if kind(each) == "range_var")
    return _Piece(
        node,
        tuple(inner(each) for each in found if kind(each) in _WRITES),
        tuple(inner(each) for each in found if kind(each) == "func_call"),
        tuple(each.relname for each in relations if not each.schemaname),
    )


@lru_cache(maxsize=MAX_PIECES)
def _pieces(text: str) -> tuple[_Piece, ...]:
    return tuple(_piece(raw.stmt) for raw in parse(text).stmts)


def _by_piece(piece: _Piece, scope: Scope, filled: Filled) -> None:
    """Note what a statement writes, and what the functions do that it calls."""
    for writing in piece.writes:
        filled.writes(writing, scope)
    for call in piece.calls:
        by_call(call, [expression(argument, scope) for argument in call.args], filled)


def by_call(call: Node, given: Sequence[Carried], filled: Filled) -> None:
    """Note what the functions that a call may mean write, when they are given this."""
    path = strings(call.funcname)
    catalog = filled.scope.catalog
    if path[-1] not in catalog.functions or passes_arguments(path[-1], catalog):
        return
    for routine in catalog.behaviour.named(path[-2:]):
        asked = (routine.oid, tuple(carried.classes for carried in given))
        if asked not in filled.seen:
            filled.seen.add(asked)
            _by_routine(routine, given, filled)


def _by_routine(routine: Routine, given: Sequence[Carried], filled: Filled) -> None:
    try:
        if filled.depth >= MAX_CALLS:
            raise LimitExceeded("calls within calls")
        create = defined(routine.definition).create_function_stmt
        names = [item.function_parameter.name.lower() for item in create.parameters]
        everywhere = dict.fromkeys(filter(None, names), computed(given).classes)
        scope = replace(filled.scope, levels=(), ctes={}, parameters=tuple(given))
        inside = replace(
            filled, scope=scope, relation=None, given=everywhere, depth=filled.depth + 1
        )
        by_definition(routine.definition, inside)
    except (DbgateError, RecursionError, LookupError):
        _at_most(routine, given, filled)


def _at_most(routine: Routine, given: Sequence[Carried], filled: Filled) -> None:
    """All that it is given and reads may go to all that it writes, as far as its body can be read."""
    found = called([routine], filled.scope.catalog)
    if found is None:
        return
    rows = [filled.scope.relation(r.schema, r.name, "").row for r in found.reads]
    for relation in found.writes:
        known = filled.scope.found(relation.schema, relation.name)
        if known is not None:
            filled.note(known.oid, ANY_COLUMN, computed([*given, *rows]).classes)


@lru_cache(maxsize=MAX_DEFINITIONS)
def defined(text: str) -> Node:
    """The CREATE FUNCTION or CREATE RULE of a text. Raises what `parse` raises, and IndexError."""
    return parse(text).stmts[0].stmt


def by_definition(text: str, filled: Filled) -> None:
    """Note what a CREATE FUNCTION or CREATE RULE writes. Raises DbgateError for what cannot be read."""
    node = defined(text)
    if kind(node) == "rule_stmt":
        inside = filled.scope.within(filled.rows())
        for action in node.rule_stmt.actions:
            _by_piece(_piece(action), inside, filled)
        return
    language = language_of(node.create_function_stmt.options, SQL)
    if language == PLPGSQL:
        _by_code(text, filled)
    elif language == SQL:
        named = tuple((name, Carried(held, derived=True)) for name, held in filled.given.items())
        inside = filled.scope.within((Source("", named),))
        for piece in _statements(node):
            _by_piece(piece, inside, filled)
    else:
        filled.unread()


def _statements(node: Node) -> Iterator[_Piece]:
    """Those of a function of SQL."""
    create = node.create_function_stmt
    for item in create.options:
        if item.def_elem.defname == "as":
            yield from _pieces(_text(node))
    if present(create, "sql_body"):
        yield _piece(create.sql_body)


@lru_cache(maxsize=MAX_DEFINITIONS)
def _code(text: str) -> Json:
    return parse_code(defined(text))


def _by_code(text: str, filled: Filled) -> None:
    code = _code(text)
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
        if re.search(rf"\breturn\s+\"?{re.escape(name)}\b", text, re.IGNORECASE):
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
        given = [self._run(piece) for piece in _pieces(_as_statement(query, mode))]
        found = given[0] if len(given) == 1 else Outputs(None, self._scope.anything)
        if target:
            self._put(target, found.everything)
        return found

    def _run(self, piece: _Piece) -> Outputs:
        node, scope = piece.node, self._scope
        rows = self._filled.rows() if piece.names else ()
        for name in piece.names if rows else ():
            if scope.found("", name) is None:  # a transition table is the trigger's
                scope = scope.having(name, Outputs(rows[0].columns, rows[0].row))
        _by_piece(piece, scope, self._filled)
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
