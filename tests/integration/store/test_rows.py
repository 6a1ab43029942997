from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from dbgate_broker.store import leases, requests, sessions
from dbgate_broker.store.engine import Store
from dbgate_broker.store.leases import LeaseRow, LeaseState
from dbgate_broker.store.sessions import STALE_S, SessionRow, SessionState
from dbgate_core.approval.request import AccessRequest, Choice, State
from dbgate_core.approval.rules import cast
from tests.unit.approval.people import ALICE, BOB, CARL, T0, YES, agent, asked, vote

SOON = T0 + timedelta(minutes=10)


def kept(store: Store, request: AccessRequest) -> requests.Stored:
    found = store.call_now(requests.load, request.id)
    assert found is not None
    return found


def approved_statement(store: Store) -> AccessRequest:
    request = cast(asked(statement="drop table t", digest="d" * 64), vote(BOB), YES)
    store.call_now(requests.insert, asked(statement="drop table t", digest="d" * 64))
    assert store.call_now(requests.save, request, 1)
    return request


def test_a_request_comes_back_as_it_was_written(store: Store) -> None:
    plain = asked("dba:2", requester=agent(ALICE), reason="wegen Übergröße 🐘\nzweite Zeile")
    store.call_now(requests.insert, plain)
    assert kept(store, plain).request == plain
    voted = cast(cast(plain, vote(BOB), YES), vote(CARL), YES)
    assert store.call_now(requests.save, voted, 1)
    assert kept(store, plain) == requests.Stored(voted, 2)


def test_of_two_who_change_the_same_version_one_wins(store: Store) -> None:
    store.call_now(requests.insert, asked())
    assert store.call_now(requests.save, cast(asked(), vote(BOB), YES), 1)
    assert not store.call_now(requests.save, cast(asked(), vote(CARL, Choice.DENY), YES), 1)
    assert kept(store, asked()).request.state is State.APPROVED


def test_an_approved_statement_is_used_once_whoever_tries_at_once(store: Store) -> None:
    request = approved_statement(store)

    def use(number: int) -> bool:
        return store.call_now(requests.use_statement, request.id, f"s{number}", SOON)

    with ThreadPoolExecutor(5) as threads:
        assert sum(threads.map(use, range(20))) == 1
    assert kept(store, request).request.used_at == SOON


def test_a_statement_is_not_used_after_its_window_nor_before_it_is_approved(store: Store) -> None:
    request = approved_statement(store)
    assert request.window_ends_at is not None
    assert not store.call_now(requests.use_statement, request.id, "s", request.window_ends_at)
    pending = replace(asked(statement="x", digest="e" * 64), id="r-2")
    store.call_now(requests.insert, pending)
    assert not store.call_now(requests.use_statement, "r-2", "s", SOON)


def test_an_access_roles_request_is_not_used_as_a_statements(store: Store) -> None:
    store.call_now(requests.insert, asked())
    store.call_now(requests.save, cast(asked(), vote(BOB), YES), 1)
    assert not store.call_now(requests.use_statement, "r-1", "s", SOON)


def test_what_runs_for_a_principal_is_found(store: Store) -> None:
    store.call_now(requests.insert, asked())
    request = cast(asked(), vote(BOB), YES)
    store.call_now(requests.save, request, 1)
    assert store.call_now(requests.running_of, ALICE, SOON, "prod-db") == [request]
    assert store.call_now(requests.running_of, ALICE, SOON) == [request]
    assert store.call_now(requests.running_of, ALICE, SOON, "dev-db") == []
    assert store.call_now(requests.running_of, agent(ALICE), SOON) == []
    assert store.call_now(requests.running_of, ALICE, SOON + timedelta(hours=2)) == []


def test_lists_are_of_a_state_or_all_with_the_newest_first(store: Store) -> None:
    later = replace(asked(), id="r-2", created_at=SOON)
    for request in (asked(), later):
        store.call_now(requests.insert, request)
    ids = [stored.request.id for stored in store.call_now(requests.listing)]
    assert ids == ["r-2", "r-1"]
    assert store.call_now(requests.listing, State.APPROVED) == []
    assert len(store.call_now(requests.pending_of, ALICE)) == 2
    assert store.call_now(requests.lapsed, T0) == []
    assert len(store.call_now(requests.lapsed, asked().expires_at)) == 2


def session(number: int = 1, broker: str = "b1") -> SessionRow:
    return SessionRow(
        id=f"s{number}",
        broker=broker,
        database="prod-db",
        access_role="readonly",
        principal=replace(ALICE, asserted_agent="copilot"),
        reason="",
        client="psql",
        opened_at=T0,
        expires_at=T0 + timedelta(hours=8),
    )


def test_a_session_goes_from_opening_to_open_to_closed_and_stays_closed(store: Store) -> None:
    store.call_now(sessions.insert, session())
    store.call_now(sessions.mark_open, "s1", "v-alice")
    opened = replace(session(), state=SessionState.OPEN, db_user="v-alice")
    assert store.call_now(sessions.load, "s1") == opened
    assert store.call_now(sessions.mark_closed, "s1", SOON, "killed")
    assert not store.call_now(sessions.mark_closed, "s1", SOON, "again")
    store.call_now(sessions.mark_open, "s1", "other")
    closed = replace(opened, state=SessionState.CLOSED, closed_at=SOON, close_reason="killed")
    assert store.call_now(sessions.load, "s1") == closed
    assert store.call_now(sessions.listing, SessionState.CLOSED) == [closed]
    assert store.call_now(sessions.listing, SessionState.OPEN) == []


def test_sessions_of_dead_brokers_are_left_behind_and_of_living_ones_are_not(store: Store) -> None:
    now = T0 + timedelta(seconds=STALE_S + 1)
    for number, broker in ((1, "dead"), (2, "living"), (3, "mine"), (4, "forgotten")):
        store.call_now(sessions.insert, session(number, broker))
    for broker, when in (("dead", T0), ("living", now), ("mine", now)):
        store.call_now(sessions.seen, broker, when)

    def left(alone: bool) -> set[str]:
        rows = store.call_now(sessions.left_behind, "mine", now, alone=alone)
        return {row.id for row in rows}

    assert left(False) == {"s1", "s4"}
    assert left(True) == {"s1", "s2", "s4"}


def test_a_lease_is_journalled_from_intent_to_end(store: Store) -> None:
    store.call_now(sessions.insert, session())
    intent = LeaseRow(id="l1", session_id="s1", database="prod-db", vault_role="ro", created_at=T0)
    store.call_now(leases.intend, intent)
    assert store.call_now(leases.of_session, "s1") == [intent]
    assert store.call_now(leases.activate, "l1", "database/creds/ro/x", "v-alice", SOON)
    assert not store.call_now(leases.activate, "l1", "database/creds/ro/y", "v-bob", SOON)
    assert store.call_now(leases.known_ids, "ro") == {"database/creds/ro/x"}
    assert store.call_now(leases.known_ids, "rw") == set()
    store.call_now(leases.end_later, "l1", T0, "Vault is away")
    assert store.call_now(leases.to_end, T0) == []
    (due,) = store.call_now(leases.to_end, SOON)
    assert (due.state, due.attempts, due.trouble) == (LeaseState.ENDING, 1, "Vault is away")
    store.call_now(leases.ended, "l1", SOON)
    assert store.call_now(leases.to_end, SOON, all_of_them=True) == []
    assert store.call_now(leases.known_ids, "ro") == set()


def test_a_lease_that_a_crash_left_with_a_closed_session_is_to_end(store: Store) -> None:
    for number in (1, 2):
        store.call_now(sessions.insert, session(number))
        store.call_now(
            leases.intend,
            LeaseRow(
                id=f"l{number}",
                session_id=f"s{number}",
                database="d",
                vault_role="r",
                created_at=T0,
            ),
        )
    store.call_now(sessions.mark_closed, "s1", T0, "the broker was restarted")
    assert store.call_now(leases.end_those_of_closed_sessions, T0) == 1
    assert [row.id for row in store.call_now(leases.to_end, T0)] == ["l1"]
