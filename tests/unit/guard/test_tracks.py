"""A track of the real guard: what the lane does by it is what the guard would have done, or is not done."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from dbgate_broker.telemetry.guard import SampledGuard
from dbgate_broker.telemetry.tally import Tally
from dbgate_core.budget import Budget
from dbgate_core.catalog import Catalog
from dbgate_core.decision import Obligations, SessionLimits
from dbgate_core.guard import ConnectionGuard
from dbgate_core.guard.leave import Leave
from dbgate_core.guard.sight import CATALOG_MAX_AGE_NS
from dbgate_core.masking.rows import MaskedColumn
from dbgate_core.native import COMPILED
from dbgate_core.pgwire import answers, lane
from dbgate_core.pgwire.guard import Hold, Permit, Refusal
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.pending import Prepared
from dbgate_core.pgwire.session import Session
from dbgate_core.scope import Picture
from tests.unit.guard.doubles import PLAIN, Desk

pytestmark = pytest.mark.skipif(not COMPILED, reason="there is no lane without the compiled module")

TEXT = "select id from plain where id = $1"
SYNC, READY = message(b"S", b""), message(b"Z", b"I")
DESCRIPTION = message(b"T", b"\0\1id\0" + struct.pack("!IhIhih", 20_001, 1, 20, 8, -1, 0))
ANSWER = message(b"2", b"") + DESCRIPTION + message(b"D", b"\0\1\0\0\0\1" + b"7")
ANSWER += message(b"C", b"SELECT 1\0") + READY
BIND = message(b"B", b"\0s\0" + struct.pack("!HHi", 0, 1, 1) + b"7" + struct.pack("!H", 0))
EXCHANGE = BIND + message(b"D", b"P\0") + message(b"E", b"\0\0\0\0\0") + SYNC


class Talk:
    """A session that has run one statement twice; `counts` of the long way tell whether it is taken."""

    def __init__(self, desk: Desk, text: str = TEXT) -> None:
        self.desk = desk
        self.guard = desk.guard()
        self.session = Session(self.guard)
        self.talk(
            message(b"P", b"s\0" + text.encode() + b"\0\0\0") + SYNC, message(b"1", b"") + READY
        )
        self.exchange()

    def talk(self, asked: bytes, answer: bytes) -> bytes:
        """What the server, then the client is sent."""
        self.session.receive_client(asked)
        sent = self.session.take_for_server()
        if sent:
            self.session.receive_server(answer)
        return sent + self.session.take_for_client()

    def exchange(self) -> bytes:
        return self.talk(EXCHANGE, ANSWER)

    def takes(self) -> bool:
        """Whether the lane takes one more exchange on."""
        self.session.receive_client(EXCHANGE)
        taken = self.session.lane.busy
        sent = self.session.take_for_server()
        if sent == EXCHANGE:
            self.session.receive_server(ANSWER)
            self.session.take_for_client()
        return taken and sent == EXCHANGE


def shown(desk: Desk) -> list[tuple[str, dict[str, object]]]:
    return [(kind, dict(fields)) for kind, fields in desk.log.entries]


def test_entries_and_bytes_are_those_of_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    desks, said = [], []
    for pure in (False, True):
        if pure:
            monkeypatch.setattr(answers, "Lane", lane.Lane)
        desk = Desk()
        talk = Talk(desk)
        said.append([talk.exchange() for _ in range(3)])
        talk.guard.closed()
        desks.append(desk)
        assert talk.guard.statements == 4
    assert said[0] == said[1]
    assert shown(desks[0]) == shown(desks[1])
    begun = [fields for kind, fields in shown(desks[0]) if kind == "statement"]
    assert len(begun) == 4
    assert all(fields == begun[0] for fields in begun)
    assert begun[0]["text"] == TEXT
    assert begun[0]["parameters"] == 1


def test_a_settled_statement_is_taken() -> None:
    talk = Talk(Desk())
    assert talk.takes()
    assert talk.takes()


def _reloaded(talk: Talk) -> None:
    talk.desk.policy.version = "v2"


def _bounded(talk: Talk) -> None:
    talk.desk.budget.bounded = True


def _leave(talk: Talk) -> Leave:
    prepared = talk.session.statements["s"]
    assert isinstance(prepared, Prepared)
    assert isinstance(prepared.permit, Leave)
    return prepared.permit


def _masked(talk: Talk) -> None:
    _leave(talk).masked[MaskedColumn("public.customers.email", "email", "token")] = None


def _exposed(talk: Talk) -> None:
    _leave(talk).exposed["public.customers.email"] = ("email",)


def _altered_elsewhere(talk: Talk) -> None:
    talk.desk.epoch.value += 1


def _aged(talk: Talk) -> None:
    talk.desk.now_ns += CATALOG_MAX_AGE_NS


def _renewed(talk: Talk) -> None:
    talk.guard.renew(Picture(Catalog([PLAIN], "2"), talk.desk.epoch.value))


def _own_table(talk: Talk) -> None:
    talk.guard.begin(_permit(talk.guard, "create temp table plain as select 1"), None, "simple")


def _code(talk: Talk) -> None:
    talk.guard.begin(_permit(talk.guard, "select unknown_function()"), None, "simple")


def _ddl(talk: Talk) -> None:
    talk.guard.begin(_permit(talk.guard, "alter table plain rename to plainer"), None, "simple")


def _prepared(talk: Talk) -> None:
    permit = _permit(talk.guard, "prepare x as select 1")
    talk.guard.end(talk.guard.begin(permit, None, "simple"), answers.well("PREPARE"))


def _permit(guard: ConnectionGuard, text: str) -> Permit:
    permit = guard.judge(text)
    assert not isinstance(permit, Refusal | Hold)
    return permit


@pytest.mark.parametrize(
    "change",
    [
        _bounded,
        _masked,
        _exposed,
        _reloaded,
        _altered_elsewhere,
        _aged,
        _renewed,
        _own_table,
        _code,
        _ddl,
        _prepared,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_what_it_rests_on(change: Callable[[Talk], None]) -> None:
    talk = Talk(Desk())
    assert talk.takes()
    change(talk)
    assert not talk.takes()


@pytest.mark.parametrize(
    ("desk", "text"),
    [
        (Desk(), "insert into plain values (1) returning id"),
        (Desk(budget=Budget(SessionLimits(statements=100))), TEXT),
    ],
    ids=["a change", "a limit"],
)
def test_what_has_no_track(desk: Desk, text: str) -> None:
    assert not Talk(desk, text).takes()


def test_a_long_text_has_no_track() -> None:
    """It is judged aside, and remembered by nobody."""
    guard = Desk().guard()
    permit = guard.judge(f"select id from plain where id = $1 -- {'x' * 2_048}")
    assert not isinstance(permit, Refusal | Hold)
    assert guard.track(permit, 1, DESCRIPTION) is None


def test_a_bound_of_rows_has_no_track() -> None:
    desk = Desk()
    desk.policy.obligations = replace(Obligations(), row_limit=5)
    assert not Talk(desk).takes()


def test_a_statement_that_is_to_be_timed_goes_the_long_way() -> None:
    desk = Desk()
    talk = Talk(desk)
    plain = talk.guard
    guard = SampledGuard(
        plain._scope, plain._sight.picture, plain._verdicts, desk.log, Tally("d", "e", "r")
    )
    talk.guard, talk.session = guard, Session(guard)
    talk.talk(message(b"P", b"s\0" + TEXT.encode() + b"\0\0\0") + SYNC, message(b"1", b"") + READY)
    talk.exchange()
    assert talk.takes()
    guard.sample()
    assert not talk.takes()
    talk.exchange()
    assert talk.takes()


def _query(talk: Talk, text: str) -> bool:
    """Send a Query and its answer; whether the lane takes it."""
    talk.session.receive_client(message(b"Q", text.encode() + b"\0"))
    taken = talk.session.lane.busy
    talk.session.take_for_server()
    talk.session.receive_server(ANSWER[5:])
    talk.session.take_for_client()
    return taken


def test_queries_that_differ_in_constants_are_taken() -> None:
    desk = Desk()
    talk = Talk(desk)
    texts = [f"select id from plain where id = {n} or id in (7, {n})" for n in range(4)]
    assert [_query(talk, text) for text in texts] == [False, False, True, True]
    begun = [fields for kind, fields in shown(desk) if kind == "statement"][1:]
    assert [fields.pop("text") for fields in begun] == texts
    assert all(fields == begun[0] for fields in begun)
    assert begun[0]["protocol"] == "simple"


@pytest.mark.parametrize(
    "text",
    [
        "select id from plain order by {}",
        "select id from plain where id = -{}",
        "select id from plain limit {}",
        "select id from plain where id = {} and id::text like 'a%'",
        "select id from plain where id = {} -- note",
        "select true, id from plain order by {}",
        'select "id" from plain where id = {}',
        "select id from plain where id = {}; select 1",
        "select id from plain where id = {} for update",
    ],
)
def test_queries_whose_constants_may_decide_are_not(text: str) -> None:
    talk = Talk(Desk())
    assert not any(_query(talk, text.format(n)) for n in (1, 2, 3, 4))


def test_a_query_in_the_lane_that_fails_has_its_own_text() -> None:
    desk = Desk()
    talk = Talk(desk)
    for n in range(2):
        _query(talk, f"select id from plain where id = {n}")
    talk.session.receive_client(message(b"Q", b"select id from plain where id = 99\0"))
    assert talk.session.lane.busy
    [entry] = talk.session.pending.running
    assert entry.permit is not None
    assert entry.permit.text == "select id from plain where id = 99"
    talk.session.abort()
    kind, fields = shown(desk)[-1]
    assert (kind, fields["status"]) == ("statement_end", "lost")
