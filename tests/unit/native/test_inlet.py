"""Where bytes come in: both twins hand on the same; the compiled one by the lane, too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.pgwire import inlet
from tests.unit.native.twins import compiled
from tests.unit.pgwire.test_lane import prepared
from tests.unit.pgwire.test_relay import exchange_of

native = compiled()


@given(st.lists(st.integers(0, inlet.TURN_BYTES // 2), max_size=12))
def test_bytes_and_turns_are_alike(sizes: list[int]) -> None:
    noted: list[list[object]] = []
    for twin in (native, inlet):
        seen: list[object] = []
        store = bytearray(inlet.TURN_BYTES // 2)
        leg = twin.Inlet(store, seen.append, lambda seen=seen: seen.append("rests"))
        for number, size in enumerate(sizes):
            leg.get_buffer(-1)[:size] = bytes([number]) * size
            leg.buffer_updated(size)
        noted.append(seen)
    assert noted[0] == noted[1]


def test_no_more_is_taken_than_the_buffer_holds() -> None:
    leg = native.Inlet(bytearray(4), pytest.fail, pytest.fail)
    for nbytes in (5, -1):
        with pytest.raises(ValueError, match="more bytes"):
            leg.buffer_updated(nbytes)


def test_the_lane_takes_what_it_knows_and_leaves_the_rest() -> None:
    talk, guard = prepared()
    store, passed, received = bytearray(1024), bytearray(), bytearray()
    leg = native.Inlet(store, received.extend, pytest.fail)
    leg.through(talk.session.lane, True, passed.extend, pytest.fail)
    data = exchange_of("s", True) * 2 + exchange_of("unknown", True)
    store[: len(data)] = data
    leg.buffer_updated(len(data))
    assert bytes(passed) == exchange_of("s", True) * 2
    assert bytes(received) == exchange_of("unknown", True)
    assert guard.taken == 2
    leg.past()
    leg.buffer_updated(len(exchange_of("s", True)))
    assert (guard.taken, len(passed)) == (2, len(exchange_of("s", True)) * 2)


def test_an_error_in_the_lane_is_told_and_nothing_passes() -> None:
    talk, guard = prepared()
    store = bytearray(1024)
    failures: list[Exception] = []
    leg = native.Inlet(store, pytest.fail, pytest.fail)
    leg.through(talk.session.lane, False, pytest.fail, failures.append)
    talk.session.receive_client(exchange_of("s", True))
    answer = talk.server.feed(talk.session.take_for_server())
    guard.log_full = True
    store[: len(answer)] = answer
    leg.buffer_updated(len(answer))
    assert [str(failure) for failure in failures] == ["the audit log cannot be written"]
