"""Ways around the judge that were thought of, each kept as a case."""

from __future__ import annotations

import contextlib

import pytest

from dbgate_core.errors import LimitExceeded, ProtocolViolation
from dbgate_core.pgwire.guard import Status
from dbgate_core.pgwire.messages import MAX_SMALL_BYTES, MAX_SQL_BYTES, message
from dbgate_core.pgwire.pending import Portal
from dbgate_core.pgwire.session import FLUSH, Session
from tests.unit.pgwire.test_relay import (
    SYNC,
    OwnRows,
    Strict,
    Talk,
    begun,
    bind,
    close,
    describe,
    execute,
    parse,
    query,
    told,
)

REFUSED = "dbgate refused this"


def errors(talk: Talk) -> list[bytes | str]:
    return [body for kind, body in told(talk.out) if kind == "E"]


@pytest.mark.parametrize("name", [REFUSED, "dbgate refused this statement"])
def test_a_name_of_ours_is_no_way_to_run_what_was_not_recorded(name: str) -> None:
    """The client defines what a replacement might have named, then has something refused."""
    talk = Talk()
    talk.client(query("begin") + parse(name, "row secret") + bind(name, name) + SYNC)
    talk.settle()
    for refused in (execute("no such portal"), describe("P", "none"), bind("x", "none")):
        talk.client(refused + SYNC)
        talk.settle()
        assert talk.server.ran == ["begin"]
    assert errors(talk) == ["34000", "34000", "26000"]


def test_a_name_moved_by_sql_is_forgotten() -> None:
    talk = Talk()
    talk.client(parse("s", "row a") + SYNC + query("drop s") + query("prepare s row b"))
    talk.client(bind("", "s") + execute("") + SYNC)
    talk.settle()
    assert errors(talk) == ["26000"]
    assert "row b" not in talk.server.ran


def test_a_portal_opened_by_sql_is_not_executed() -> None:
    talk = Talk()
    talk.client(query("begin") + parse("", "row a") + bind("c", "") + describe("P", "c") + SYNC)
    talk.client(query("drop c") + query("open c row b") + execute("c") + SYNC)
    talk.settle()
    assert errors(talk) == ["34000"]
    assert "row b" not in talk.server.ran


def test_a_failed_parse_does_not_undo_a_later_one() -> None:
    """`s` is `a`; redefining it fails; in the next round it is closed and made `b`."""
    talk = Talk()
    talk.client(parse("s", "row a") + SYNC)
    talk.settle()
    talk.client(parse("s", "row x") + SYNC + close("S", "s") + parse("s", "row b") + SYNC)
    talk.settle()
    talk.client(bind("", "s") + execute("") + SYNC)
    talk.settle()
    assert talk.server.ran == begun(talk) == ["row b"]


@pytest.mark.parametrize("name", ["", "s"])
def test_a_definition_that_an_error_discarded_is_not_taken_for_the_one_that_runs(name: str) -> None:
    """The next segment is on its way already when the error of this one becomes known."""
    talk = Talk()
    talk.client(parse(name, "row a") + SYNC)
    talk.settle()
    talk.client(execute("none") + close("S", name) + parse(name, "row b") + SYNC)
    talk.client(bind("", name) + execute("") + SYNC)
    held = [talk.session.held]
    talk.settle()
    assert [*held, talk.session.held] == [True, False]
    assert talk.server.ran == ["row a"]
    assert [note.text for note in talk.guard.notes] == ["row a"]


def test_a_portal_that_an_error_discarded_is_not_taken_for_the_one_that_runs() -> None:
    talk = Talk()
    talk.client(query("begin") + parse("", "row a") + bind("c", "") + describe("P", "c") + SYNC)
    talk.settle()
    talk.client(execute("none") + close("P", "c") + parse("", "row b") + bind("c", "") + SYNC)
    talk.client(execute("c") + SYNC)
    talk.settle()
    assert "row b" not in [note.text for note in talk.guard.notes]


def test_what_the_server_confirmed_holds_nothing_up() -> None:
    talk = Talk()
    talk.client(parse("s", "row a") + SYNC)
    talk.settle()
    for _ in range(3):
        talk.client(bind("", "s") + execute("") + SYNC + query("row b"))
        assert not talk.session.held
    talk.settle()
    assert talk.server.ran == ["row a", "row b"] * 3


def test_a_refused_bind_leaves_no_older_portal_to_execute() -> None:
    talk = Talk()
    talk.client(parse("", "row a") + bind("", "") + parse("", "row forbidden"))
    talk.client(bind("", "") + execute("") + SYNC)
    talk.settle()
    assert talk.guard.notes == []


def test_a_stale_guard_holds_statements_and_makes_the_server_flush() -> None:
    guard = Strict(stale=True)
    session = Session(guard)
    session.receive_client(query("row a"))
    assert session.held
    assert session.take_for_server() == FLUSH
    session.receive_client(query("row b"))
    assert guard.judged == []
    assert session.take_for_server() == b""
    guard.stale = False
    session.resume()
    assert session.take_for_server() == query("row a") + query("row b")


def test_a_stale_guard_lets_data_and_sync_pass() -> None:
    session = Session(Strict(stale=True))
    data = message(b"d", b"1") + message(b"c", b"") + SYNC
    session.receive_client(data)
    assert (session.held, session.take_for_server()) == (False, data)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"Q" + (MAX_SQL_BYTES + 10).to_bytes(4, "big"), LimitExceeded),
        (b"S" + (MAX_SMALL_BYTES + 10).to_bytes(4, "big"), LimitExceeded),
        (b"Q\0\0\0\3", ProtocolViolation),
        (b"!\0\0\0\4", ProtocolViolation),
        (b"W\0\0\0\4", ProtocolViolation),
    ],
)
def test_a_header_is_refused_before_its_body_comes(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        Session(Strict()).receive_client(data)


@pytest.mark.parametrize(
    "answer",
    [
        message(b"D", b"\0\1\0\0\0\1x"),
        message(b"d", b"x"),
        message(b"1", b""),
        message(b"K", b"\0" * 8),
        message(b"R", b"\0" * 4),
        message(b"W", b"\0\0\0"),
        message(b"Z", b"X"),
        message(b"S", b"client_encoding\0LATIN1\0"),
        message(b"S", b"standard_conforming_strings\0off\0"),
        b"T\xff\xff\xff\xff",
    ],
)
def test_a_server_that_breaks_the_protocol_is_not_relayed(answer: bytes) -> None:
    session = Session(Strict())
    session.receive_client(query("row a"))
    with pytest.raises((ProtocolViolation, LimitExceeded)):
        session.receive_server(answer)
    assert session.take_for_client() == b""


def test_a_refused_statement_that_is_answered_like_a_good_one_ends_the_relay() -> None:
    session = Session(Strict())
    session.receive_client(query("row forbidden"))
    with pytest.raises(ProtocolViolation):
        session.receive_server(message(b"C", b"SELECT 1\0"))


def test_a_mask_sees_only_its_own_rows() -> None:
    """The check of the other tests can fail."""
    with pytest.raises(AssertionError, match="under the plan"):
        OwnRows("row a").rewrite(message(b"D", b"\0\1\0\0\0\5row b"))


def test_the_guard_hears_of_every_transaction_status() -> None:
    talk = Talk()
    talk.client(query("begin") + query("row a"))
    talk.settle()
    talk.client(parse("", "row b") + bind("", "") + execute("") + SYNC + query("commit"))
    talk.settle()
    assert talk.guard.statuses == ["T", "T", "T", "I"]


def test_after_code_an_open_portal_is_described_before_it_gives_another_row() -> None:
    """PL/pgSQL closes and opens portals by name: the plan made before is not theirs."""
    talk = Talk(guard=Strict(code=("call ",)))
    talk.client(query("begin") + parse("", "row a") + bind("c", "") + describe("P", "c") + SYNC)
    talk.settle()
    planned = talk.session.portals["c"]
    talk.client(query("call f"))
    talk.settle()
    fresh = talk.session.portals["c"]
    assert isinstance(planned, Portal)
    assert isinstance(fresh, Portal)
    assert (planned.planned, fresh.planned) == (True, False)
    talk.session.receive_client(execute("c"))
    assert talk.session.take_for_server() == describe("P", "c") + execute("c")


@pytest.mark.parametrize(
    "moving",
    [
        query("prepare p row b"),
        query("call f"),
        parse("p", "row b") + SYNC,
        parse("", "row b") + bind("p", "") + SYNC,
        close("S", "p") + SYNC,
        close("P", "p") + SYNC,
    ],
)
def test_a_portal_does_not_run_a_name_that_was_moved_after_it_was_bound(moving: bytes) -> None:
    """Its description is that of what the name meant then."""
    talk = Talk(guard=Strict(code=("call ",)))
    bound = bind("c", "") + describe("P", "c") + SYNC
    talk.client(query("begin") + parse("", "execute p") + bound)
    talk.settle()
    talk.client(moving)
    talk.settle()
    talk.client(execute("c") + SYNC)
    talk.settle()
    assert errors(talk)[-1] == "34000"
    assert "execute p" not in begun(talk)


def test_another_name_that_is_moved_leaves_it_alone() -> None:
    talk = Talk()
    bound = bind("c", "") + describe("P", "c") + SYNC
    talk.client(query("begin") + parse("", "execute p") + bound + parse("q", "row b") + SYNC)
    talk.client(execute("c") + SYNC)
    talk.settle()
    assert "execute p" in begun(talk)
    assert talk.guard.renames == ["c", "q"]


@pytest.mark.parametrize("data", [b"", message(b"d", b"bad")])
@pytest.mark.parametrize("simple", [False, True])
def test_no_row_passes_under_another_plan_behind_a_copy_that_failed(
    data: bytes, simple: bool
) -> None:
    """Whether the server reads the first Sync inside the copy or behind it, nobody can know yet."""
    talk = Talk()
    talk.client(parse("", "row secret") + parse("t", "row b") + SYNC)
    talk.settle()
    text = "copyin" if data else "copybad"
    start = query(text) if simple else parse("c", text) + bind("c", "c") + execute("c")
    behind = [bind("", "s") + execute("") + SYNC, bind("", "t") + execute("") + SYNC]
    talk.client(parse("s", "row secret") + SYNC)
    talk.settle()
    with contextlib.suppress(ProtocolViolation):
        talk.client(start + data + SYNC + message(b"c", b"") + b"".join(behind))
        talk.settle()
    talk.session.abort()
    for text in talk.server.ran[1:]:
        assert text in begun(talk), f"{text!r} ran and is not on record as having run"


def test_what_a_failed_copy_may_have_let_run_is_not_on_record_as_skipped() -> None:
    talk = Talk()
    talk.client(parse("s", "row a") + SYNC)
    talk.settle()
    start = parse("c", "copybad") + bind("", "c") + execute("") + SYNC
    talk.client(start + bind("", "s") + execute("") + SYNC)
    with pytest.raises(ProtocolViolation):
        talk.settle()
    assert talk.server.ran == ["copybad", "row a"]
    statuses = [note.outcome.status for note in talk.guard.notes if note.outcome]
    assert statuses == [Status.ERROR, Status.LOST]


@pytest.mark.parametrize("said", [query("row a"), bind("", "none"), message(b"F", b"\0\0\0\1")])
def test_a_statement_inside_a_copy_ends_the_connection(said: bytes) -> None:
    """As PostgreSQL does it; if it were held, the CopyDone behind it would never be read."""
    talk = Talk()
    talk.client(query("copyin") + message(b"d", b"1"))
    talk.settle()
    with pytest.raises(ProtocolViolation, match="inside a COPY"):
        talk.client(said + message(b"c", b""))


def test_a_statement_that_waits_when_a_copy_begins_ends_the_connection() -> None:
    talk = Talk()
    talk.client(query("copyin;copyin") + message(b"c", b"") + query("row a") + message(b"c", b""))
    with pytest.raises(ProtocolViolation, match="inside a COPY"):
        talk.settle()
