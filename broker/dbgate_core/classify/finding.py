"""What was found in a column: a data class, how sure, and why. Never a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dbgate_core.masking.classes import DataClass

Path = tuple[str, ...]
"""The way to a member of a document, `*` for any element of an array; empty: the column itself."""


class Source(StrEnum):
    """Where a finding comes from, from the weakest to what overrides all."""

    CONTENT = "content"
    NAME = "name"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Finding:
    """One class of a column, or of a member of its documents. `confidence` is in percent."""

    data_class: DataClass
    confidence: int
    reason: str
    source: Source = Source.CONTENT
    path: Path = ()
