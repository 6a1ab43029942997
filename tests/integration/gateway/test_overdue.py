"""Statements that run longer than policy lets them, on a real server."""

from __future__ import annotations

import pytest

from dbgate_core.pgwire.messages import decode_fields
from tests.integration.gateway.raw import query, raw
from tests.integration.gateway.test_holds import FORMS
from tests.integration.gateway.world import World


@pytest.mark.parametrize("form", FORMS)
def test_it_is_canceled_whatever_the_session_sets_and_the_connection_goes_on(
    world: World, form: str
) -> None:
    world.tunnel.timeout_s = 0.3
    with raw(world) as client:
        client.log_in()
        client.send(query("set statement_timeout = 0"))
        client.until("Z")
        client.send(FORMS[form]("select pg_sleep(60)"))
        notice, error = client.until("N")[-1][1], client.until("E")[-1][1]
        assert "policy lets a statement run for 0.3 s" in decode_fields(notice)["M"]
        assert decode_fields(error)["C"] == "57014"
        assert client.until("Z")[-1] == ("Z", b"I")
        client.send(FORMS[form]("select 1"))
        assert client.until("Z")[-1] == ("Z", b"I")


def test_each_statement_has_its_own_time(world: World) -> None:
    world.tunnel.timeout_s = 0.6
    with raw(world) as client:
        client.log_in()
        client.send(query("select pg_sleep(0.35)") * 3)
        for _ in range(3):
            assert [kind for kind, _ in client.until("Z")] == ["T", "D", "C", "Z"]


def test_without_a_limit_nothing_is_watched(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query("select pg_sleep(0.1)"))
        assert [kind for kind, _ in client.until("Z")] == ["T", "D", "C", "Z"]
