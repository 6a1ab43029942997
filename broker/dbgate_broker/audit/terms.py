"""What of an entry can be searched for, as terms of an inverted index.

A term is a letter, a colon and a value: `p:alice`, `d:prod-db`, `t:shop.orders`. Entries are read as
plain JSON: what is not there, or is of another shape, gives no term.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

KIND: Final = "k:"
SESSION: Final = "s:"
PRINCIPAL: Final = "p:"
DATABASE: Final = "d:"
VERDICT: Final = "v:"
TABLE: Final = "t:"

_CHAIN: Final = ("on_behalf_of", "asserted_agent")
_PEOPLE: Final = ("who", "principal", "requester", "reviewer", "by")


def of_entry(entry: Mapping[str, Any]) -> set[str]:
    """The terms of an entry. What stands in its `scope` counts as well as what stands in itself."""
    found = {KIND + str(entry.get("kind", ""))}
    for place in (entry, _mapping(entry.get("scope"))):
        for prefix, key in ((SESSION, "session"), (DATABASE, "database"), (VERDICT, "verdict")):
            value = place.get(key)
            if isinstance(value, str) and value:
                found.add(prefix + value)
        for key in _PEOPLE:
            found.update(PRINCIPAL + name for name in names(place.get(key)))
    tables = entry.get("tables")
    for table in tables if isinstance(tables, list) else ():
        if isinstance(table, str) and table:
            found.add(TABLE + table)
            found.add(TABLE + table.rpartition(".")[2])
    return found


def names(who: object, depth: int = 8) -> Iterator[str]:
    """Every name in an identity chain: the agent's, and of whom it acts for."""
    if isinstance(who, str):
        if who:
            yield who
    elif isinstance(who, Mapping) and depth:
        name = who.get("name")
        if isinstance(name, str) and name:
            yield name
        for key in _CHAIN:
            yield from names(who.get(key), depth - 1)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
