"""A connection that is drained: what runs ends by itself, then the client is told."""

from __future__ import annotations

import pytest

from dbgate_broker.gateway.seams import Terminable
from tests.integration.credentials.servers import wait_until
from tests.integration.gateway.raw import Raw, query, raw
from tests.integration.gateway.world import World

WHY = "the broker is stopping"


def drain(world: World) -> None:
    connection: Terminable = next(iter(world.tunnel.attached.values()))
    world.soon(lambda: connection.drain("57P01", WHY))


def told(client: Raw) -> None:
    fields = client.error()
    assert (fields["S"], fields["C"], fields["M"]) == ("FATAL", "57P01", WHY)


def test_an_idle_client_is_told_at_once(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        drain(world)
        told(client)
    world.settled()
    assert world.failures == [("prod-db", "session.ended")]


def test_a_statement_that_runs_ends_first(world: World) -> None:
    with raw(world) as client:
        client.log_in()
        client.send(query("select pg_sleep(0.5), 'whole'"))
        wait_until(lambda: bool(world.server.running()), 10, "the statement")
        drain(world)
        kinds = [kind for kind, _ in client.until("Z")]
        assert kinds == ["T", "D", "C", "Z"]
        told(client)
    world.settled()


@pytest.mark.parametrize("last", ["commit", "rollback"])
def test_an_open_transaction_may_go_on_to_its_end(world: World, last: str) -> None:
    world.server.query("truncate sink")
    with raw(world) as client:
        client.log_in()
        client.send(query("begin"))
        client.until("Z")
        drain(world)
        for text in ("insert into sink values (1, 'x')", last):
            client.send(query(text))
            assert [kind for kind, _ in client.until("Z")] == ["C", "Z"]
        told(client)
    world.settled()
    assert world.server.query("select count(*) from sink") == [(int(last == "commit"),)]
