"""The relation that an UPDATE, DELETE or MERGE writes, as its condition names it.

A condition picks rows only by columns of the target. So each column reference of it must be
owned by somebody: the target, another source, or (where columns are not known) maybe the target.
A source that is an unfiltered copy of the target (`USING t AS x`, `IN (SELECT id FROM t)`) is a
twin: equality with it picks every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from dbgate_core.sql.effects import Relation
from dbgate_core.sql.objects import enum_name
from dbgate_core.sql.tree import Node, kind, present, strings

if TYPE_CHECKING:
    from dbgate_core.catalog import Column
    from dbgate_core.sql.walk import Walk

_MAX_HOPS: Final = 8
"""Sub-selects or WITH queries, one over the other, through which a copy is followed."""
_SET_NONE: Final = 1  # SetOperation
_SYSTEM_COLUMNS: Final = frozenset({"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"})
"""No table has columns of its own by these names (PostgreSQL, "5.6. System Columns")."""


class Owner(Enum):
    """Whose column a reference is."""

    TARGET = "target"
    TWIN = "twin"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Source:
    """Another FROM item: its alias, its columns where they are known, and is it a twin."""

    alias: str
    columns: frozenset[str] | None
    twin: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What the names in a condition may mean. `columns` is None when they are not known.

    `filled` are the columns of the target that are never null, as the catalog has it.
    """

    walk: Walk
    relation: Relation
    alias: str
    columns: frozenset[str] | None
    sources: tuple[Source, ...]
    ctes: Mapping[str, Node]
    filled: frozenset[str] = frozenset()

    def is_filled(self, node: Node) -> bool:
        """Is it a column of the target that is never null."""
        if kind(node) != "column_ref":
            return False
        path = column_path(node)
        return path[-1] in self.filled and self.owner(path) is Owner.TARGET

    def picks(self, path: tuple[str, ...]) -> bool:
        """May the reference differ from row to row: a column of the target, but not its one table's OID."""
        if self.owner(path) is not Owner.TARGET:
            return False
        if path[-1] != "tableoid" or self.walk.catalog is None:
            return True
        found = self.walk.find(self.relation)
        return found is None or found.oid in self.walk.catalog.behaviour.descendants

    def column(self, node: Node) -> Column | None:
        """The target's column that the node names, as the catalog has it."""
        if kind(node) != "column_ref" or self.columns is None:
            return None
        path = column_path(node)
        found = self.walk.find(self.relation) if self.owner(path) is Owner.TARGET else None
        return found.column(path[-1]) if found else None

    def base_type(self, column: Column) -> int:
        """The OID of the column's type, or of the type under its domain."""
        catalog = self.walk.catalog
        return catalog.base_type(column.type_oid) if catalog else column.type_oid

    def is_whole_row(self, path: tuple[str, ...]) -> bool:
        """Is the reference, to the target or to a twin, one to all of the row."""
        if len(path) != 1 or path[0] in (self.columns or ()):
            return False
        twins = [source.alias for source in self.sources if source.twin]
        return path[0] in (self.alias, *twins)

    def as_source(self) -> Target:
        """For a query's own condition: every source is a target, so any column picks rows."""
        return replace(self, alias="", columns=None, sources=(), filled=frozenset())

    def within(self, items: Iterable[Node]) -> Target:
        """The target as seen in a sub-select over these FROM items, which hide the names outside."""
        inner = tuple(_sources(self.walk, items, self.relation, self.ctes))
        hidden = {source.alias for source in inner}
        outer = tuple(source for source in self.sources if source.alias not in hidden)
        alias = "\0" if self.alias in hidden else self.alias
        return replace(self, alias=alias, sources=inner + outer)

    def owner(self, path: tuple[str, ...]) -> Owner:
        """Whose column the reference is; the target's, when that cannot be excluded."""
        if len(path) > 1 and (path[-1] != "*" or len(path) > 1):
            return self._qualified(path[-2])
        name = path[0]
        if name == self.alias:
            return Owner.TARGET
        for source in self.sources:
            if source.alias == name:
                return Owner.TWIN if source.twin else Owner.OTHER
            if source.columns is not None and name in source.columns:
                if self.columns is not None and name in self.columns and not source.twin:
                    continue
                return Owner.TWIN if source.twin else Owner.OTHER
        if self.columns is not None and name in self.columns:
            return Owner.TARGET
        if name in self.walk.variables:
            return Owner.OTHER
        if self.columns is None or not self.sources:
            return Owner.TARGET
        known = all(source.columns is not None for source in self.sources)
        return Owner.TARGET if known else Owner.OTHER

    def _qualified(self, alias: str) -> Owner:
        for source in self.sources:
            if source.alias == alias:
                return Owner.TWIN if source.twin else Owner.OTHER
        if alias in self.walk.variables and alias != self.alias:
            return Owner.OTHER
        return Owner.TARGET


def target_of(
    walk: Walk, relation: Node, others: Iterable[Node], ctes: Mapping[str, Node]
) -> Target:
    """The target of a statement that writes the relation, with its other sources."""
    named = walk.relation(relation)
    alias = relation.alias.aliasname or relation.relname
    sources = tuple(_sources(walk, others, named, ctes))
    return Target(walk, named, alias, _columns(walk, named), sources, ctes, _filled(walk, named))


def _filled(walk: Walk, relation: Relation) -> frozenset[str]:
    found = walk.find(relation)
    if found is None:
        return _SYSTEM_COLUMNS
    return _SYSTEM_COLUMNS.union(column.name for column in found.columns if column.not_null)


def _columns(walk: Walk, relation: Relation) -> frozenset[str] | None:
    found = walk.find(relation)
    return frozenset(column.name for column in found.columns) if found else None


def _sources(
    walk: Walk, items: Iterable[Node], target: Relation, ctes: Mapping[str, Node]
) -> Iterator[Source]:
    pending = list(items)
    twins: set[str] = set()
    while pending:
        item = pending.pop(0)
        name = kind(item)
        if name == "join_expr":
            pending += (item.join_expr.larg, item.join_expr.rarg)
        elif name == "range_var":
            relation = item.range_var
            alias = relation.alias.aliasname or relation.relname
            twin = is_copy(walk, item, target, ctes)
            is_cte = not relation.schemaname and relation.relname in ctes
            columns = None if is_cte else _columns(walk, walk.relation(relation))
            twins |= {alias} if twin else set()
            yield Source(alias, columns, twin)
        elif name == "range_subselect":
            alias = item.range_subselect.alias.aliasname
            repeats = set(_repeated(item)) <= twins and _repeats_columns(item)
            yield Source(alias, None, repeats or is_copy(walk, item, target, ctes))
        elif name:
            message = getattr(item, name)
            has_alias = "alias" in message.DESCRIPTOR.fields_by_name
            yield Source(message.alias.aliasname if has_alias else "", None)


def is_copy(
    walk: Walk, item: Node, target: Relation, ctes: Mapping[str, Node], hops: int = _MAX_HOPS
) -> bool:
    """Does the FROM item give the target's rows, all of them."""
    name = kind(item)
    if hops == 0:
        return False
    if name == "range_var":
        relation = item.range_var
        if not relation.schemaname and relation.relname in ctes:
            query = ctes[relation.relname]
            outer = {key: cte for key, cte in ctes.items() if key != relation.relname}
            return _gives_all(walk, query, target, outer, hops - 1)
        return walk.relation(relation) == target
    if name == "range_subselect":
        return _gives_all(walk, item.range_subselect.subquery, target, ctes, hops - 1)
    return False


def _gives_all(
    walk: Walk, query: Node, target: Relation, ctes: Mapping[str, Node], hops: int
) -> bool:
    if kind(query) != "select_stmt":
        return False
    return gives_all_rows(walk, query.select_stmt, target, ctes, hops)


def gives_all_rows(
    walk: Walk, select: Node, target: Relation, ctes: Mapping[str, Node], hops: int = _MAX_HOPS
) -> bool:
    """Is the query a plain SELECT of a copy of the target without a real condition or a limit."""
    from dbgate_core.sql.predicates import always  # conditions know targets, and the other way

    items = [item for item in _apart(select.from_clause) if not _repeats_columns(item)]
    if select.op != _SET_NONE or select.values_lists or len(items) != 1:
        return False
    if any(present(select, field) for field in ("limit_count", "limit_offset", "having_clause")):
        return False
    if not is_copy(walk, items[0], target, ctes, hops):
        return False
    if not present(select, "where_clause"):
        return True
    item = items[0]
    alias = item.range_var.alias.aliasname or item.range_var.relname
    here = Target(walk, target, alias, _columns(walk, target), (), ctes, _filled(walk, target))
    return always(select.where_clause, here)


def _apart(items: Iterable[Node]) -> Iterator[Node]:
    """FROM items, those of cross joins each by itself."""
    for item in items:
        join = item.join_expr
        crossed = kind(item) == "join_expr" and enum_name(join, "jointype") == "JOIN_INNER"
        if crossed and not (present(join, "quals") or join.using_clause or join.is_natural):
            yield from _apart((join.larg, join.rarg))
        else:
            yield item


def _repeats_columns(item: Node) -> bool:
    """Is it `LATERAL (SELECT o.id)`: one row for each of what stands before, with columns of it under their own names."""
    if kind(item) != "range_subselect" or kind(item.range_subselect.subquery) != "select_stmt":
        return False
    select = item.range_subselect.subquery.select_stmt
    said = {field.name for field, _ in select.ListFields()}
    return said <= {"target_list", "limit_option", "op"} and all(
        kind(target.res_target.val) == "column_ref"
        and target.res_target.name in ("", column_path(target.res_target.val)[-1])
        for target in select.target_list
    )


def _repeated(item: Node) -> Iterator[str]:
    """The sources that its columns name; the empty text for one that names none."""
    for target in item.range_subselect.subquery.select_stmt.target_list:
        path = column_path(target.res_target.val)
        yield path[-2] if len(path) > 1 else ""


def column_path(node: Node) -> tuple[str, ...]:
    """The names of a column reference."""
    return strings(node.column_ref.fields)
