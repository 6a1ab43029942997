"""Names in reach of an expression: the sources of each query around it, innermost last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from dbgate_core.catalog import Catalog, CatalogRelation, RelationKind
from dbgate_core.masking.carried import CLEAN, Carried, Outputs, Source, computed, either
from dbgate_core.masking.functions import SENSITIVE_SYSTEM
from dbgate_core.masking.moved import ALL_NAMES
from dbgate_core.sql.system import SYSTEM_RELATIONS

SYSTEM_COLUMNS: Final = frozenset({"ctid", "oid", "tableoid", "xmin", "xmax", "cmin", "cmax"})
_SYSTEM_SCHEMAS: Final = frozenset({"pg_catalog", "information_schema"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Where names are looked up.

    `levels` are the FROM sources of the enclosing queries, outermost first; `ctes` the WITH
    queries in reach; `depth` counts nested queries; `clean` names the connection's temporary tables
    that hold nothing protected, `shadows` all names that such a table may have, whatever it holds.
    `counted`, when it is a list, is given what decides how many rows a query has. When `blurred`, the
    catalog may be wrong about relations: each may hold anything, but the system's own when their schema
    is named, for no DDL takes their names. When `renamed`, any may be another one
    that the catalog has: what is read of a column may be what a column of that name holds in any table.
    A column of a name in `moved` may be any other one (`masking.moved`).
    `parameters` are what a function is called with; those of a statement carry nothing.
    """

    catalog: Catalog
    search_path: tuple[str, ...]
    levels: tuple[tuple[Source, ...], ...] = ()
    ctes: Mapping[str, Outputs] = field(default_factory=dict)
    depth: int = 0
    clean: frozenset[str] = frozenset()
    shadows: frozenset[str] = frozenset()
    counted: list[Carried] | None = field(default=None, compare=False)
    blurred: bool = False
    renamed: bool = False
    parameters: tuple[Carried, ...] = ()
    moved: frozenset[str] = frozenset()

    @property
    def anything(self) -> Carried:
        """What a value of unknown origin carries: everything protected in the database."""
        return Carried(self.catalog.classes, derived=True) if self.catalog.classes else CLEAN

    def within(self, sources: tuple[Source, ...]) -> Scope:
        """The scope of expressions of a query with these sources."""
        return replace(self, levels=(*self.levels, sources))

    def deeper(self) -> Scope:
        """The scope of a nested query."""
        return replace(self, depth=self.depth + 1)

    def having(self, name: str, outputs: Outputs) -> Scope:
        """With one more WITH query."""
        return replace(self, ctes={**self.ctes, name: outputs})

    def column(self, path: tuple[str, ...]) -> Carried:
        """What a column reference carries; a whole-row reference, all its columns."""
        if path[-1] == "*":
            return self._row(path[-2]) if len(path) > 1 else self._all()
        if len(path) == 1:
            return self._bare(path[0])
        source = self._source(path[-2])
        if source is None:
            return self.anything
        found = source.column(path[-1])
        if found is not None:
            return found
        if path[-1] in self.catalog.functions:
            return self.anything  # `t.f` calls f(t) when t has no column f
        return CLEAN if path[-1] in SYSTEM_COLUMNS else source.row

    def _bare(self, name: str) -> Carried:
        maybe: list[Carried] = []
        for level in reversed(self.levels):
            listed = [source.column(name) for source in level if source.lists(name)]
            if listed:
                return either([*maybe, *(found for found in listed if found is not None)])
            if any(source.alias == name for source in level):
                return computed([*maybe, self._row(name)])
            maybe += [source.rest for source in level if source.rest is not None]
        if maybe:
            return computed(maybe)
        return CLEAN if name in SYSTEM_COLUMNS else self.anything

    def _row(self, alias: str) -> Carried:
        source = self._source(alias)
        return source.row if source is not None else self.anything

    def _all(self) -> Carried:
        return computed(source.row for source in self.levels[-1]) if self.levels else CLEAN

    def _source(self, alias: str) -> Source | None:
        for level in reversed(self.levels):
            found = [source for source in level if source.alias == alias]
            if len(found) == 1:
                return found[0]
            if found:
                row = computed(source.row for source in found)
                return Source(alias, (), row)
        return None

    def relation(self, schema: str, name: str, alias: str) -> Source:
        """The source that a FROM name is: WITH query, known relation, system's own, or unknown."""
        if not schema and name in self.ctes:
            outputs = self.ctes[name]
            rest = outputs.everything if outputs.columns is None else None
            return Source(alias, outputs.columns or (), rest)
        if self.blurred and not (schema == "pg_catalog" and name in SYSTEM_RELATIONS):
            return Source(alias, (), self.anything)
        if self.is_clean(schema, name):
            return Source(alias, (), CLEAN)
        if not schema and name in self.shadows:
            return Source(alias, (), self.anything)
        found = self.found(schema, name)
        if found is None:
            return Source(alias, (), self._unknown(schema, name))
        if found.temporary:
            return Source(alias, (), self.anything)
        if found.kind is RelationKind.SEQUENCE:
            return Source(alias, (), CLEAN)
        return Source(alias, self._columns(found, schema))

    def is_clean(self, schema: str, name: str) -> bool:
        """A clean temporary table, and no other relation that the path might find instead."""
        if schema not in ("", "pg_temp") or name not in self.clean:
            return False
        return all(relation.temporary for relation in self.catalog.named(name))

    def found(self, schema: str, name: str) -> CatalogRelation | None:
        """The relation of the catalog; a name that the path does not find is sought everywhere."""
        found = self.catalog.find(schema, name, self.search_path)
        if found is None and not schema and not name.startswith("pg_"):
            return next(iter(self.catalog.named(name)), None)
        return found

    def _unknown(self, schema: str, name: str) -> Carried:
        system = schema in _SYSTEM_SCHEMAS or (not schema and name.startswith("pg_"))
        return CLEAN if system and name not in SENSITIVE_SYSTEM else self.anything

    def is_moved(self, column: str) -> bool:
        """May the name mean another column than the catalog says."""
        return column in self.moved or self.moved == ALL_NAMES

    def _columns(self, found: CatalogRelation, schema: str) -> tuple[tuple[str, Carried], ...]:
        """Its columns. The path may have been changed, so namesakes' classes are added; or names of tables."""
        namesakes = () if schema else self.catalog.named(found.name)
        if self.renamed:
            namesakes = tuple(filter(_is_protected, self.catalog.relations))
        others = [relation for relation in namesakes if relation.oid != found.oid]
        columns = []
        for column in found.columns:
            classes, derived = column.classes, column.derived
            if self.is_moved(column.name):
                classes, derived = self.catalog.classes, True
            for other in others:
                if (twin := other.column(column.name)) and twin.classes - classes:
                    classes, derived = classes | twin.classes, True
            document = column.document if classes == column.classes else None
            carried = Carried(classes, derived, column.type_oid, document)
            columns.append((column.name, carried))
        return tuple(columns)


def _is_protected(relation: CatalogRelation) -> bool:
    return relation.schema not in _SYSTEM_SCHEMAS and any(c.classes for c in relation.columns)
