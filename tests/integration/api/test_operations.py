"""What machines ask: health and readiness of anybody, metrics of who has their token."""

from __future__ import annotations

import pytest

from dbgate_broker.telemetry.readiness import KEPT_S
from tests.integration.api.conftest import METRICS_TOKEN, Api


def test_a_broker_that_works_is_ready(api: Api) -> None:
    answer = api.ask("GET", "/readyz", who="")
    assert (answer.status, answer.json) == (
        200,
        {"ready": True, "checks": {"running": True, "vault": True}},
    )


def test_a_part_that_does_not_answer_makes_it_unready_but_alive(api: Api) -> None:
    api.vault_sealed = True
    answer = api.ask("GET", "/readyz", who="")
    assert answer.status == 503
    assert answer.json == {"ready": False, "checks": {"running": True, "vault": False}}
    assert b"sealed" not in answer.body
    assert api.ask("GET", "/healthz", who="").status == 200


def test_many_who_ask_look_once(api: Api) -> None:
    assert KEPT_S > 0
    assert api.ask("GET", "/readyz", who="").status == 200
    api.vault_sealed = True
    assert api.ask("GET", "/readyz", who="").status == 200


def test_a_draining_broker_is_not_ready_at_once(api: Api) -> None:
    assert api.ask("GET", "/readyz", who="").status == 200
    api.readiness.draining = True
    answer = api.ask("GET", "/readyz", who="")
    assert answer.status == 503
    assert answer.json["checks"] == {"running": False, "vault": True}


def test_metrics_are_given_to_who_has_their_token(api: Api) -> None:
    answer = api.ask("GET", "/metrics", who=METRICS_TOKEN)
    assert (answer.status, answer.body) == (200, b"dbgate_x 1\n")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4;")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("who", ["", "carol", METRICS_TOKEN[:-1], METRICS_TOKEN + "x"])
def test_nobody_else_sees_them(api: Api, who: str) -> None:
    answer = api.ask("GET", "/metrics", who=who)
    assert answer.status == 401
    assert answer.json["exit_code"] == 3
    assert METRICS_TOKEN.encode() not in answer.body


def test_the_token_of_metrics_opens_nothing_else(api: Api) -> None:
    assert api.ask("GET", "/v1/whoami", who=METRICS_TOKEN).status == 401
    assert api.ask("POST", "/metrics", {}, who=METRICS_TOKEN).status == 405


def test_answers_are_counted_by_route_and_status(api: Api) -> None:
    api.ask("GET", "/v1/sessions/nothing-there")
    api.ask("GET", "/v1/sessions/something-else")
    api.ask("GET", "/v1/whoami", who="")
    api.ask("BREW", "/v1/whoami")
    api.ask("GET", "/no/such/path")
    assert dict(api.tallies.requests) == {
        ("GET", "/v1/sessions/{id}", 404): 2,
        ("GET", "/v1/whoami", 401): 1,
        ("other", "/v1/whoami", 405): 1,
    }
    assert sum(api.tallies.request_times["GET", "/v1/sessions/{id}"].counts) == 2
