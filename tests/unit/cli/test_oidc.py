"""PKCE, and the pace of the device flow (RFC 7636, RFC 8628)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping

import pytest

from dbgate_cli.http import Reply, tls_context
from dbgate_cli.login import Attempt, finish
from dbgate_cli.oidc import DeviceCode, Issuer, Pkce
from dbgate_core.errors import NotSignedIn
from dbgate_core.secret import Secret

URL = "https://sso.example"


class Scripted(Issuer):
    """An issuer whose network is a script of answers."""

    def __init__(self, answers: Iterator[bytes]) -> None:
        self.answers = answers
        self.posted: list[Mapping[str, str]] = []
        super().__init__(URL, "dbgate", tls_context(None))

    def _get(self, url: str) -> Reply:
        document = f'{{"issuer": "{URL}", "token_endpoint": "{URL}/token"}}'
        return Reply(200, (), document.encode())

    def _post(self, url: str, values: Mapping[str, str]) -> Reply:
        self.posted.append(values)
        body = next(self.answers)
        return Reply(200 if b"id_token" in body else 400, (), body)


def error(name: str) -> bytes:
    return f'{{"error": "{name}"}}'.encode()


TOKENS = b'{"id_token": "a.b.c", "refresh_token": "r"}'


def wait(answers: list[bytes], expires_in_s: float = 600.0) -> list[float]:
    """The pauses that were made."""
    device = DeviceCode(Secret("d"), "U", "v", "", 5.0, expires_in_s)
    pauses: list[float] = []
    issuer = Scripted(iter(answers))
    issuer.await_device(device, sleep=pauses.append, clock=lambda: sum(pauses))
    return pauses


def test_a_verifier_is_fresh_and_its_challenge_is_s256() -> None:
    made = [Pkce.make() for _ in range(50)]
    assert len({pkce.verifier.expose() for pkce in made}) == 50
    for pkce in made:
        verifier = pkce.verifier.expose()
        assert 43 <= len(verifier) <= 128
        digest = hashlib.sha256(verifier.encode()).digest()
        assert base64.urlsafe_b64decode(pkce.challenge + "=") == digest
        assert verifier not in repr(pkce)


def test_the_device_flow_keeps_the_interval_and_slows_down() -> None:
    pending, slower = error("authorization_pending"), error("slow_down")
    assert wait([pending, slower, pending, slower, TOKENS]) == [5, 5, 10, 10, 15]


def test_the_device_flow_ends_with_the_code() -> None:
    with pytest.raises(NotSignedIn, match="has expired"):
        wait([error("authorization_pending")] * 100, expires_in_s=20)


@pytest.mark.parametrize(
    "name", ["access_denied", "expired_token", "invalid_grant", "invalid_client"]
)
def test_any_other_answer_ends_the_device_flow(name: str) -> None:
    with pytest.raises(NotSignedIn, match=name):
        wait([error(name)])


@pytest.mark.parametrize("change", [{"state": "x"}, {"state": ""}, {"iss": "https://evil"}])
def test_a_code_of_a_wrong_answer_is_never_sent(change: dict[str, str]) -> None:
    issuer = Scripted(iter([TOKENS]))
    attempt = Attempt.make("http://127.0.0.1:1/callback")
    answer = {"state": attempt.state, "code": "c", "iss": URL} | change
    with pytest.raises(NotSignedIn):
        finish(issuer, attempt, answer)
    assert not issuer.posted
