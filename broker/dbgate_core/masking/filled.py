"""Where code writes what: columns of relations, with the classes of the values that go into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dbgate_core.catalog import CatalogRelation, RelationKind
from dbgate_core.masking.carried import Source
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.lineage import ANY_COLUMN, assigned, dml_sources, with_queries
from dbgate_core.masking.scope import Scope
from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import Node, children, inner, kind

Classes = frozenset[DataClass]
Fills = dict[tuple[int, str], Classes]
"""By a relation's OID and a column's name; under "" what may go to any of its columns."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What one body writes, as it is found.

    `scope` is where it finds names, `relation` the one whose row a trigger or rule was called for. `given` are the
    classes of a function's parameters, by name; `depth` counts the calls around it, `seen` are those that were followed.
    """

    scope: Scope
    relation: CatalogRelation | None = None
    given: Mapping[str, Classes] = field(default_factory=dict)
    depth: int = 0
    fills: Fills = field(default_factory=dict)
    seen: set[tuple[int, tuple[Classes, ...]]] = field(default_factory=set)

    def rows(self) -> tuple[Source, ...]:
        """The rows before and after."""
        if self.relation is None:
            return ()
        own = self.scope.relation(self.relation.schema, self.relation.name, "new")
        return own, Source("old", own.columns, own.rest)

    def note(self, oid: int, column: str, classes: Classes) -> None:
        """Values of these classes go into the column."""
        if classes:
            place = (oid, column)
            self.fills[place] = self.fills.get(place, frozenset()) | classes

    def own(self, column: str, classes: Classes) -> None:
        """The same of a column of the row that a trigger was called for."""
        if self.relation is not None:
            self.note(self.relation.oid, column, classes)

    def unread(self) -> None:
        """Code that cannot be read may put any value of the row into any other column of it."""
        if self.relation is not None:
            self.own(ANY_COLUMN, self.relation.classes)

    def writes(self, statement: Node, scope: Scope) -> None:
        """Note what an INSERT, UPDATE or MERGE writes."""
        scope = with_queries(statement, scope)
        named = statement.relation
        relation = scope.found(named.schemaname, named.relname)
        if relation is None:
            return
        target, others, _ = dml_sources(statement, scope)
        for column, carried in assigned(statement, scope, target, others).items():
            self.note(relation.oid, column, carried.classes)
            for base in _bases(relation, scope):
                self.note(base.oid, ANY_COLUMN, carried.classes)


def _bases(relation: CatalogRelation, scope: Scope) -> Iterator[CatalogRelation]:
    """The relations behind a view: what is written to it goes there."""
    if relation.kind is not RelationKind.VIEW or not relation.definition:
        return
    for found in below(parse(relation.definition).stmts[0].stmt, frozenset({"range_var"})):
        base = scope.found(found.range_var.schemaname, found.range_var.relname)
        if base is not None:
            yield base


def below(node: Node, kinds: frozenset[str]) -> Iterator[Node]:
    """The nodes of those kinds at or below a node."""
    if not kind(node):
        return
    if kind(node) in kinds:
        yield node
    for child in children(inner(node)):
        yield from below(child, kinds)
