"""What the wire session asks of its guard, and the values that travel between them.

The session knows the protocol and nothing of SQL, policy, masks or the log; the guard knows these
and nothing of the protocol. Permission is a value: only a guard makes a `Permit`, and nothing is
forwarded without one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from dbgate_core.pgwire.rows import Field

if TYPE_CHECKING:
    from dbgate_core.native import Flight, Track


class Status(StrEnum):
    """How a statement ended."""

    OK = "ok"
    ERROR = "error"
    SKIPPED = "skipped"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a statement may not run: the fields of the ErrorResponse that the client gets.

    `position` counts the text's characters from 1; 0 is none.
    """

    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""
    rule: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """A text that may run once somebody else gives leave; `refusal` is its answer without any.

    What the leave is bound to (`digest`) and what those who give it are shown: the `statement`
    without outer blanks, its `effects`, the quorum (`approval`) that it takes. `plannable`: EXPLAIN
    may be asked how many rows it means, and runs nothing of it.
    """

    text: str
    statement: str
    digest: str
    approval: str
    refusal: Refusal
    effects: tuple[str, ...] = ()
    plannable: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a statement ended: CommandComplete's tag and row count, or the error's SQLSTATE.

    `masked_values` is how many values of its results were masked.
    """

    status: Status
    tag: str = ""
    rows: int | None = None
    sqlstate: str = ""
    masked_values: int = 0


@dataclass(slots=True)
class Parameters:
    """Bind's parameters as they came: what follows the two names in its body, found well-formed.

    `count` is how many values there are.
    """

    body: bytes
    count: int

    @property
    def formats(self) -> tuple[int, ...]:
        """Their formats, 0 text, 1 binary: one each, one for all, or none for text."""
        return struct.unpack_from(f"!{(self._count_at - 2) // 2}h", self.body, 2)

    @property
    def values(self) -> tuple[bytes | None, ...]:
        """The values; None is NULL."""
        position = self._count_at + 2
        values: list[bytes | None] = []
        for _ in range(self.count):
            length = int.from_bytes(self.body[position : position + 4], "big", signed=True)
            position += 4
            values.append(None if length < 0 else self.body[position : position + length])
            position += max(length, 0)
        return tuple(values)

    @property
    def _count_at(self) -> int:
        return 2 + 2 * int.from_bytes(self.body[:2], "big")


Names = frozenset[str] | None
"""Names of statements or portals; None means all of them."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The names that running a text may give another meaning, or none.

    `code` is set when it runs code that may move any of them, such as PL/pgSQL, which opens and
    closes portals by name: what was known of their results no longer holds. `executes` and `fetches` are
    names of statements and portals that it gives no other meaning: it runs what is behind them,
    whatever that is by then.
    """

    statements: Names = frozenset()
    portals: Names = frozenset()
    code: bool = False
    executes: frozenset[str] = frozenset()
    fetches: frozenset[str] = frozenset()

    @property
    def runs(self) -> frozenset[str]:
        """The names that it runs, of either kind."""
        return self.executes | self.fetches


STILL: Final = Moved()
"""Nothing is moved; most statements' `moves` are this very value."""


class Permit(Protocol):
    """The leave to run one text."""

    @property
    def text(self) -> str:
        """The text that was judged."""

    @property
    def moves(self) -> Moved:
        """What names may mean something else after it."""

    @property
    def row_cap(self) -> int | None:
        """How many rows it may change; None when it changes none, or may change any number."""


class Running(Protocol):
    """A statement that has its begin entry; opaque to the session."""


class RowMask(Protocol):
    """The masks of one result."""

    @property
    def values(self) -> int:
        """How many values were masked so far."""

    def rewrite(self, messages: bytes) -> bytes:
        """Mask a run of whole DataRow messages; give as many messages."""


class CopyMask(Protocol):
    """The masks of one COPY TO STDOUT."""

    @property
    def values(self) -> int:
        """How many values were masked so far."""

    def rewrite(self, data: bytes) -> bytes:
        """Mask the payload of CopyData, cut anywhere; give what is complete so far."""

    def finish(self) -> bytes:
        """Give what is left at the end."""


class Guard(Protocol):
    """The collaborator of a wire session. Calls are synchronous and cheap."""

    @property
    def stale(self) -> bool:
        """True while no further statement may be judged: the catalog must be read again first."""

    def aside(self, text: str) -> Callable[[], None] | None:
        """What is to be done first, on another thread, for a text that takes long to judge."""

    def judge(self, text: str) -> Permit | Refusal | Hold:
        """Judge a text that was sent by Query or Parse; a refusal is recorded by the guard.

        A hold asks for leave and a second judgement: by then the text may be allowed, or refused.
        """

    def refuse(self, hold: Hold, refusal: Refusal) -> Refusal:
        """Record that no leave came; the refusal to be given, another one if that failed."""

    def begin(self, permit: Permit, parameters: Parameters | None, protocol: str) -> Running:
        """Write the begin entry. Raises AuditUnavailable: then it may not run."""

    def track(self, permit: Permit, values: int, description: bytes) -> Track | None:
        """What the lane needs for more of this statement, whose description needs no mask; or None, for good."""

    def track_query(self, permit: Permit, description: bytes) -> Track | None:
        """The same of all Queries that differ from this one in constants only (sql/constants.py)."""

    def begun(self, flight: Flight) -> tuple[Permit, Running]:
        """What the lane began, with its permit, as `begin` would have given it."""

    def rows(self, permit: Permit, fields: Sequence[Field]) -> RowMask | None:
        """The mask of a result; None when nothing in it is to be masked."""

    def copy_out(self, permit: Permit, binary: bool, columns: int) -> CopyMask | None:
        """The mask of a COPY TO STDOUT; None when nothing in it is to be masked."""

    def redact(self, permit: Permit | None, fields: dict[str, str]) -> dict[str, str]:
        """The fields of an ErrorResponse or NoticeResponse without protected values."""

    def end(self, running: Running, outcome: Outcome) -> str | None:
        """Write the end entry."""

    def renamed(self, name: str) -> None:
        """The protocol gives the name another meaning than SQL gave it, or may come to do so."""

    def behind(self, name: str) -> str:
        """The text to be judged for a Bind of a statement that SQL prepared; empty for any other name."""

    def transaction(self, status: str) -> None:
        """The server is ready: `I` outside a transaction, `T` in one, `E` in a failed one."""

    def parameter(self, name: str, value: str) -> None:
        """Note a ParameterStatus of the server."""

    def notification(self, channel: str, payload: str) -> str:
        """The payload of a NotificationResponse as it may pass."""
