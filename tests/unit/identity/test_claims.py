"""For us and for now: audience, authorized party, times, kinds of token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dbgate_broker.identity import claims
from dbgate_broker.testing.identity import AUDIENCE
from dbgate_core.errors import NotSignedIn
from tests.unit.identity.verifying import START, World

NOW = int(START)

ACCEPTED: list[dict[str, Any]] = [
    {"exp": NOW - 59},
    {"exp": NOW + 0.5},
    {"exp": NOW + 10 * 365 * 86400},
    {"iat": NOW + 59},
    {"iat": NOW - 86_400},
    {"nbf": NOW + 59},
    {"nbf": 0},
    {"aud": [AUDIENCE]},
    {"aud": [AUDIENCE, AUDIENCE]},
    {"aud": ["other", AUDIENCE], "azp": AUDIENCE},
    {"aud": ["other", AUDIENCE], "azp": "dbgate-cli"},
    {"azp": AUDIENCE},
    {"azp": "dbgate-cli"},
    {"typ": "ID"},
    {"token_use": "id"},
    {"sub": "s" * 255},
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"exp": NOW - 61}, "expired"),
    ({"exp": None}, "no time `exp`"),
    ({"exp": str(NOW + 60)}, "no time `exp`"),
    ({"exp": True}, "no time `exp`"),
    ({"exp": [NOW + 60]}, "no time `exp`"),
    ({"exp": 1e300}, "out of range"),
    ({"exp": -1}, "out of range"),
    ({"exp": 10**30}, "out of range"),
    ({"iat": None}, "no time `iat`"),
    ({"iat": NOW + 61}, "future"),
    ({"iat": NOW - 86_461}, "more than a day ago"),
    ({"nbf": NOW + 61}, "not valid yet"),
    ({"nbf": "soon"}, "no time `nbf`"),
    ({"aud": None}, "no audience"),
    ({"aud": []}, "not for the audience"),
    ({"aud": {}}, "no audience"),
    ({"aud": {AUDIENCE: 1}}, "no audience"),
    ({"aud": [AUDIENCE, 7]}, "no audience"),
    ({"aud": "other"}, "not for the audience"),
    ({"aud": AUDIENCE.upper()}, "not for the audience"),
    ({"aud": f"{AUDIENCE} "}, "not for the audience"),
    ({"aud": f"x{AUDIENCE}x"}, "not for the audience"),
    ({"aud": ["other", "another"], "azp": AUDIENCE}, "not for the audience"),
    ({"aud": ["other", AUDIENCE]}, "whom it was issued to"),
    ({"aud": ["other", AUDIENCE], "azp": "other"}, "another client"),
    ({"azp": "other"}, "another client"),
    ({"azp": ""}, "another client"),
    ({"azp": [AUDIENCE]}, "another client"),
    ({"sub": None}, "no subject"),
    ({"sub": ""}, "no subject"),
    ({"sub": 7}, "no subject"),
    ({"sub": "s" * 256}, "no subject"),
    ({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "logout token"),
    ({"typ": "Bearer"}, "access token"),
    ({"typ": "Refresh"}, "access token"),
    ({"token_use": "access"}, "access token"),
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
def test_accepted(changes: dict[str, Any]) -> None:
    assert World(client_id="dbgate-cli").principal(**changes).name == "alice"


@pytest.mark.parametrize(("changes", "why"), REFUSED, ids=str)
def test_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(NotSignedIn, match=why):
        World(client_id="dbgate-cli").principal(**changes)


def test_without_a_client_id_an_empty_authorized_party_is_nobodys() -> None:
    with pytest.raises(NotSignedIn, match="another client"):
        World().principal(azp="")


def test_a_token_ends_while_the_broker_runs() -> None:
    world = World()
    token = world.signer.token()
    assert world.verify(token).principal.name == "alice"
    world.now += 3661
    with pytest.raises(NotSignedIn, match="expired"):
        world.verify(token)


def test_the_issuer_is_compared_again_after_the_signature() -> None:
    world = World()
    now = datetime.fromtimestamp(NOW, UTC)
    claims.check(world.signer.claims(), world.config, now)
    for other in ("https://issuer.test/", "", None, ["https://issuer.test"]):
        with pytest.raises(NotSignedIn, match="another issuer"):
            claims.check({**world.signer.claims(), "iss": other}, world.config, now)
