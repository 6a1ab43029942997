"""What a database holds, as far as judging and masking need it: relations, columns, classes.

A catalog is a frozen picture, read from pg_catalog by `dbgate_broker.catalog`. Relations are found
by OID (RowDescription names them so) or by name along a search path.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from dbgate_core.behaviour import Behaviour
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.document import Document
from dbgate_core.masking.shapes import BUILT_IN, Shape

if TYPE_CHECKING:
    from dbgate_core.sql.effects import Relation

FIRST_USER_OID: Final = 16384
"""OIDs below are the system's own (PostgreSQL source, access/transam.h, FirstNormalObjectId)."""


class RelationKind(StrEnum):
    """What a relation is, in the words of the CREATE commands."""

    TABLE = "table"
    PARTITIONED = "partitioned"
    VIEW = "view"
    MATVIEW = "matview"
    FOREIGN = "foreign"
    SEQUENCE = "sequence"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `type_oid` is as declared, so it may be a domain (`Catalog.base_type` resolves it).

    `classes` is empty for a column that may be shown. `derived` is set on a view's column that is
    computed from protected values: it has their classes, and no partial form of it is safe.
    `generated` is the expression that fills it, else empty. `not_null`: as declared.
    `found` are those of `classes` that its values showed, so that they follow it whatever it is
    called; `document` tells the members of its documents apart. `filled` are those of `classes` that triggers and
    rules bring there; `reviewed`: people said what the classes are, and nothing adds to them.
    """

    attnum: int
    name: str
    type_oid: int
    classes: frozenset[DataClass] = frozenset()
    comment: str = ""
    derived: bool = False
    generated: str = ""
    not_null: bool = False
    found: frozenset[DataClass] = frozenset()
    document: Document | None = None
    filled: frozenset[DataClass] = frozenset()
    reviewed: bool = False


@dataclass(frozen=True, slots=True)
class CatalogRelation:
    """A table, view, sequence ... `definition` is a view's SELECT, else empty."""

    oid: int
    schema: str
    name: str
    kind: RelationKind
    columns: tuple[Column, ...]
    definition: str = ""

    @property
    def classes(self) -> frozenset[DataClass]:
        """The union of its columns' classes."""
        return frozenset().union(*(column.classes for column in self.columns))

    @property
    def temporary(self) -> bool:
        """True in a session's own schema, where any value may have been copied to."""
        return self.schema.startswith(("pg_temp", "pg_toast_temp"))

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    def by_attnum(self, attnum: int) -> Column | None:
        """The column of that attribute number."""
        return next((column for column in self.columns if column.attnum == attnum), None)


class Catalog:
    """The relations of one database at one moment. Immutable; `version` tells pictures apart."""

    __slots__ = (
        "_by_bare_name",
        "_by_name",
        "_by_oid",
        "base_types",
        "behaviour",
        "classes",
        "functions",
        "partial",
        "relations",
        "remembered",
        "shapes",
        "version",
    )

    def __init__(
        self,
        relations: Iterable[CatalogRelation],
        version: str = "",
        functions: Iterable[str] = (),
        base_types: Mapping[int, int] | None = None,
        behaviour: Behaviour | None = None,
        shapes: Mapping[int, Shape] | None = None,
        *,
        partial: bool = False,
    ) -> None:
        """Index the relations.

        `functions` are the names outside pg_catalog whose body may read relations. `base_types`
        maps a domain to its base type, and an array over domains to the array over the base type.
        `behaviour` is what the database does by itself. `shapes` say what its own types are made of,
        where that is not one value. `partial`: some definitions could not be read
        and are no SQL, so that what they mean is not understood; the picture is soon read again.
        In `remembered` answers are kept that hang on nothing else.
        """
        self.relations: Final = tuple(relations)
        self.version: Final = version
        self.functions: Final = frozenset(functions)
        self.base_types: Final = dict(base_types or {})
        self.behaviour: Final = behaviour or Behaviour()
        self.shapes: Final = dict(shapes or {})
        self.partial: Final = partial
        self.remembered: Final[dict[Hashable, bool]] = {}
        self._by_oid = {relation.oid: relation for relation in self.relations}
        self._by_name = {(relation.schema, relation.name): relation for relation in self.relations}
        bare: dict[str, tuple[CatalogRelation, ...]] = {}
        for relation in self.relations:
            bare[relation.name] = (*bare.get(relation.name, ()), relation)
        self._by_bare_name = bare
        self.classes: Final[frozenset[DataClass]] = frozenset().union(
            *(found.classes for found in self.relations if found.schema != "pg_catalog")
        )

    def with_relations(self, relations: Iterable[CatalogRelation]) -> Catalog:
        """The same picture with these relations."""
        return Catalog(
            relations,
            self.version,
            self.functions,
            self.base_types,
            self.behaviour,
            self.shapes,
            partial=self.partial,
        )

    def by_oid(self, oid: int) -> CatalogRelation | None:
        """The relation of that OID."""
        return self._by_oid.get(oid)

    def resolve(
        self, relation: Relation, search_path: tuple[str, ...] = ("public",)
    ) -> CatalogRelation | None:
        """The relation that the name means: in its schema, else first found along the path.

        As PostgreSQL does it, a session's temporary schema and pg_catalog come before the path;
        the temporary schemas of other sessions are found too, which errs on the safe side.
        """
        return self.find(relation.schema, relation.name, search_path)

    def find(
        self, schema: str, name: str, search_path: tuple[str, ...] = ("public",)
    ) -> CatalogRelation | None:
        """As `resolve`; the empty schema means a name that is not qualified."""
        if schema == "pg_temp":
            return self._temporary(name)
        if schema:
            return self._by_name.get((schema, name))
        if found := self._temporary(name):
            return found
        for place in ("pg_catalog", *search_path):
            if found := self._by_name.get((place, name)):
                return found
        return None

    def named(self, name: str) -> tuple[CatalogRelation, ...]:
        """Every relation of that name, in whatever schema."""
        return self._by_bare_name.get(name, ())

    def base_type(self, oid: int) -> int:
        """The type under a domain (or under an array of domains), else the type itself."""
        return self.base_types.get(oid, oid)

    def shape(self, oid: int) -> Shape | None:
        """What a base type is made of; None for a single value, and for what is not known."""
        return self.shapes.get(oid) or BUILT_IN.get(oid)

    def _temporary(self, name: str) -> CatalogRelation | None:
        return next((found for found in self.named(name) if found.temporary), None)
