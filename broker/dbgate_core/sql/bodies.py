"""The bodies of functions, as the SQL texts in them: SQL and PL/pgSQL, from a CREATE FUNCTION or DO."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import postgast

from dbgate_core.errors import DbgateError
from dbgate_core.sql.parser import parse, parse_code
from dbgate_core.sql.tree import Node, kind

SQL, PLPGSQL = "sql", "plpgsql"
_DYNAMIC: Final = {
    "PLpgSQL_stmt_dynexecute": "query",
    "PLpgSQL_stmt_dynfors": "query",
    "PLpgSQL_stmt_return_query": "dynquery",
    "PLpgSQL_stmt_open": "dynquery",
}
"""Statements that run SQL given as text, and their field that gives it."""
_STATEMENT: Final = "PLpgSQL_stmt_"
_KNOWN_NAMES: Final = """
    block assign if case loop while fori fors forc foreach_a exit return return_next return_query
    raise assert execsql dynexecute dynfors getdiag open fetch close perform call commit rollback set
"""
_KNOWN: Final = frozenset(_STATEMENT + name for name in _KNOWN_NAMES.split())
_PORTALS: Final = frozenset(_STATEMENT + name for name in ("open", "close", "fetch", "forc"))
_NAMES: Final = frozenset({"refname", "label"})
"""Fields of the tree that hold what a name in the body's SQL may mean instead of a column."""
_STATEMENT_MODE, _EXPRESSION_MODE = 0, 2  # RawParseMode; 3 to 5 are assignments
_OPTION: Final = "#variable_conflict"
"""With it a variable may win over a column of its name."""
_ROWS: Final = frozenset({"new", "old"})
MAX_BODIES: Final = 256
"""Bodies kept parsed; each is bounded by what the catalog reads of one (`queries`)."""


@dataclass(frozen=True, slots=True)
class Body:
    """`nodes` are statements that the body may run, `variables` names in it that are no columns.

    `whole` is false when it may run others: dynamic SQL, a language that is not read. `path` is the
    search_path that the function sets for itself. `portals`: it opens, closes or reads some, by names that may be anybody's.
    """

    nodes: tuple[Node, ...] = ()
    variables: frozenset[str] = frozenset()
    whole: bool = False
    path: tuple[str, ...] | None = None
    portals: bool = False


@dataclass(slots=True)
class _Found:
    nodes: list[Node] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    whole: bool = True
    portals: bool = False


def language_of(options: Any, default: str) -> str:  # Any: protobuf
    """The LANGUAGE among the options."""
    found = [item.def_elem.arg for item in options if item.def_elem.defname == "language"]
    return str(found[0].string.sval).lower() if found else default


@lru_cache(maxsize=MAX_BODIES)
def body_of(definition: str) -> Body:
    """The body in the text of a CREATE FUNCTION or CREATE PROCEDURE; what is not read is not whole."""
    try:
        node = parse(definition).stmts[0].stmt
        return read_body(node) if kind(node) == "create_function_stmt" else Body()
    except (DbgateError, RecursionError, IndexError):
        return Body()


def own_body(statement: str, message: Node) -> Body:
    """The body in a `create_function_stmt` or `do_stmt`; what is not read is not whole."""
    try:
        return read_body(postgast.pg_query_pb2.Node(**{statement: message}))
    except (DbgateError, RecursionError):
        return Body()


def read_body(node: Node) -> Body:
    """The body of a CREATE FUNCTION, CREATE PROCEDURE or DO. Raises DbgateError for what is no SQL."""
    stored = kind(node) == "create_function_stmt"
    create = node.create_function_stmt
    options = create.options if stored else node.do_stmt.args
    language = language_of(options, SQL if stored else PLPGSQL)
    if language not in (SQL, PLPGSQL):
        return Body()
    found = _Found()
    if stored:
        found.names |= {item.function_parameter.name for item in create.parameters}
        found.names.add(create.funcname[-1].string.sval)
        found.nodes += [item.function_parameter.defexpr for item in create.parameters]
    if language == SQL:
        _sql(create, found)
    else:
        text = _text(options)
        found.names |= _ROWS
        found.whole = _OPTION not in text
        _code(parse_code(node), found)
    variables = frozenset(name.lower() for name in found.names if name)
    found.nodes += [item.def_elem.arg for item in options if item.def_elem.defname == "set"]
    path = _own_path(options)
    return Body(tuple(found.nodes), variables, found.whole, path, found.portals)


def _text(options: Any) -> str:  # Any: protobuf
    for item in options:
        if item.def_elem.defname == "as":
            held = item.def_elem.arg
            first = held.list.items[0] if kind(held) == "list" else held
            return str(first.string.sval)
    return ""


def _sql(create: Node, found: _Found) -> None:
    """The text, or the body of the standard's form (BEGIN ATOMIC, RETURN)."""
    found.nodes += [raw.stmt for raw in parse(_text(create.options)).stmts]
    if create.HasField("sql_body"):
        found.nodes.append(create.sql_body)


def _own_path(options: Any) -> tuple[str, ...] | None:  # Any: protobuf
    """The search_path that the function SETs for the time it runs."""
    for item in options:
        change = item.def_elem.arg.variable_set_stmt
        if item.def_elem.defname == "set" and change.name.lower() == "search_path":
            return tuple(value.a_const.sval.sval for value in change.args)
    return None


def _code(part: Any, found: _Found) -> None:  # Any: the JSON of libpg_query
    if isinstance(part, list):
        for item in part:
            _code(item, found)
    elif isinstance(part, dict):
        for name, held in part.items():
            if name == "PLpgSQL_expr":
                _expression(held["query"], held.get("parseMode", _EXPRESSION_MODE), found)
                continue
            if name in _NAMES and isinstance(held, str):
                found.names.add(held)
            elif name.startswith(_STATEMENT) and name not in _KNOWN:
                found.whole = False
            found.portals |= name in _PORTALS
            if name in _DYNAMIC and (query := held.get(_DYNAMIC[name])):
                _dynamic(query["PLpgSQL_expr"]["query"], found)
            _code(held, found)


def _expression(query: str, mode: int, found: _Found) -> None:
    if mode == _STATEMENT_MODE:
        found.nodes += [raw.stmt for raw in parse(query).stmts]
        return
    if mode > _EXPRESSION_MODE:
        target, _, value = query.partition("=")
        query = f"{target.removesuffix(':')}, {value}"
    found.nodes += [raw.stmt for raw in parse(f"select {query}").stmts]


def _dynamic(query: str, found: _Found) -> None:
    """EXECUTE of a constant is as good as the statement itself; of anything else, it is unknown."""
    target = parse(f"select {query}").stmts[0].stmt.select_stmt.target_list
    value = target[0].res_target.val if len(target) == 1 else None
    if value is None or kind(value) != "a_const" or not value.a_const.HasField("sval"):
        found.whole = False
        return
    found.nodes += [raw.stmt for raw in parse(value.a_const.sval.sval).stmts]
