"""Conditions at random, by a seed, on the table `orders`: for the judge and the server to agree on.

Only columns that are never null stand in them, so that a condition is true or false of each row.
"""

from __future__ import annotations

from random import Random
from typing import Final

from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.effects import Action, Predicate

_COLUMNS: Final = {"id": 23, "customer_id": 23, "status": 25, "amount": 1700, "placed": 1082}
CATALOG: Final = Catalog(
    [
        CatalogRelation(
            20_000,
            "public",
            "orders",
            RelationKind.TABLE,
            tuple(
                Column(n, name, oid, not_null=True)
                for n, (name, oid) in enumerate(_COLUMNS.items(), 1)
            ),
        )
    ]
)
_NUMBERS: Final = (
    *(
        "id",
        "customer_id",
        "amount",
        "length(status)",
        "abs(id)",
        "id + 0",
        "id % 3",
        "sign(amount)",
    ),
    *("least(id, customer_id)", "coalesce(id, 0)", "strpos(status, 'e')", "id - customer_id"),
)
_BOUNDS: Final = (
    *("0", "1", "5", "6", "-1", "100", "190", "2147483647", "-2147483648", "1.5", "40", "2"),
    *("(select min(id) from orders)", "(select max(customer_id) from orders)"),
)
_TEXTS: Final = ("status", "upper(status)", "status || ''", "left(status, 2)", "id::text")
_PATTERNS: Final = ("''", "'new'", "'paid'", "'zzz'", "'n%'", "'%'", "'a'")
_DATES: Final = ("2026-03-01", "2026-06-01", "infinity", "-infinity", "2025-01-01")
_COMPARISONS: Final = ("<", ">", "<=", ">=", "=", "<>")


class Conditions:
    """Draws conditions."""

    def __init__(self, seed: int) -> None:
        self._draw = Random(seed)

    def condition(self, depth: int = 3) -> str:
        """A condition of at most so many levels."""
        chance = self._draw.random()
        if not depth or chance > 0.5:
            return self._atom(depth)
        if chance > 0.4:
            return f"not ({self.condition(depth - 1)})"
        word = "or" if chance > 0.15 else "and"
        return f"({self.condition(depth - 1)}) {word} ({self.condition(depth - 1)})"

    def _atom(self, depth: int) -> str:
        pick = self._draw.choice
        number, other, low, high = pick(_NUMBERS), pick(_NUMBERS), pick(_BOUNDS), pick(_BOUNDS)
        compares = pick(_COMPARISONS)
        forms = [
            f"{number} {compares} {low}",
            f"{low} {compares} {number}",
            f"{number} {compares} {other}",
            f"{number} {pick(('between', 'not between'))} {low} and {pick((high, other))}",
            f"{number} {pick(('in', 'not in'))} ({low}, {high})",
            f"{pick(_TEXTS)} {pick(('=', '<>', 'like', 'not like', '>='))} {pick(_PATTERNS)}",
            f"{pick((number, pick(_TEXTS)))} is {pick(('null', 'not null'))}",
            f"placed {pick(('<', '>=', '>', '<='))} '{pick(_DATES)}'",
        ]
        if depth:
            inner, then = self._atom(0), self._atom(depth - 1)
            test = pick(("is true", "is not true", "is false", "is unknown", "is not null"))
            forms += [f"({inner}) {test}", f"case when {inner} then {then} else false end"]
        return pick(forms)


def is_trivial(condition: str) -> bool:
    """Does the judge take it for one that chooses nothing."""
    effects = analyse(f"delete from orders where {condition}", CATALOG).effects
    predicates = {effect.predicate for effect in effects if effect.action is Action.DELETE}
    return predicates == {Predicate.TRIVIAL}
