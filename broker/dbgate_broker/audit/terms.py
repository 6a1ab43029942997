"""What of an entry can be searched for, as terms of an inverted index.

A term is a letter, a colon and a value: `p:alice`, `d:prod-db`, `t:shop.orders`. Entries are read
leniently: what is not there, or is of another shape, gives no term. A scope is the same bytes in
every entry of a connection, so its terms are found once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

KIND: Final = "k:"
SESSION: Final = "s:"
PRINCIPAL: Final = "p:"
DATABASE: Final = "d:"
VERDICT: Final = "v:"
TABLE: Final = "t:"
EXPOSED: Final = "e:"
"""Of ends of statements: a data class of which values passed in clear."""
OWNED: Final = "o:"
"""Of ends of statements and parts of texts: they come with what they belong to."""

_MAX_CHAIN: Final = 8
"""Names are looked for this deep in an identity chain."""


class Place(msgspec.Struct):
    """Where terms stand: in an entry's `scope`, or in the entry itself."""

    session: Any = None
    database: Any = None
    verdict: Any = None
    who: Any = None
    principal: Any = None
    requester: Any = None
    reviewer: Any = None
    by: Any = None


class Line(Place, kw_only=True):
    """An entry, as far as it is indexed. `time` is aware."""

    index: int
    kind: str
    time: datetime
    scope: msgspec.Raw = msgspec.Raw()
    text: Any = None
    text_parts: Any = None
    tables: msgspec.Raw = msgspec.Raw()
    exposed: msgspec.Raw = msgspec.Raw()
    begin: Any = None
    continues: Any = None


line: Final = msgspec.json.Decoder(Line).decode
"""Read one line of the log. Raises ValueError when it is no entry."""
_place: Final = msgspec.json.Decoder(Place)
_value: Final = msgspec.json.Decoder()


def of_line(entry: Line) -> frozenset[str]:
    """The terms of an entry. What stands in its `scope` counts as well as what stands in itself."""
    found = set(of_scope(bytes(entry.scope)))
    found.add(KIND + entry.kind)
    found.update(_of_place(entry))
    tables = _value.decode(entry.tables) if bytes(entry.tables) else None
    if isinstance(tables, list):
        for table in tables:
            if isinstance(table, str) and table:
                found.add(TABLE + table)
                found.add(TABLE + table.rpartition(".")[2])
    found.update(_of_exposed(entry))
    return frozenset(found)


def _of_exposed(entry: Line) -> Iterator[str]:
    columns = _value.decode(entry.exposed) if bytes(entry.exposed) else None
    for column in columns if isinstance(columns, list) else ():
        classes = column.get("classes") if isinstance(column, dict) else None
        for name in classes if isinstance(classes, list) else ():
            if isinstance(name, str) and name:
                yield EXPOSED + name


def of_owned(own: frozenset[str], owner: frozenset[str]) -> frozenset[str]:
    """The terms of an entry that belongs to another: of its own, kind, session and exposure count."""
    kept = {term for term in own if term.startswith((KIND, SESSION, EXPOSED))}
    return frozenset({OWNED} | kept | {term for term in owner if not term.startswith(KIND)})


Shape = tuple[bytes, str, bytes, str | None]


def shape(entry: Line) -> Shape | None:
    """What an entry's terms depend on, None when there is more to it: the same for many statements."""
    if (
        entry.session is None
        and entry.database is None
        and entry.who is None
        and entry.principal is None
        and entry.requester is None
        and entry.reviewer is None
        and entry.by is None
        and not bytes(entry.exposed)
        and (entry.verdict is None or isinstance(entry.verdict, str))
    ):
        return bytes(entry.scope), entry.kind, bytes(entry.tables), entry.verdict
    return None


@lru_cache(maxsize=4096)
def of_scope(scope: bytes) -> frozenset[str]:
    """The terms of a scope, given its JSON."""
    try:
        return frozenset(_of_place(_place.decode(scope)))
    except ValueError:  # not there, or no object
        return frozenset()


def names(who: object, depth: int = _MAX_CHAIN) -> Iterator[str]:
    """Every name in an identity chain: the agent's, and of whom it acts for."""
    if isinstance(who, str):
        if who:
            yield who
    elif isinstance(who, dict) and depth:
        name = who.get("name")
        if isinstance(name, str) and name:
            yield name
        yield from names(who.get("on_behalf_of"), depth - 1)
        yield from names(who.get("asserted_agent"), depth - 1)


def _of_place(place: Place) -> Iterator[str]:
    for prefix, value in (
        (SESSION, place.session), (DATABASE, place.database), (VERDICT, place.verdict),
    ):  # fmt: skip
        if value and isinstance(value, str):
            yield prefix + value
    for person in (place.who, place.principal, place.requester, place.reviewer, place.by):
        if person is not None:
            for name in names(person):
                yield PRINCIPAL + name
