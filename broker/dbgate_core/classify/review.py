"""The reviewed file: what people say of columns, before anything that names or samples say.

[[columns]]
column = "shop.customers.note"
classes = ["person_name"]
reason = "support writes names here"

[[columns]]
column = "shop.events.payload"
path = "user.email"
classes = []
reason = "made up by the load test"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec

from dbgate_core.catalog import CatalogRelation
from dbgate_core.classify.finding import Path
from dbgate_core.errors import UsageError
from dbgate_core.masking.classes import DataClass

MAX_CHARS: Final = 4_000_000
_NAME_PARTS: Final = 3

Said = Mapping[Path, frozenset[DataClass]]
"""The classes of a column (under the empty path) and of members of its documents; no class: clear."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    column: str
    path: str = ""
    classes: list[DataClass]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    columns: list[_Entry] = []


@dataclass(frozen=True, slots=True)
class Review:
    """What the file says, by schema, table and column; `reasons` are its words."""

    said: Mapping[tuple[str, str, str], Said] = field(default_factory=dict)
    reasons: Mapping[tuple[tuple[str, str, str], Path], str] = field(default_factory=dict)

    def of(self, name: tuple[str, str, str]) -> Said:
        """What it says of a column."""
        return self.said.get(name, {})

    def unknown(self, relations: Iterable[CatalogRelation]) -> list[str]:
        """The columns that it names and the database does not have: each is a mistake."""
        there = {(r.schema, r.name, column.name) for r in relations for column in r.columns}
        return sorted(".".join(name) for name in self.said if name not in there)


def read_review(text: str, where: str) -> Review:
    """Read the file. Raises UsageError that names it and the first thing wrong in it."""
    try:
        if len(text) > MAX_CHARS:
            raise ValueError(f"it has more than {MAX_CHARS} characters")
        entries = msgspec.convert(tomllib.loads(text), _File).columns
        return _review(entries)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, ValueError) as exc:
        raise UsageError(
            f"the reviewed classes {where} are not valid: {exc}", hint="see docs/masking.md"
        ) from exc


def _review(entries: Iterable[_Entry]) -> Review:
    said: dict[tuple[str, str, str], dict[Path, frozenset[DataClass]]] = {}
    reasons: dict[tuple[tuple[str, str, str], Path], str] = {}
    for entry in entries:
        parts = entry.column.split(".")
        if len(parts) != _NAME_PARTS or not all(parts):
            raise ValueError(f"{entry.column!r} is not schema.table.column")
        name = (parts[0], parts[1], parts[2])
        path = tuple(entry.path.split(".")) if entry.path else ()
        if path in said.setdefault(name, {}):
            raise ValueError(f"{entry.column!r} {entry.path!r} stands there twice")
        said[name][path] = frozenset(entry.classes)
        reasons[name, path] = entry.reason
    return Review(said, reasons)
