"""The lane: whole exchanges of statements that were judged, run and shown before, at the cost of a few looks.

What an application does all day is one prepared statement after the other, each as the last: the same
text, the same verdict, the same description without a mask. The compiled lane (native/lane.pxi) begins
and ends such exchanges by what the guard noted of them in a *track*: the begin entry but for its index
and time, the description that needs no mask, and the *terms*, all that this rests on. They are
looked at again before each exchange and each answer; what no longer is as it was, or differs in one
byte, goes the session's own way, which knows everything else, and is the reference. A lane is open only
while nothing else is under way. Each exchange stands in the log as it would without it.

Without the compiled module there is no lane: what stands here is never open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from dbgate_core.audit.form import Form
    from dbgate_core.counts import Counts
    from dbgate_core.pgwire.guard import Permit, Status

Term = tuple[object, str, object]
"""An object, the name of an attribute of it, and its value as long as the track holds."""


class Counting(Protocol):
    """A guard counts the statements of its connection."""

    statements: int


@dataclass(kw_only=True, slots=True)
class Track:
    """What the lane needs for the exchanges of one prepared statement.

    `description` is the whole RowDescription that needs no mask, `values` the number of its parameters. `begin` makes the begin entry, of a Query from its text; `end` gives the form of an
    end entry for a command tag, kept in `forms`, `entry` such an entry from it and its values. It holds until `until_ns` of `clock_ns`.
    """

    permit: Permit
    description: bytes
    values: int
    guard: Counting
    terms: tuple[Term, ...]
    until_ns: int
    begin: Callable[..., Mapping[str, object]]
    end: Callable[[str], Form]
    forms: dict[bytes, Form]
    entry: Callable[[Form, tuple[int, int]], Mapping[str, object]]
    append: Callable[[str, Mapping[str, object]], int]
    clock_ns: Callable[[], int]
    counts: Counts
    kind: str
    ok: Status

    def holds(self) -> bool:
        """Whether all that it rests on is as it was."""
        return False


@dataclass(slots=True)
class Flight:
    """An exchange that was begun, and that the server has not answered.

    `parsed`: it began with a Parse of the unnamed statement, which was `before`. `text` is that of a Query.
    `own_describe`: the Describe in it is dbgate's own.
    """

    track: Track
    prepared: object
    index: int
    started_ns: int
    values: int
    parameters: bytes
    parsed: bool
    before: object
    own_describe: bool
    text: str | None


MAX_PARSED_BYTES: Final = 2_048
"""Of a Parse that is remembered."""


class Lane:
    """Takes exchanges of a connection on while it is `open`; `status` is the transaction's, as a byte.

    `kept` is the class of prepared statements; `settled` is told of an answer after which portals or the
    transaction are not as before.
    """

    def __init__(
        self,
        statements: dict[str, object],
        portals: dict[str, object],
        kept: type,
        settled: Callable[[Flight, str], None],
    ) -> None:
        self.open = False
        self.status = 0
        self.busy = False

    def knows(self, parsed: bytes, prepared: object) -> None:
        """Remember a Parse of the unnamed statement that came to this."""

    def wants(self, key: bytes) -> bool:
        """Whether a Query of that shape came before, and has no track that holds."""
        return False

    def knows_shape(self, key: bytes, track: Track | None) -> None:
        """Remember the track of Queries of that shape; None: they have none."""

    def ask(self, data: bytes) -> int:
        """Begin the exchanges that the data begins with; how many bytes they are."""
        return 0

    def answer(self, data: bytes) -> int:
        """End the exchanges whose answers the data begins with; how many bytes they are."""
        return 0

    def out(self, data: bytes, done: int) -> bytes:
        """What goes to the other side for so many bytes that were taken on: our own Describes are put in,
        and what answers them left out."""
        return data[:done]

    def leave(self) -> tuple[int, list[Flight]]:
        """Close: how many were taken on, and those of them that the server has not answered."""
        return 0, []
