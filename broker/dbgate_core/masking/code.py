"""PL/pgSQL in DO and CREATE FUNCTION that would carry protected values to where no mask can follow.

What a body reads and what it writes is found statement by statement; what happens in its variables
between is not followed. So a body that reads anything protected may not also write plain columns,
settings or messages, and one that runs SQL made at run time is refused: it might do both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from dbgate_core.errors import DbgateError
from dbgate_core.masking.lineage import runs_foreign_code
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.parser import parse, parse_code
from dbgate_core.sql.tree import Node, children, inner, kind, strings

Flow = Callable[[Node, Scope], str]
"""`flows.hidden_flow` of one statement."""

_FOLLOWED: Final = "plpgsql"
_DYNAMIC: Final = {
    "PLpgSQL_stmt_dynexecute": "query",
    "PLpgSQL_stmt_dynfors": "query",
    "PLpgSQL_stmt_return_query": "dynquery",
    "PLpgSQL_stmt_open": "dynquery",
}
"""Statements that run SQL given as text, and their field that gives it."""
_STATEMENT_MODE: Final = 0  # RawParseMode of a whole statement; 2 is an expression, 3 to 5 assign
_EXPRESSION_MODE: Final = 2
_ROWS: Final = frozenset({"new", "old"})


@dataclass(slots=True)
class _Body:
    """What a body does, as far as it was read."""

    scope: Scope
    flow: Flow
    stored: bool
    reads: bool = False
    moves: str = ""
    dynamic: bool = False
    made: set[str] = field(default_factory=set)


def hidden_in_code(node: Node, scope: Scope, flow: Flow) -> str:
    """Why the DO or CREATE FUNCTION would move protected values; empty when it does not.

    Functions of SQL are not looked at here: they are statements.
    """
    stored = kind(node) == "create_function_stmt"
    options = node.create_function_stmt.options if stored else node.do_stmt.args
    language = _language(options) or ("sql" if stored else _FOLLOWED)
    if stored and language == "sql":
        return ""
    if language != _FOLLOWED:
        return f"the language {language} cannot be followed"
    body = _Body(scope, flow, stored)
    try:
        _walk(parse_code(node), body)
    except (DbgateError, RecursionError):
        return "this code cannot be followed"
    if body.dynamic:
        return "SQL that is made at run time cannot be followed"
    return f"the code reads protected values, and {body.moves}" if body.reads and body.moves else ""


def _language(options: Any) -> str:  # Any: protobuf
    found = {item.def_elem.defname: item.def_elem for item in options}
    return str(found["language"].arg.string.sval).lower() if "language" in found else ""


def _walk(part: Any, body: _Body) -> None:  # Any: JSON
    if isinstance(part, list):
        for item in part:
            _walk(item, body)
    elif isinstance(part, dict):
        for name, held in part.items():
            if name == "PLpgSQL_expr":
                _expression(held["query"], held.get("parseMode", _EXPRESSION_MODE), body)
                continue
            if name in _DYNAMIC and (query := held.get(_DYNAMIC[name])):
                _dynamic(query["PLpgSQL_expr"]["query"], body)
            elif name == "PLpgSQL_stmt_perform":
                _perform(held["expr"]["PLpgSQL_expr"]["query"], body)
                continue
            elif name == "PLpgSQL_stmt_raise" and body.stored and held.get("params"):
                body.moves = body.moves or "a message would tell them"
            elif name == "name" and isinstance(held, str) and _of_row(held):
                body.moves = body.moves or f"{held} would hold them"
            _walk(held, body)


def _of_row(target: str) -> bool:
    return target.lower().partition(".")[0] in _ROWS and "." in target


def _expression(query: str, mode: int, body: _Body) -> None:
    if mode == _STATEMENT_MODE:
        return _statements(query, body)
    if mode > _EXPRESSION_MODE:
        target, _, query = query.partition("=")
        target = target.removesuffix(":")
        if _of_row(target.strip()):
            body.moves = body.moves or f"{target.strip()} would hold them"
    return _statements(f"select {query}", body)


def _statements(text: str, body: _Body, foreign: bool = True) -> None:
    for raw in parse(text).stmts:
        _created(raw.stmt, body)
        body.reads |= _reads(raw.stmt, body) or (
            foreign and runs_foreign_code(raw.stmt, body.scope)
        )
        body.moves = body.moves or body.flow(raw.stmt, body.scope)


def _perform(query: str, body: _Body) -> None:
    """PERFORM forgets what its functions give."""
    _statements(query, body, foreign=False)


def _dynamic(query: str, body: _Body) -> None:
    """EXECUTE of a constant is as good as the statement itself."""
    target = parse(f"select {query}").stmts[0].stmt.select_stmt.target_list
    value = target[0].res_target.val if len(target) == 1 else None
    if value is None or kind(value) != "a_const" or value.a_const.WhichOneof("val") != "sval":
        body.dynamic = True
        return
    _statements(value.a_const.sval.sval, body)


def _created(node: Node, body: _Body) -> None:
    """Tables that the body makes: what goes into them is seen where it is read."""
    if kind(node) == "create_stmt":
        body.made.add(node.create_stmt.relation.relname)


def _reads(node: Node, body: _Body) -> bool:
    for below in _nodes(node):
        if kind(below) == "range_var":
            relation = below.range_var
            known = body.scope.found(relation.schemaname, relation.relname) is not None
            if relation.relname in body.made and not known:
                continue
            row = body.scope.relation(relation.schemaname, relation.relname, "").row
            if not row.clean:
                return True
        elif kind(below) == "column_ref" and _protected_row(below, body.scope):
            return True
    return False


def _protected_row(reference: Node, scope: Scope) -> bool:
    """`new.email` in a trigger function, of whichever table it will be the trigger."""
    path = strings(reference.column_ref.fields)
    if len(path) < 2 or path[-2] not in _ROWS:
        return False
    columns = (relation.column(path[-1]) for relation in scope.catalog.relations)
    return any(column is not None and column.classes for column in columns)


def _nodes(node: Node) -> Iterator[Node]:
    if kind(node):
        yield node
        for child in children(inner(node)):
            yield from _nodes(child)
