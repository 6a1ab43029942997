"""A session's endpoint, and why a session is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli.endpoint import Endpoint
from dbgate_cli.tunnel import FIRST_PORT, PORTS, stable_port
from dbgate_cli.watching import ended
from dbgate_core.contract import PrincipalInfo, SessionInfo
from dbgate_core.errors import ApprovalNeeded, Denied
from dbgate_core.secret import Secret

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


def session(state: str, left_s: float) -> SessionInfo:
    who = PrincipalInfo(kind="User", name="alice", issuer="i", subject="s")
    return SessionInfo(
        id="s1", database="prod-db", access_role="readonly", principal=who, state=state,
        opened_at=NOW - timedelta(hours=1), expires_at=NOW + timedelta(seconds=left_s),
        close_reason="killed by bob" if state == "closed" else "",
    )  # fmt: skip


def test_why_a_session_is_over() -> None:
    assert ended(session("open", 1), NOW) is None
    killed = ended(session("closed", 1), NOW)
    assert isinstance(killed, Denied)
    assert "killed by bob" in killed.message
    for state in ("open", "closed"):
        assert isinstance(ended(session(state, 0), NOW), ApprovalNeeded)


@given(TEXTS, TEXTS, TEXTS, st.integers(1, 65535))
def test_the_url_is_read_as_it_was_meant(user: str, password: str, name: str, port: int) -> None:
    parts = urlsplit(Endpoint(port, user, Secret(password), name).url())
    assert unquote(parts.username or "") == user
    assert unquote(parts.password or "") == password
    assert unquote(parts.path) == f"/{name}"
    assert (parts.hostname, parts.port) == ("127.0.0.1", port)


def test_an_endpoint_does_not_print_its_password() -> None:
    assert "hunter2" not in repr(Endpoint(1, "u", Secret("hunter2"), "d"))


@pytest.mark.parametrize(
    "name",
    ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGPASSFILE", "PGREQUIREAUTH", "DBGATE_ID_TOKEN"],
)
def test_what_leads_elsewhere_or_is_a_token_is_not_inherited(name: str) -> None:
    env = Endpoint(1, "u", Secret("p"), "d").environment({name: "x", "HOME": "/h"})
    assert name not in env
    assert env["HOME"] == "/h"


@given(TEXTS)
def test_a_port_is_stable_and_in_its_range(database: str) -> None:
    assert stable_port(database) == stable_port(database)
    assert FIRST_PORT <= stable_port(database) < FIRST_PORT + PORTS


def test_databases_spread_over_the_ports() -> None:
    assert len({stable_port(f"db-{i}") for i in range(100)}) > 90
