"""Entries that differ in a few fields only: the rest of their lines is encoded once.

A form has nothing of its own to say about JSON: its lines are, byte for byte, what `canonical.encode` gives
of the same fields (a test holds them equal).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from dbgate_core.audit import canonical
from dbgate_core.native import filled

MAX_CHARS: Final = canonical.MAX_TEXT_BYTES // 4
"""A text of so many characters is never cut: UTF-8 has at most four bytes for one. Longer ones do not
stand in a filled form."""
_OWN: Final = ("index", "prev", "time")
"""What the log itself puts into each line, in this order, before the values."""
_QUOTED: Final = frozenset({"prev", "time"})

Value = int | msgspec.Raw


class Form:
    """What all entries of one kind have in common, and the names of what each has of its own."""

    __slots__ = ("fields", "kind", "names", "order", "pieces")

    def __init__(self, kind: str, fields: Mapping[str, object], names: tuple[str, ...]) -> None:
        """Raises ValueError for what only the log itself may write, or for no JSON value."""
        if kind in canonical.OWN_KINDS or not canonical.RESERVED.isdisjoint({*fields, *names}):
            raise ValueError("a form of what only the log itself writes")
        self.kind, self.fields, self.names = kind, fields, names
        places = (*_OWN, *names)
        said = {**fields, "kind": kind}
        pieces, order = [b"{"], []
        for name in sorted({*said, *places}):
            comma = b"" if pieces == [b"{"] else b","
            pieces[-1] += comma + canonical.encoded(name) + b":"
            if name in said:
                pieces[-1] += canonical.encoded(said[name])
                continue
            quote = b'"' if name in _QUOTED else b""
            pieces[-1] += quote
            pieces.append(quote)
            order.append(places.index(name))
        pieces[-1] += b"}\n"
        self.pieces, self.order = tuple(pieces), tuple(order)

    def with_own(self, **values: Value) -> Form:
        """The same form with some of its own fields given once and for all."""
        rest = tuple(name for name in self.names if name not in values)
        return Form(self.kind, {**self.fields, **values}, rest)


class Filled(Mapping[str, object]):
    """An entry of a form: its values in the order of the form's names."""

    __slots__ = ("form", "own")

    def __init__(self, form: Form, values: tuple[Value, ...]) -> None:
        self.form = form
        self.own = values

    def line(self, kind: str, index: int, prev: str, time: str) -> bytes:
        """Its line, with its line break. Raises ValueError for an entry of another kind."""
        form = self.form
        if kind != form.kind:
            raise ValueError(f"the form of a {form.kind} for a {kind}")
        return filled(form.pieces, form.order, (index, prev, time, *self.own))

    def __getitem__(self, name: str) -> object:
        names = self.form.names
        return self.own[names.index(name)] if name in names else self.form.fields[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.form.fields
        yield from self.form.names

    def __len__(self) -> int:
        return len(self.form.fields) + len(self.form.names)
