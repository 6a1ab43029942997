"""What is read in an ID token, and what is refused."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli.tokens import bearer, check, claims, display_name, expires_at
from dbgate_core.errors import NotSignedIn
from dbgate_core.secret import Secret

NOW = 1_800_000_000.0
GOOD: dict[str, object] = {
    "iss": "https://sso", "aud": "dbgate", "sub": "1", "nonce": "n", "iat": NOW, "exp": NOW + 60,
}  # fmt: skip


def token(values: object) -> Secret:
    body = base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
    return Secret(f"e30.{body}.c2ln")


def accept(**changes: object) -> None:
    values = {k: v for k, v in (GOOD | changes).items() if v != "absent"}
    check(token(values), issuer="https://sso", client_id="dbgate", nonce="n", now=NOW)


def test_a_good_token() -> None:
    accept()
    accept(aud=["dbgate"])
    accept(aud=["dbgate", "other"], azp="dbgate")
    accept(exp=NOW - 30, iat=NOW + 30)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://sso/"}, {"iss": "absent"}, {"aud": "other"}, {"aud": "absent"}, {"aud": []},
        {"aud": ["dbgate", "other"]}, {"azp": "other"}, {"exp": NOW - 61}, {"exp": "absent"},
        {"exp": "soon"}, {"exp": True}, {"exp": float("inf")}, {"exp": float("nan")},
        {"exp": 10**400}, {"iat": NOW + 61}, {"iat": "absent"}, {"iat": float("nan")},
        {"nonce": "absent"}, {"nonce": "N"}, {"nonce": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_claim_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(NotSignedIn):
        accept(**change)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: f"a.{b.hex()}.c"))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(claims(Secret(text)), dict)
    assert expires_at(Secret(text)) == 0.0


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_claim_is_read_without_an_error(value: object) -> None:
    found = token({"exp": value, "preferred_username": value})
    assert 0 <= abs(expires_at(found)) < 1e12
    assert isinstance(display_name(claims(found)), str)


@pytest.mark.parametrize("text", ["", " ", "a b", "a\r\nX: y", "a\0", "é.é.é", "x" * 20000])
def test_what_may_not_stand_in_a_header(text: str) -> None:
    with pytest.raises(NotSignedIn) as caught:
        bearer(text, "DBGATE_ID_TOKEN")
    assert "DBGATE_ID_TOKEN" in str(caught.value)
    assert len(text) < 2 or text not in str(caught.value)
