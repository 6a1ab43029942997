"""What types are made of, where that is not one value: rows, ranges, hstore, arrays of any of them.

The system's own have fixed OIDs (pg_type.dat, pg_range.dat); those of a database are in its catalog.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array over a type that has a shape of its own."""

    element: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row type: the types of its columns. Nothing is known of those of an anonymous `record`."""

    columns: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class RangeOf:
    """A range over a type, or a multirange."""

    subtype: int
    multi: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """hstore."""


Shape = ArrayOf | Row | RangeOf | Pairs

RECORD: Final = Row(None)
_RANGES: Final = (
    (23, 3904, 3905, 4451, 6150),  # int4range
    (1700, 3906, 3907, 4532, 6151),  # numrange
    (1114, 3908, 3909, 4533, 6152),  # tsrange
    (1184, 3910, 3911, 4534, 6153),  # tstzrange
    (1082, 3912, 3913, 4535, 6155),  # daterange
    (20, 3926, 3927, 4536, 6157),  # int8range
)
"""Subtype, range, its array, multirange, its array."""


def _built_in() -> dict[int, Shape]:
    shapes: dict[int, Shape] = {2249: RECORD, 2287: ArrayOf(2249)}
    for subtype, one, ones, many, manies in _RANGES:
        shapes |= {one: RangeOf(subtype), many: RangeOf(subtype, multi=True)}
        shapes |= {ones: ArrayOf(one), manies: ArrayOf(many)}
    return shapes


BUILT_IN: Final = _built_in()


class Types(Protocol):
    """Who knows the types of a database; `dbgate_core.catalog.Catalog` does."""

    def base_type(self, oid: int) -> int:
        """The type under a domain, else the type itself."""

    def shape(self, oid: int) -> Shape | None:
        """What a base type is made of; None for a single value, and for what is not known."""


class SystemTypes:
    """Those that every database has."""

    def base_type(self, oid: int) -> int:
        """None of them is a domain."""
        return oid

    def shape(self, oid: int) -> Shape | None:
        """Those with fixed OIDs."""
        return BUILT_IN.get(oid)


SYSTEM_TYPES: Final = SystemTypes()
