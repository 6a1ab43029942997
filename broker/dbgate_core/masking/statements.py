"""The results that a text's statements give: SELECT, RETURNING, EXECUTE, FETCH, EXPLAIN, COPY."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dbgate_core.catalog import Catalog
from dbgate_core.errors import DbgateError
from dbgate_core.masking.carried import CLEAN, Outputs, Source
from dbgate_core.masking.copy_options import options_of
from dbgate_core.masking.foreseen import foreseen
from dbgate_core.masking.lineage import query_outputs, runs_foreign_code
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import Node, inner, kind, present, strings

_QUERIES: Final = frozenset(
    {"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}
)
_WRITES: Final = _QUERIES - {"select_stmt"}
_NAMING: Final = frozenset({"prepare_stmt", "declare_cursor_stmt"})


def result_outputs(
    text: str, scope: Scope, names: Mapping[str, str]
) -> tuple[tuple[Outputs, bool], ...]:
    """The outputs of each statement that may give rows, and whether it writes."""
    try:
        return tuple(_each(text, scope, names))
    except (DbgateError, RecursionError):
        return ((Outputs(None, scope.anything), True),)


def may_write(text: str) -> bool:
    """Can a result of the text be of rows that it wrote: a cheap look before parsing.

    Such a result needs the keyword RETURNING, which SQL can spell in ASCII letters only, in the
    text or behind the name that it EXECUTEs.
    """
    lowered = text.lower()
    return not text or "returning" in lowered or "execute" in lowered


def _each(text: str, scope: Scope, names: Mapping[str, str]) -> Iterator[tuple[Outputs, bool]]:
    prepared: dict[tuple[bool, str], Node] = {}
    for raw in parse(text).stmts:
        node = raw.stmt
        name = kind(node)
        if name in _QUERIES:
            yield query_outputs(node, scope), name in _WRITES or _writes_within(node)
        elif name in _NAMING:
            prepared[_given(node)] = inner(node).query
        elif name in ("execute_stmt", "fetch_stmt"):
            executed = name == "execute_stmt"
            target = executed, str(inner(node).name if executed else inner(node).portalname)
            if target in prepared:
                yield _prepared(prepared[target], scope)
            else:
                yield from _named(target, scope, names)
        elif name == "explain_stmt":
            foreign = runs_foreign_code(node.explain_stmt.query, scope)
            yield Outputs(None, scope.anything if foreign else CLEAN), False
        elif name == "variable_show_stmt":
            dotted = "." in node.variable_show_stmt.name
            yield Outputs(None, scope.anything if dotted else CLEAN), False
        elif name in ("call_stmt", "do_stmt"):
            yield Outputs(None, scope.anything), True


def _given(node: Node) -> tuple[bool, str]:
    """Whether it is EXECUTE that runs it, and by which name: cursors have names of their own."""
    executed = kind(node) == "prepare_stmt"
    return executed, str(inner(node).name if executed else inner(node).portalname)


def _prepared(query: Node, scope: Scope) -> tuple[Outputs, bool]:
    return query_outputs(query, scope), kind(query) in _WRITES or _writes_within(query)


def _named(
    target: tuple[bool, str], scope: Scope, names: Mapping[str, str]
) -> Iterator[tuple[Outputs, bool]]:
    """What a name may stand for. A cursor cannot write (DECLARE refuses it); an unknown EXECUTE may.

    A text that gives it several times may have left any of them behind it.
    """
    executed, name = target
    text = names.get(name, "")
    statements = [raw.stmt for raw in parse(text).stmts]
    found = [node for node in statements if kind(node) in _NAMING and _given(node) == target]
    if not found:
        yield Outputs(None, scope.anything), executed
    for node in found:
        yield _prepared(inner(node).query, scope)


def _writes_within(node: Node) -> bool:
    """A SELECT over WITH queries that write."""
    message = inner(node)
    if not message.DESCRIPTOR.fields_by_name.get("with_clause") or not present(
        message, "with_clause"
    ):
        return False
    return any(kind(c.common_table_expr.ctequery) in _WRITES for c in message.with_clause.ctes)


@dataclass(frozen=True, slots=True)
class Copied:
    """What one COPY ... TO STDOUT gives, and its options as its text has them."""

    options: Mapping[str, str]
    outputs: Outputs


@foreseen
def copies(
    text: str,
    catalog: Catalog,
    search_path: tuple[str, ...],
    clean: frozenset[str],
    shadows: frozenset[str],
    blurred: bool,
) -> tuple[Copied, ...]:
    """The COPY ... TO STDOUT statements of the text; none when it cannot be parsed."""
    scope = Scope(catalog, search_path, clean=clean, shadows=shadows, blurred=blurred)
    try:
        found = [raw.stmt.copy_stmt for raw in parse(text).stmts if kind(raw.stmt) == "copy_stmt"]
    except (DbgateError, RecursionError):
        return ()
    return tuple(
        Copied(options_of(copy), _copied(copy, scope)) for copy in found if not copy.is_from
    )


def _copied(copy: Node, scope: Scope) -> Outputs:
    """The columns of a COPY TO, of a query or of a table."""
    try:
        if present(copy, "query"):
            return query_outputs(copy.query, scope)
        relation = copy.relation
        source = scope.relation(relation.schemaname, relation.relname, relation.relname)
        listed = strings(copy.attlist)
        if source.rest is not None or not listed:
            return _table(source, scope, relation.schemaname, relation.relname)
        columns = [(name, source.column(name) or scope.anything) for name in listed]
        return Outputs.known(columns)
    except RecursionError:
        return Outputs(None, scope.anything)


def _table(source: Source, scope: Scope, schema: str, name: str) -> Outputs:
    """COPY without a column list leaves generated columns out."""
    if source.rest is not None:
        return source.outputs()
    found = scope.found(schema, name)
    generated = {column.name for column in found.columns if column.generated} if found else set()
    return Outputs.known(item for item in source.columns if item[0] not in generated)
