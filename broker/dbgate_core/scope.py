"""Where a guard stands: whose connection it is, on which picture of the database, with what approvals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from dbgate_core.budget import Budget
from dbgate_core.catalog import Catalog
from dbgate_core.counts import Counts
from dbgate_core.masking.key import MaskKey
from dbgate_core.series import Series
from dbgate_core.verdicts import Subject

SEARCH_PATH: Final = ("public",)
"""As names are looked up unless something changed it; `"$user"` has no schema of its own."""


class Releases(Protocol):
    """The approvals of single statements that the session's principal holds.

    `approval` is the quorum that policy asks for now. Synchronous: one short look into the store.
    """

    def holds(self, digest: str, approval: str) -> bool:
        """Is there an unused approval of the statement of that digest."""

    def take(self, digest: str, approval: str) -> str:
        """Use it up; the request's id, or "" if there is none (any more)."""


@dataclass(slots=True)
class Epoch:
    """Counts the schema changes of a database that passed this broker; its connections share it."""

    value: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A catalog, and the epoch before its reading began."""

    catalog: Catalog
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """What a guard knows of its connection. `entry` is what each audit entry says of it.

    `waits`: a statement without the approval that it takes waits for one. `budget` and `series` are the session's, `reason` what was
    said of why it was opened. `shows_masks`: the client is told of each result what was masked.
    """

    subject: Subject
    entry: Mapping[str, object]
    key: MaskKey
    releases: Releases
    waits: bool = False
    epoch: Epoch = field(default_factory=Epoch)
    counts: Counts = field(default_factory=Counts)
    budget: Budget = field(default_factory=Budget)
    series: Series = field(default_factory=Series)
    search_path: tuple[str, ...] = SEARCH_PATH
    reason: str = ""
    shows_masks: bool = False
