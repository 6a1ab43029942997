"""The queue of client messages that the server has yet to answer.

The theory, which everything else rests on: the server answers messages in order, and each message
has one kind of ending. Whoever keeps the queue knows what each answer belongs to.

After an error in the extended protocol the server discards messages up to the next Sync. What was
discarded never happened: its statements end as *skipped*, and the names it would have defined are
put back, in reverse order, to what they meant before. Messages after that Sync may have moved the
same names; then it is their memory of "before" that is put right, not the name.

A whole exchange (exchange.py) is one entry, as long as all goes as it mostly does. Where the answer
is another, it is *spelled out*: its messages take its place, as if they had come one by one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dbgate_core.native import Track
from dbgate_core.pgwire.capped import Capped
from dbgate_core.pgwire.guard import Parameters, Permit, Refusal, RowMask, Running
from dbgate_core.pgwire.rows import Field


class Kind(StrEnum):
    """A message that waits for its answer, by what was sent."""

    QUERY = "Query"
    PARSE = "Parse"
    BIND = "Bind"
    DESCRIBE = "Describe"
    EXECUTE = "Execute"
    CLOSE = "Close"
    SYNC = "Sync"
    COPY_END = "CopyDone or CopyFail"
    OWN_DESCRIBE = "Describe of dbgate's own"
    EXCHANGE = "Bind, Describe, Execute and Sync"
    CALL = "FunctionCall"
    OWN_BEGIN = "BEGIN of dbgate's own"
    OWN_END = "COMMIT or ROLLBACK of dbgate's own"


ANSWERS: Final[dict[tuple[Kind, str], bool]] = {
    (Kind.QUERY, "T"): False,
    (Kind.QUERY, "D"): False,
    (Kind.QUERY, "C"): False,
    (Kind.QUERY, "I"): False,
    (Kind.QUERY, "G"): False,
    (Kind.QUERY, "H"): False,
    (Kind.QUERY, "d"): False,
    (Kind.QUERY, "c"): False,
    (Kind.QUERY, "E"): False,
    (Kind.QUERY, "Z"): True,
    (Kind.CALL, "V"): False,
    (Kind.CALL, "E"): False,
    (Kind.CALL, "Z"): True,
    (Kind.PARSE, "1"): True,
    (Kind.PARSE, "E"): True,
    (Kind.BIND, "2"): True,
    (Kind.BIND, "E"): True,
    (Kind.CLOSE, "3"): True,
    (Kind.CLOSE, "E"): True,
    (Kind.DESCRIBE, "t"): False,
    (Kind.DESCRIBE, "T"): True,
    (Kind.DESCRIBE, "n"): True,
    (Kind.DESCRIBE, "E"): True,
    (Kind.OWN_DESCRIBE, "T"): True,
    (Kind.OWN_DESCRIBE, "n"): True,
    (Kind.OWN_DESCRIBE, "E"): True,
    (Kind.EXECUTE, "D"): False,
    (Kind.EXECUTE, "G"): False,
    (Kind.EXECUTE, "H"): False,
    (Kind.EXECUTE, "d"): False,
    (Kind.EXECUTE, "c"): False,
    (Kind.EXECUTE, "C"): True,
    (Kind.EXECUTE, "I"): True,
    (Kind.EXECUTE, "s"): True,
    (Kind.EXECUTE, "E"): True,
    (Kind.SYNC, "Z"): True,
    (Kind.SYNC, "E"): False,
    (Kind.OWN_BEGIN, "1"): False,
    (Kind.OWN_BEGIN, "2"): False,
    (Kind.OWN_BEGIN, "C"): True,
    (Kind.OWN_BEGIN, "E"): True,
    (Kind.OWN_END, "C"): False,
    (Kind.OWN_END, "E"): False,
    (Kind.OWN_END, "Z"): True,
}
"""What the server may answer to what, and whether that answer is the last. A missing key is a
protocol error. (PostgreSQL documentation, "Message Flow".)"""


@dataclass(slots=True)
class Prepared:
    """A prepared statement: its permit, its segment, and its description once the server gave one.

    `masked`: a result of it was to be masked. `track` is what the lane knows it by; `trackless`: it has none. `parsed` is the Parse of an unnamed one.
    """

    permit: Permit
    segment: int = 0
    fields: tuple[Field, ...] | None = None
    masked: bool = False
    track: Track | None = None
    trackless: bool = False
    parsed: bytes = b""


@dataclass(slots=True)
class Portal:
    """A portal: its statement, parameters, segment, and the plan of its masks.

    `describing`: a Describe was sent, so its answer comes before the rows; `planned`: it came.
    """

    prepared: Prepared
    parameters: Parameters
    segment: int = 0
    mask: RowMask | None = None
    describing: bool = False
    planned: bool = False
    rowless: bool = False


@dataclass(slots=True)
class Pending:
    """A message that waits for its answer, with what must be done when the answer is an error.

    `own_describe`: the Describe in this exchange is dbgate's own. `capped`: it may change so many rows only.
    `values` is how many values of its results were masked.
    """

    kind: Kind
    permit: Permit | None = None
    running: Running | None = None
    refusal: Refusal | None = None
    prepared: Prepared | None = None
    portal: Portal | None = None
    mask: RowMask | None = None
    failed: str = ""
    blocked: Refusal | None = None
    tag: str = ""
    rows: int | None = None
    values: int = 0
    described: bool = False
    copying_in: bool = False
    copying_out: bool = False
    moves_names: bool = False
    own_describe: bool = False
    capped: Capped | None = None
    undo: list[tuple[dict[str, object], str, object]] = field(default_factory=list)

    @property
    def fresh(self) -> bool:
        """Whether the server has said nothing of this Query yet, and may answer it as it likes."""
        said = self.described or self.tag or self.failed or self.copying_in or self.copying_out
        return not (said or self.refusal or self.blocked or self.capped)

    def inherit(self, names: dict[str, object], name: str, value: object) -> bool:
        """Note what a name meant before us, after all; whether we move that name."""
        for n, (ours, our_name, _) in enumerate(self.undo):
            if ours is names and our_name == name:
                self.undo[n] = (names, name, value)
                return True
        return False

    def set(self, names: dict[str, object], name: str, value: object) -> None:
        """Define a name, or drop it with None; remember what it meant."""
        self.undo.append((names, name, names.get(name)))
        put(names, name, value)


def put(names: dict[str, object], name: str, value: object) -> None:
    """Let a name mean this; nothing any more with None."""
    if value is None:
        names.pop(name, None)
    else:
        names[name] = value


_ENDS: Final = frozenset({Kind.SYNC, Kind.QUERY, Kind.EXCHANGE, Kind.CALL, Kind.OWN_END})


class Queue:
    """The pending messages, in order.

    A Sync inside COPY IN is ignored by the server as long as the copy goes well. When it fails, the
    server may not have come to such a Sync yet, and then that Sync ends the discarding and is
    answered. So `late` ReadyForQuery messages may come that no entry waits for.

    Messages up to and with a Sync, Query or FunctionCall are a *segment*: an error makes the server discard the
    rest of its segment and nothing of the next. `doubtful` says whether that may yet happen.
    """

    def __init__(self) -> None:
        self._entries: deque[Pending] = deque()
        self.copying_in = False
        self.late = 0
        self._ignored = 0
        self.segment = 0
        self._settled = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def head(self) -> Pending | None:
        """What the server answers now; the end of a COPY IN needs no answer and is passed over."""
        entries = self._entries
        while entries and entries[0].kind is Kind.COPY_END:
            entries.popleft()
        return entries[0] if entries else None

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, nor may an answer come that no entry waits for."""
        return not (self._entries or self.copying_in or self.late)

    @property
    def running(self) -> list[Pending]:
        """The statements that have begun and not ended."""
        return [entry for entry in self._entries if entry.running is not None]

    def push(self, entry: Pending) -> None:
        """A message was forwarded."""
        if entry.kind is Kind.COPY_END:
            self.copying_in = False
        elif entry.kind is Kind.SYNC and self.copying_in:
            self._ignored += 1
            return
        if entry.kind in _ENDS:
            self.segment += 1
        self._entries.append(entry)

    def pop(self) -> Pending:
        """The head got its last answer."""
        entry = self._entries.popleft()
        if entry.kind in _ENDS:
            self._settled += 1
        return entry

    def passed(self, exchanges: int) -> None:
        """So many were sent and answered while nothing else was under way."""
        self.segment += exchanges
        self._settled += exchanges

    def doubtful(self, segment: int) -> bool:
        """Whether what was defined in an earlier segment may turn out to have been discarded.

        A later segment must not rely on it: the name may still mean what it meant before.
        """
        return self._settled <= segment < self.segment and self.head is not None

    @property
    def unsettled(self) -> bool:
        """Whether an earlier segment may turn out to have been discarded in part."""
        return self._settled < self.segment and self.head is not None

    @property
    def ends_copy(self) -> bool:
        """Whether the end of a COPY was sent, and its outcome is not known."""
        if self.head is not None:
            for entry in reversed(self._entries):
                if entry.kind is not Kind.SYNC:
                    return entry.kind is Kind.COPY_END
        return False

    def spell_out(self) -> None:
        """Put the messages of every exchange in its place."""
        entries = [part for entry in self._entries for part in _messages(entry)]
        self._entries = deque(entries)

    def copy_in_begins(self) -> None:
        """CopyInResponse came: Syncs that were sent before the copy's end are ignored."""
        self.spell_out()
        head = self._entries.popleft()
        head.copying_in = True
        rest = list(self._entries)
        ends = [n for n, entry in enumerate(rest) if entry.kind is Kind.COPY_END]
        until = ends[0] if ends else len(rest)
        self.copying_in = not ends
        kept = [e for n, e in enumerate(rest) if n >= until or e.kind is not Kind.SYNC]
        self._ignored = len(rest) - len(kept)
        self._entries = deque([head, *kept])

    def copy_in_done(self) -> None:
        """The head's COPY IN went well: its end was read, and every Sync before it ignored."""
        self._entries[0].copying_in = False
        self._ignored = 0
        self.copying_in = False
        for n, entry in enumerate(self._entries):
            if entry.kind is Kind.COPY_END:
                del self._entries[n]
                return

    def copy_in_failed(self) -> None:
        """The head's COPY IN failed: Syncs thought ignored may be answered after all."""
        self._entries[0].copying_in = False
        self.late += self._ignored
        self._ignored = 0
        self.copying_in = False

    def skip_to_sync(self) -> tuple[list[Pending], bool]:
        """The server discards up to the next Sync: what it discards, and whether one is here."""
        self.spell_out()
        skipped = []
        while self._entries and self._entries[0].kind is not Kind.SYNC:
            skipped.append(self._entries.popleft())
        for entry in reversed(skipped):
            self._revert(entry)
        return skipped, bool(self._entries)

    def _revert(self, entry: Pending) -> None:
        """Put the names back that the server never moved, unless a later message moved them too."""
        for names, name, value in reversed(entry.undo):
            for later in self._entries:
                if later.moves_names:
                    break
                if later.inherit(names, name, value):
                    break
            else:
                put(names, name, value)
        entry.undo.clear()

    def end_transaction(self, portals: dict[str, object]) -> None:
        """The server dropped its portals: only those that messages still in the queue make live."""
        if not self._entries:
            portals.clear()
            return
        alive = set()
        for entry in self._entries:
            for n, (names, name, _) in enumerate(entry.undo):
                if names is portals and name not in alive:
                    alive.add(name)
                    entry.undo[n] = (names, name, None)
        for name in portals.keys() - alive:
            del portals[name]


def _messages(entry: Pending) -> tuple[Pending, ...]:
    """An exchange as its messages; anything else as it is."""
    if entry.kind is not Kind.EXCHANGE:
        return (entry,)
    permit, portal = entry.permit, entry.portal
    describe = Kind.OWN_DESCRIBE if entry.own_describe else Kind.DESCRIBE
    return (
        Pending(Kind.BIND, permit=permit, undo=entry.undo),
        Pending(describe, permit=permit, portal=portal),
        Pending(Kind.EXECUTE, permit=permit, portal=portal, running=entry.running),
        Pending(Kind.SYNC),
    )
