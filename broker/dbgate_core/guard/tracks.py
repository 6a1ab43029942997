"""Which statements the lane may take on, and on what terms (docs/adr/0011)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from dbgate_core.audit import statement
from dbgate_core.audit.canonical import fragment
from dbgate_core.audit.form import Filled, Form
from dbgate_core.audit.recorder import Recorder
from dbgate_core.guard.leave import Begun, Leave, mine
from dbgate_core.guard.sight import Sight
from dbgate_core.masking.foreseen import LONG_CHARS
from dbgate_core.native import Flight, Track
from dbgate_core.pgwire.answers import well
from dbgate_core.pgwire.guard import Status
from dbgate_core.pgwire.lane import Counting, Term
from dbgate_core.scope import Scope
from dbgate_core.series import tells
from dbgate_core.sql.constants import numbered
from dbgate_core.sql.shape import has_shape, shape_of
from dbgate_core.verdicts import Verdicts


class Tracks:
    """Of the guard of one connection. What `stale`, `begin`, `rows` and `end` do for each statement stands here once more."""

    def __init__(
        self,
        guard: Counting,
        scope: Scope,
        sight: Sight,
        verdicts: Verdicts,
        recorder: Recorder,
        clock_ns: Callable[[], int],
    ) -> None:
        self._guard = guard
        self._epoch = scope.epoch
        self._counts = scope.counts
        self._budget = scope.budget
        self._sight = sight
        self._verdicts = verdicts
        self._recorder = recorder
        self._clock_ns = clock_ns
        self._entry = fragment(None)
        self._end_forms: dict[bytes, Form] = {}

    @property
    def entry(self) -> msgspec.Raw:
        """What each entry of the connection says of it."""
        return self._entry

    @entry.setter
    def entry(self, entry: msgspec.Raw) -> None:
        self._entry, self._end_forms = entry, {}

    def of_text(self, leave: Leave, values: int, description: bytes) -> Track | None:
        """For exchanges of this very text: what is encoded once of their begin entry is all but index and time."""
        entry = self._entry

        def begin() -> Filled:
            form = leave.said.form("extended", values)
            return Filled(form.with_own(scope=entry, text=fragment(leave.text)), ())

        return self._track(leave, values, description, begin)

    def of_shape(self, leave: Leave, description: bytes) -> Track | None:
        """For Queries that differ in constants: where PostgreSQL's parser finds the same ones, and none decides."""
        text = leave.text.encode()
        if shape_of(leave.text).encode() != numbered(text) or not has_shape(leave.analysis.text):
            return None
        form = leave.said.form("simple", 0).with_own(scope=self._entry)
        return self._track(leave, 0, description, lambda said: Filled(form, (fragment(said),)))

    def _track(
        self, leave: Leave, values: int, description: bytes, begin: Callable[..., Filled]
    ) -> Track | None:
        """What `stale`, `begin`, `rows` and `end` come to for such a statement, as long as the terms hold."""
        meaning = self._sight.meaning
        changes = not leave.plain or leave.digest or len(leave.text) > LONG_CHARS
        bounded = leave.decision.obligations.row_limit is not None or self._budget.bounded
        told = leave.masked or leave.exposed or tells(leave.analysis.searches)
        if changes or bounded or told or not meaning.settled_since(leave.code_seen):
            return None
        terms: tuple[Term, ...] = (
            (self._guard, "__class__", type(self._guard)),
            (self._sight, "picture", self._sight.picture),
            (self._verdicts.policy, "version", leave.policy),
            (self._epoch, "value", self._sight.picture.epoch),
            (self._budget, "bounded", False),
            (leave, "masked", {}),
            (leave, "exposed", {}),
            *meaning.terms_since(leave.code_seen),
        )
        return Track(
            permit=leave,
            description=description,
            values=values,
            guard=self._guard,
            terms=terms,
            until_ns=self._sight.until_ns,
            begin=begin,
            end=self._end_form,
            forms=self._end_forms,
            entry=Filled,
            append=self._recorder.append,
            clock_ns=self._clock_ns,
            counts=self._counts,
            kind=leave.analysis.kind,
            ok=Status.OK,
        )

    def _end_form(self, tag: str) -> Form:
        form = statement.ended(Status.OK, tag, well(tag).rows, "")
        return form.with_own(scope=self._entry)


def began(flight: Flight) -> tuple[Leave, Begun]:
    """What the lane began, by a track that only `Tracks` makes."""
    leave, protocol = mine(flight.track.permit), "extended"
    if flight.text is not None:
        leave = replace(leave, text=flight.text, masked={}, exposed={}, finds={})
        protocol = "simple"
    return leave, Begun(flight.index, leave, flight.started_ns, protocol)
