"""What was found in a column: a data class, how sure, and why. Never a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dbgate_core.masking.classes import DataClass

Path = tuple[str, ...]
"""The way to a member of a document, `*` for any element of an array; empty: the column itself."""


class Source(StrEnum):
    """Where a finding comes from, from the weakest to what overrides all."""

    CONTENT = "content"
    NAME = "name"
    CODE = "code"
    REVIEW = "review"


OF_THE_CATALOG: Final = frozenset({Source.NAME, Source.CODE})
"""What these say of a whole column is seen anew with each catalog."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One class of a column, or of a member of its documents. `confidence` is in percent."""

    data_class: DataClass
    confidence: int
    reason: str
    source: Source = Source.CONTENT
    path: Path = ()
