"""PostgreSQL's own parser (libpg_query, through postgast): the one place that calls it.

The C code recurses over the tree without looking at its stack, so a text such as `1+1+1+...` of
200 KB ends the process. `_check_depth` counts, with PostgreSQL's own scanner, how deep a tree can
become before anything recursive sees it.
"""

from __future__ import annotations

import re
from typing import Any, Final

import postgast
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError

from dbgate_core.errors import DbgateError, LimitExceeded

MAX_TEXT_BYTES: Final = 1 << 20
"""As the gateway's bound of a Query or Parse."""

MAX_CHAIN: Final = 5_000
"""Operators, keywords and set operations that can nest one in another without a parenthesis.

An 8 MiB stack holds 20,000 levels and breaks at 30,000 (measured). Right-recursive nesting and
parentheses are bounded by the parser itself, at 10,000.
"""

MAX_RUN_STEPS: Final = 20_000_000
"""What long rows of operator characters may cost the scanner: some 0.1 s.

It looks at the rest of such a row anew for each token in it, so 200 KB of `/*` take minutes.
"""
_LONG_RUN: Final = re.compile(r"[-+*/<>=~!@#%^&|`?]{256,}")

_COMMA: Final = ord(",")
_SEMICOLON: Final = ord(";")
_OPENING: Final = frozenset(map(ord, "(["))
_CLOSING: Final = frozenset(map(ord, ")]"))
_token = postgast.pg_query_pb2.Token.Value
_VALUES: Final = frozenset(
    _token(name)
    for name in ("IDENT", "UIDENT", "SCONST", "USCONST", "ICONST", "FCONST", "BCONST", "XCONST",
                 "PARAM", "SQL_COMMENT", "C_COMMENT")
)  # fmt: skip
_SET_OPERATIONS: Final = frozenset(_token(name) for name in ("UNION", "INTERSECT", "EXCEPT"))

# The binding refuses trees of over 100 messages, about 48 operators. The bound above is ours.
_widen = getattr(getattr(api_implementation, "_c_module", None), "SetAllowOversizeProtos", None)
if _widen is not None:
    _widen(True)


class NotParsed(DbgateError):
    """The text is not SQL that PostgreSQL 18's grammar accepts: it is never forwarded.

    `position` is the character, from 1, at which the parser gave up; 0 when it says none.
    """

    code = "sql.not_parsed"
    sqlstate = "42601"

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


def unparse(statement: Any) -> str:
    """The text of one statement of a tree, in libpg_query's own spelling."""
    tree = postgast.ParseResult()
    tree.stmts.add().stmt.CopyFrom(statement)
    return str(postgast.deparse(tree))


def parse(text: str) -> Any:  # Any: a protobuf tree, read by `WhichOneof` at run time
    """The raw parse tree. Raises NotParsed, or LimitExceeded for what is too long or too deep."""
    _check_length(text)
    try:
        if len(text) > MAX_CHAIN:
            _check_runs(text)
            _check_depth(text)
        return postgast.parse(text)
    except postgast.PgQueryError as exc:
        raise NotParsed(str(exc), exc.cursorpos) from exc
    except (DecodeError, RecursionError) as exc:
        raise LimitExceeded("a statement nested too deep to be judged") from exc


def fingerprint(text: str) -> str:
    """The hash of the statement's shape, its literals left out. The text has been parsed before."""
    try:
        return str(postgast.fingerprint(text).hex)
    except postgast.PgQueryError as exc:
        raise NotParsed(str(exc)) from exc


def _check_length(text: str) -> None:
    if "\0" in text:
        raise NotParsed("a statement with a NUL character")
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError as exc:
        raise NotParsed("a statement that is not Unicode text") from exc
    if size > MAX_TEXT_BYTES:
        raise LimitExceeded(f"a statement of over {MAX_TEXT_BYTES} bytes is not judged")


def _check_runs(text: str) -> None:
    """Raise LimitExceeded for a text that PostgreSQL's scanner would take too long to read."""
    if sum(len(run) ** 2 for run in _LONG_RUN.findall(text)) > MAX_RUN_STEPS:
        raise LimitExceeded("a row of operator characters too long to be judged")


def _check_depth(text: str) -> None:
    """Raise LimitExceeded when the tree may be deeper than about MAX_CHAIN.

    A token that is no plain value may add a level to what stands left of it. A comma ends an
    expression or a join, not a set operation. What brackets hold counts, by its deepest element,
    for what they stand in.
    """
    chain = unions = deepest = 0
    outer: list[tuple[int, int, int]] = []
    for item in postgast.scan(text).tokens:
        token = item.token
        if token in _VALUES:
            continue
        if token == _COMMA:
            deepest, chain = max(deepest, chain), 0
        elif token == _SEMICOLON:
            chain = unions = 0
        elif token in _OPENING:
            outer.append((chain, unions, deepest))
            deepest = 0
        elif token in _CLOSING:
            if outer:
                before, unions_before, deepest_before = outer.pop()
                chain, unions = max(chain, before, deepest), max(unions, unions_before)
                deepest = deepest_before
        else:
            chain += 1
            unions += token in _SET_OPERATIONS
        if chain + unions > MAX_CHAIN:
            raise LimitExceeded("a statement nested too deep to be judged")


def parse_code(node: Any) -> Any:  # Any: protobuf in, the JSON of libpg_query out
    """The PL/pgSQL of a DO or CREATE FUNCTION statement, as libpg_query's JSON.

    A trigger function is read as one with the record parameters `new` and `old` (the library's JSON
    of real ones is broken), and VARIADIC as a plain parameter. Raises NotParsed, for code that is not
    there, too: the library asserts that it is, and would end the process.
    """
    if not _has_code(node):
        raise NotParsed("a function or DO without code")
    result = postgast.pg_query_pb2.ParseResult()
    statement = result.stmts.add().stmt
    statement.CopyFrom(node)
    try:
        if statement.WhichOneof("node") == "create_function_stmt":
            _only_code(statement.create_function_stmt)
            _plain_parameters(statement.create_function_stmt)
        text = postgast.deparse(result)
        _check_runs(text)
        return postgast.parse_plpgsql(text)
    except (postgast.PgQueryError, ValueError) as exc:
        raise NotParsed("PL/pgSQL that cannot be read") from exc
    except (DecodeError, RecursionError) as exc:
        raise LimitExceeded("code nested too deep to be judged") from exc


def _has_code(node: Any) -> bool:  # Any: protobuf
    held = getattr(node, node.WhichOneof("node"))
    options = held.args if node.WhichOneof("node") == "do_stmt" else held.options
    return any(item.def_elem.defname == "as" for item in options)


_AS_TRIGGER: Final = (
    "create function f(new record, old record, tg_name text, tg_when text, tg_level text,"
    " tg_op text, tg_relid oid, tg_relname text, tg_table_name text, tg_table_schema text,"
    " tg_nargs int, tg_argv text[], tg_event text, tg_tag text) returns record as ''"
)


def _only_code(create: Any) -> None:  # Any: protobuf
    """Leave of a CREATE FUNCTION what its code needs: its writer reads through null in other parts.

    `PREPARE TRANSACTION ''` in a body of the standard's form ends the process.
    """
    kept = [item for item in create.options if item.def_elem.defname in ("as", "language")]
    options = [type(item).FromString(item.SerializeToString()) for item in kept]
    del create.options[:]
    create.options.extend(options)
    create.ClearField("sql_body")
    if create.HasField("return_type"):  # to look at what is not there makes it
        create.return_type.ClearField("typmods")
    for parameter in create.parameters:
        parameter.function_parameter.ClearField("defexpr")
        parameter.function_parameter.arg_type.ClearField("typmods")


def _plain_parameters(create: Any) -> None:  # Any: protobuf
    returned = [name.string.sval for name in create.return_type.names][-1:]
    if returned in (["trigger"], ["event_trigger"]):
        model = postgast.parse(_AS_TRIGGER).stmts[0].stmt.create_function_stmt
        create.parameters.extend(model.parameters)
        create.return_type.CopyFrom(model.return_type)
    plain = postgast.pg_query_pb2.FunctionParameterMode.Value("FUNC_PARAM_IN")
    variadic = postgast.pg_query_pb2.FunctionParameterMode.Value("FUNC_PARAM_VARIADIC")
    for parameter in create.parameters:
        if parameter.function_parameter.mode == variadic:
            parameter.function_parameter.mode = plain
