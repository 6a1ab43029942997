"""The lane: with it and without, the client, the server and the guard see the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_broker.testing.gateway import Noted, TextPermit
from dbgate_core.audit.canonical import fragment
from dbgate_core.audit.form import Filled, Form
from dbgate_core.audit.statement import Said, ended
from dbgate_core.counts import Counts
from dbgate_core.errors import AuditUnavailable, DbgateError
from dbgate_core.native import COMPILED, Flight, Track
from dbgate_core.pgwire import answers, backend, lane
from dbgate_core.pgwire.answers import well
from dbgate_core.pgwire.guard import Outcome, Permit, RowMask, Running, Status
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.pending import Prepared
from dbgate_core.pgwire.rows import Field
from tests.unit.pgwire.test_relay import (
    MOVING,
    SYNC,
    TEXTS,
    Strict,
    Talk,
    conversations,
    exchange_of,
    execute,
    parse,
    play,
    query,
    together_with_describe,
    told,
)

pytestmark = pytest.mark.skipif(not COMPILED, reason="there is no lane without the compiled module")
FOREVER: Final = 1 << 62


@dataclass
class Tracking(Strict):
    """Keeps its diary by the entries that the lane writes, too, while `settled` is what it was."""

    masks: bool = False
    settled: int = 0
    statements: int = 0
    taken: int = 0
    planned: int = 0
    forms: dict[bytes, Form] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)

    def rows(self, permit: Permit, fields: Sequence[Field]) -> RowMask | None:
        self.planned += 1
        return super().rows(permit, fields)

    def track(self, permit: Permit, values: int, description: bytes) -> Track | None:
        begin = Said({"said": permit.text}).form("extended", values)
        return self._track(
            permit, values, description, lambda: Filled(begin.with_own(scope=0, text=0), ())
        )

    def track_query(self, permit: Permit, description: bytes) -> Track | None:
        begin = Said({}).form("simple", 0).with_own(scope=0)
        return self._track(permit, 0, description, lambda text: Filled(begin, (fragment(text),)))

    def _track(
        self, permit: Permit, values: int, description: bytes, begin: Callable[..., Filled]
    ) -> Track:
        return Track(
            permit=permit,
            description=description,
            values=values,
            guard=self,
            terms=((self, "settled", self.settled), (self, "stale", False)),
            until_ns=FOREVER,
            begin=begin,
            end=lambda tag: ended(Status.OK, tag, well(tag).rows, "").with_own(scope=0),
            forms=self.forms,
            entry=Filled,
            append=self._append,
            clock_ns=lambda: 0,
            counts=self.counts,
            kind="read",
            ok=Status.OK,
        )

    def _append(self, kind: str, fields: Mapping[str, object]) -> int:
        if self.log_full:
            raise AuditUnavailable("the audit log cannot be written")
        if kind == "statement":
            self.taken += 1
            said = fields["said"] if "said" in fields else json.loads(bytes(fields["text"]))  # type: ignore[call-overload]
            self.notes.append(Noted(str(said), str(fields["protocol"])))
            return len(self.notes) - 1
        tag = str(fields["tag"])
        assert self.notes[int(str(fields["begin"]))].outcome is None
        self.notes[int(str(fields["begin"]))].outcome = well(tag)
        return -1

    def begun(self, flight: Flight) -> tuple[Permit, Running]:
        permit = flight.track.permit
        if flight.text is not None:
            permit = TextPermit(flight.text)
        return permit, self.notes[flight.index]


def settled(talk: Talk) -> list[object]:
    """What the guard noted, and what the session knows; what the lane knows is not judged again."""
    notes = [(n.text, n.protocol, n.outcome) for n in talk.guard.notes]
    session = talk.session
    names = [sorted(session.statements), sorted(session.portals)]
    return [*notes, names, session.transaction_status, session.drained]


def repeated() -> st.SearchStrategy[list[bytes]]:
    """Statements that are prepared, settled, and then run often, with others between them."""
    name = st.sampled_from(["", "s", "t"])
    often = st.builds(
        lambda n, shown, times: [exchange_of(n, shown)] * times,
        name,
        st.booleans(),
        st.integers(1, 6),
    )
    prepared = st.builds(
        lambda n, text: [parse(n, text) + SYNC, exchange_of(n, True)],
        name,
        st.sampled_from(["row a", "row b", "done"]),
    )
    unnamed = st.builds(
        lambda text, times: [together_with_describe(text)] * times,
        st.sampled_from(["row a", "row b", "fail"]),
        st.integers(1, 4),
    )
    queries = st.builds(
        lambda text, times: [query(text)] * times,
        st.sampled_from(["row a", "row 1", "row 2", "fail", "row a;row b"]),
        st.integers(1, 5),
    )
    parts = st.lists(st.one_of(often, often, prepared, unnamed, queries), max_size=6)
    return parts.map(lambda found: list(chain.from_iterable(found)))


@settings(max_examples=600, deadline=None)
@given(
    repeated(),
    conversations([*TEXTS, *MOVING]),
    repeated(),
    st.lists(st.integers(0, 200), max_size=40),
    st.integers(0, 30),
)
def test_it_changes_nothing(
    before: list[bytes],
    conversation: tuple[list[bytes], list[int]],
    after: list[bytes],
    cuts: list[int],
    unsettled: int,
) -> None:
    sent = [*before, *conversation[0], *after]
    with_lane, without = Talk(Tracking()), _without_lane()
    errors = []
    for talk in (with_lane, without):
        try:
            for piece in before:  # as a client sends it that waits for each answer
                talk.client(piece)
                talk.settle()
            assert isinstance(talk.guard, Tracking)
            talk.guard.settled = unsettled // 20
            play(talk, sent, cuts)
        except DbgateError as exc:
            errors.append(type(exc))
            talk.session.abort()
    assert len(errors) in (0, 2)
    assert errors[:1] == errors[1:]
    assert told(with_lane.out) == told(without.out)
    assert with_lane.server.ran == without.server.ran
    assert settled(with_lane) == settled(without)


def _without_lane() -> Talk:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "Lane", lane.Lane)
        return Talk(Tracking())


def prepared(text: str = "row a") -> tuple[Talk, Tracking]:
    """A talk in which a statement was prepared and run once, so that the lane knows it."""
    guard = Tracking()
    talk = Talk(guard)
    for piece in (parse("s", text) + SYNC, exchange_of("s", True)):
        talk.client(piece)
        talk.settle()
    assert guard.taken == 0
    return talk, guard


def test_it_is_taken() -> None:
    """Or the law above would compare the long way with itself."""
    talk, guard = prepared()
    talk.client(exchange_of("s", True) * 3)
    assert guard.taken == 3
    talk.settle()
    assert [n.outcome and n.outcome.status for n in guard.notes] == [Status.OK] * 4
    assert guard.counts.allowed["read"] == guard.statements == 3
    assert guard.counts.ended[Status.OK] == sum(guard.counts.durations) == 3
    assert talk.session.drained


def test_what_is_not_described_is_for_dbgate_alone() -> None:
    talk, guard = prepared()
    talk.out = b""
    talk.client(exchange_of("s", False) + exchange_of("s", True) + exchange_of("s", False))
    assert guard.taken == 3
    talk.settle()
    short, whole = ["2", "D", "C", "Z"], ["2", "T", "D", "C", "Z"]
    assert [kind for kind, _ in told(talk.out)] == short + whole + short


def test_no_more_than_so_many_statements_have_a_track() -> None:
    talk, _ = prepared()
    names = [f"s{n}" for n in range(backend.MAX_TRACKS)]
    for name in names:
        talk.client(parse(name, "row a") + SYNC)
        talk.client(exchange_of(name, True))
        talk.settle()
    kept = talk.session.statements.values()
    assert sum(isinstance(p, Prepared) and p.track is not None for p in kept) == backend.MAX_TRACKS


def test_a_query_of_a_shape_that_is_known_is_taken() -> None:
    guard = Tracking()
    talk = Talk(guard)
    for _ in range(2):
        talk.client(query("row 1"))
        talk.settle()
    assert guard.taken == 0
    talk.client(query("row 1") * 2)
    talk.settle()
    assert guard.taken == 2
    talk.client(query("row 23"))  # described otherwise: the guard is asked
    talk.settle()
    assert guard.taken == 3
    assert guard.planned == 3
    assert [note.text for note in guard.notes] == ["row 1"] * 4 + ["row 23"]
    assert all(note.outcome == well("ROW 1") for note in guard.notes)
    assert "" not in talk.session.statements


def test_a_parse_that_is_known_is_taken() -> None:
    guard = Tracking()
    talk = Talk(guard)
    again = together_with_describe("row a")
    for _ in range(2):
        talk.client(again)
        talk.settle()
    assert guard.taken == 1
    talk.client(again + exchange_of("", True) + again)
    talk.settle()
    assert guard.taken == 4
    assert guard.judged == ["row a"]
    assert [note.text for note in guard.notes] == ["row a"] * 5
    assert told(talk.out)[-6:] == told(talk.out)[:6]
    assert talk.session.drained


def test_a_parse_that_fails_after_all_leaves_what_was_there_before() -> None:
    guard = Tracking()
    talk = Talk(guard)
    for piece in (together_with_describe("row a"), parse("", "row b") + SYNC):
        talk.client(piece)
        talk.settle()
    before = talk.session.statements[""]
    talk.server.status = "E"
    talk.client(together_with_describe("row a"))
    assert guard.taken == 1
    assert talk.session.statements[""] is not before
    talk.settle()
    assert talk.session.statements[""] is before
    assert guard.notes[-1].outcome == Outcome(Status.SKIPPED)


def test_who_looks_at_the_queue_finds_what_the_lane_began() -> None:
    talk, guard = prepared()
    talk.client(exchange_of("s", True) * 2)
    assert not talk.session.drained
    assert [entry.running for entry in talk.session.pending.running] == guard.notes[1:]


def test_what_was_begun_ends_as_lost_when_the_connection_does() -> None:
    talk, guard = prepared()
    talk.client(exchange_of("s", True) * 2)
    talk.session.abort()
    talk.session.abort()
    assert [n.outcome and n.outcome.status for n in guard.notes[1:]] == [Status.LOST] * 2


def test_an_error_of_the_server_ends_what_the_lane_began() -> None:
    talk, guard = prepared()
    talk.server.statements["s"] = "fail"
    talk.client(exchange_of("s", True))
    assert guard.taken == 1
    talk.settle()
    assert guard.notes[-1].outcome == Outcome(Status.ERROR, sqlstate="22012")


@pytest.mark.parametrize("what", ["terms", "stale", "full"])
def test_what_no_longer_holds_goes_the_long_way(what: str) -> None:
    talk, guard = prepared()
    guard.settled = 1 if what == "terms" else 0
    guard.stale = what == "stale"
    guard.log_full = what == "full"
    talk.client(exchange_of("s", True))
    talk.settle()
    assert guard.taken == 0
    kinds = [kind for kind, _ in told(talk.out)][-5:]
    assert kinds[-2:] == (["E", "Z"] if what == "full" else ["C", "Z"])


def test_what_ceases_to_hold_before_the_answer_is_looked_at_by_the_guard() -> None:
    talk, guard = prepared()
    talk.client(exchange_of("s", True))
    guard.settled, guard.planned = 1, 0
    talk.settle()
    assert (guard.taken, guard.planned) == (1, 1)
    assert guard.notes[-1].outcome == well("ROW 1")


def test_another_description_is_planned_anew() -> None:
    talk, guard = prepared()
    talk.server.statements["s"] = "row b"
    guard.masks = True  # the mask asserts that rows are those of its own text
    talk.client(exchange_of("s", True))
    assert guard.taken == 1
    with pytest.raises(AssertionError, match="under the plan"):
        talk.settle()


def test_a_statement_that_was_prepared_again_is_another() -> None:
    talk, guard = prepared()
    closed = message(b"C", b"Ss\0") + parse("s", "done") + SYNC
    talk.client(closed)
    talk.settle()
    talk.client(exchange_of("s", True))
    talk.settle()
    assert guard.taken == 0
    assert guard.notes[-1].text == "done"


def test_the_unnamed_portal_lives_on_in_a_transaction() -> None:
    talk, guard = prepared()
    talk.client(query("begin"))
    talk.settle()
    for _ in range(2):
        talk.client(exchange_of("s", True))
        talk.settle()
    assert guard.taken == 2
    talk.client(execute("") + SYNC)
    talk.settle()
    assert told(talk.out)[-1] == ("Z", b"T")
    assert guard.notes[-1].text == "row a"
    talk.client(query("commit"))
    talk.settle()
    assert not talk.session.portals
