"""From the rows of pg_type to what types are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dbgate_core.masking.shapes import BUILT_IN, ArrayOf, Pairs, RangeOf, Row, Shape

ShapeRow = tuple[int, int, str, int, list[int]]
"""OID, array's OID, kind, relation's OID, parts."""
DomainRow = tuple[int, int, int, str]

_ROW: Final = "c"
_RANGES: Final = {"r": False, "m": True}
_PAIRS: Final = "hstore"


def shapes(
    rows: Iterable[ShapeRow],
    columns: Mapping[int, Sequence[int]],
    domains: Iterable[DomainRow],
    base_types: Mapping[int, int],
) -> dict[int, Shape]:
    """By OID; `columns` are the types of relations' columns, in order.

    pg_type calls a range `r`, as pg_class does a table: those of pg_type have no relation.
    """
    found: dict[int, Shape] = {}
    for oid, array, kind, relation, parts in rows:
        found[oid] = _shape(kind, relation, parts, columns)
        if array:
            found[array] = ArrayOf(oid)
    for oid, array, _, _ in domains:
        base = base_types.get(oid, oid)
        if array and (base in found or base in BUILT_IN):
            found[array] = ArrayOf(base)
    return found


def _shape(
    kind: str, relation: int, parts: Sequence[int], columns: Mapping[int, Sequence[int]]
) -> Shape:
    if relation:
        return Row(tuple(parts if kind == _ROW else columns.get(relation, ())))
    return Pairs() if kind == _PAIRS else RangeOf(parts[0], multi=_RANGES[kind])
