"""The issuer with the command line's own client, and by hand where that one is too well-behaved."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from dbgate_broker.dev.ports import is_free
from dbgate_cli import login
from dbgate_cli.oidc import Issuer, Pkce
from dbgate_core.errors import NotSignedIn
from dbgate_core.secret import Secret
from tests.integration.dev.running import until

REDIRECT = "http://127.0.0.1:4711/callback"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.text))

    def answer(self) -> dict[str, str]:
        """The parameters that a redirect carries."""
        return {k: v[0] for k, v in parse_qs(urlsplit(self.headers["location"]).query).items()}


class Served:
    """The issuer as the process that developer mode starts."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        argv = [sys.executable, "-m", "dbgate_broker.dev.issuer", self.url]
        argv += [str(folder / "key"), str(folder / "logins.json")]
        self.process = subprocess.Popen(argv)
        until(lambda: not is_free(port), "the issuer listens", 20)

    def send(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Reply:  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = urlencode(form) if form is not None else None
        sent = {"Content-Type": FORM} if body is not None else {}
        connection.request(method, path, body, {**sent, **headers})
        got = connection.getresponse()
        reply = Reply(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read().decode())
        connection.close()
        return reply

    def authorize(self, pkce: Pkce, **more: str) -> Reply:
        query = {
            "client_id": "dbgate", "redirect_uri": REDIRECT, "response_type": "code",
            "scope": "openid profile groups offline_access", "state": "s", "nonce": "n",
            "code_challenge": pkce.challenge, "code_challenge_method": "S256", **more,
        }  # fmt: skip
        return self.send("GET", f"/authorize?{urlencode(query)}")

    def token(self, **form: str) -> Reply:
        return self.send("POST", "/token", {"client_id": "dbgate", **form})

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("issuer")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    port = next(p for p in range(32100, 32700) if is_free(p))
    running = Served(folder, port)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def issuer(served: Served) -> Issuer:
    return Issuer(served.url, "dbgate", ssl.create_default_context())


def claims(served: Served, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(served.send("GET", "/jwks").json())  # type: ignore[arg-type]
    return jwt.decode(token, keys, algorithms=["ES256"]).claims


def code(served: Served, pkce: Pkce, **more: str) -> str:
    return served.authorize(pkce, login_hint="alice", **more).answer()["code"]


def test_alice_signs_in_by_name_and_her_token_says_who_she_is(
    served: Served, issuer: Issuer
) -> None:
    signed = login.as_person(issuer, "alice")
    found = claims(served, signed.id_token.expose())
    assert (found["preferred_username"], found["groups"]) == ("alice", ["developers"])
    assert (found["iss"], found["aud"]) == (served.url, "dbgate")
    assert found["exp"] - found["iat"] == 3600
    assert signed.refresh_token is not None


def test_somebody_unknown_is_refused(issuer: Issuer) -> None:
    for name in ("mallory", "ci", "copilot", ""):
        with pytest.raises(Exception, match=r"nobody here is called|does not sign in"):
            login.as_person(issuer, name)


def test_a_refreshed_login_goes_on_and_a_stolen_token_ends_it(issuer: Issuer) -> None:
    first = login.as_person(issuer, "bob")
    second = login.refreshed(issuer, first)
    assert second.refresh_token != first.refresh_token
    with pytest.raises(NotSignedIn):
        login.refreshed(issuer, first)
    with pytest.raises(NotSignedIn):
        login.refreshed(issuer, second)


def test_a_revoked_login_is_over(issuer: Issuer) -> None:
    signed = login.as_person(issuer, "carol")
    assert signed.refresh_token is not None
    issuer.revoke(signed.refresh_token)
    with pytest.raises(NotSignedIn):
        login.refreshed(issuer, signed)


def ticket(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found, page
    return found[1]


def test_a_device_is_signed_in_by_who_confirms_it(served: Served, issuer: Issuer) -> None:
    device = issuer.start_device()
    page = served.send("GET", f"/device?user_code={device.user_code}")
    assert device.user_code in page.text
    served.send("POST", "/device", {"ticket": ticket(page.text), "person": "bob"})
    tokens = issuer.await_device(device, sleep=lambda _: None)
    assert claims(served, tokens.id_token.expose())["preferred_username"] == "bob"
    with pytest.raises(NotSignedIn):
        issuer.await_device(device, sleep=lambda _: None)


def test_a_device_is_refused_by_who_does_not_know_it(served: Served, issuer: Issuer) -> None:
    device = issuer.start_device()
    page = served.send("GET", f"/device?user_code={device.user_code.lower()}")
    served.send("POST", "/device", {"ticket": ticket(page.text), "person": ""})
    with pytest.raises(NotSignedIn, match="access_denied"):
        issuer.await_device(device, sleep=lambda _: None)


def test_looking_at_a_devices_page_signs_nobody_in(served: Served, issuer: Issuer) -> None:
    device = issuer.start_device()
    served.send("GET", f"/device?user_code={device.user_code}")
    form = {"ticket": device.user_code, "person": "bob"}
    assert served.send("POST", "/device", form).status == 400
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    reply = served.token(grant_type=grant, device_code=device.device_code.expose())
    assert reply.json()["error"] == "authorization_pending"
    again = served.token(grant_type=grant, device_code=device.device_code.expose())
    assert again.json()["error"] == "slow_down"


def test_the_page_lists_the_people_and_its_form_works_once(served: Served) -> None:
    page = served.authorize(Pkce.make())
    assert page.status == 200
    assert all(name in page.text for name in ("Alice", "Bob", "Carol", "Dave"))
    form = {"ticket": ticket(page.text), "person": "dave"}
    first = served.send("POST", "/authorize", form)
    assert (first.status, first.answer()["state"], first.answer()["iss"]) == (303, "s", served.url)
    assert served.send("POST", "/authorize", form).status == 400


def test_pages_cannot_be_framed_or_scripted_and_are_not_kept(served: Served) -> None:
    for reply in (served.authorize(Pkce.make()), served.send("GET", "/device")):
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "same-origin", "else Origin: null"


def test_what_is_shown_again_is_escaped(served: Served, issuer: Issuer) -> None:
    device = issuer.start_device()
    code = f"{device.user_code[0]}%22%3E%3Cscript%3E{device.user_code[1:]}"
    for path in (f"/device?user_code={code}", "/authorize?client_id=%3Cscript%3E"):
        assert "<script>" not in served.send("GET", path).text


def test_prompt_none_never_shows_a_page(served: Served) -> None:
    assert served.authorize(Pkce.make(), prompt="none").answer()["error"] == "login_required"


def test_the_nonce_comes_back_and_a_code_works_once(served: Served) -> None:
    pkce = Pkce.make()
    form = {
        "grant_type": "authorization_code",
        "code": code(served, pkce),
        "redirect_uri": REDIRECT,
        "code_verifier": pkce.verifier.expose(),
    }
    first = served.token(**form)
    assert claims(served, first.json()["id_token"])["nonce"] == "n"
    assert first.headers["cache-control"] == "no-store"
    assert served.token(**form).json()["error"] == "invalid_grant"
    refresh = served.token(grant_type="refresh_token", refresh_token=first.json()["refresh_token"])
    assert refresh.json()["error"] == "invalid_grant", "a code used twice ends what it gave"


def test_a_code_without_its_verifier_or_at_another_address_is_refused(served: Served) -> None:
    pkce = Pkce.make()
    good = {"redirect_uri": REDIRECT, "code_verifier": pkce.verifier.expose()}
    for change in (
        {"code_verifier": "x" * 43},
        {"code_verifier": pkce.challenge},
        {"redirect_uri": "http://127.0.0.1:9/callback"},
        {"client_id": "other"},
    ):
        form = {"grant_type": "authorization_code", "code": code(served, pkce), **good, **change}
        reply = served.token(**form)
        assert reply.status in (400, 401), change
        assert "id_token" not in reply.text


def test_without_offline_access_there_is_no_refresh_token(served: Served) -> None:
    pkce = Pkce.make()
    given = served.token(
        grant_type="authorization_code",
        code=code(served, pkce, scope="openid"),
        redirect_uri=REDIRECT,
        code_verifier=pkce.verifier.expose(),
    ).json()
    assert "refresh_token" not in given
    assert "groups" not in claims(served, given["id_token"])


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "alice"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x" * 20000}, "invalid_client"),
    ],
)
def test_other_grants_and_empty_ones_are_refused(
    served: Served, form: dict[str, str], error: str
) -> None:
    assert served.token(**form).json()["error"] == error


def test_only_a_form_with_each_parameter_once_is_read(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    for kind, body in (
        ("application/json", '{"client_id": "dbgate", "grant_type": "refresh_token"}'),
        (FORM, "client_id=dbgate&client_id=dbgate&grant_type=refresh_token"),
        (FORM, b"\xff\xfe"),
    ):
        connection.request("POST", "/token", body, {"Content-Type": kind})
        answer = connection.getresponse()
        assert json.loads(answer.read())["error"] == "invalid_client"
    connection.close()


def test_another_host_or_origin_gets_nothing(served: Served) -> None:
    path = "/.well-known/openid-configuration"
    assert served.send("GET", path).status == 200
    assert served.send("GET", path, Host="evil.example").status == 421
    page = served.authorize(Pkce.make())
    form = {"ticket": ticket(page.text), "person": "bob"}
    for origin in ("https://evil.example", "null"):
        reply = served.send("POST", "/authorize", form, Origin=origin)
        assert reply.status in (403, 421)
        assert "location" not in reply.headers
    assert served.send("POST", "/authorize", form, Origin=served.url).status == 303


def test_tokens_and_logins_outlive_a_restart(folder: Path, served: Served, issuer: Issuer) -> None:
    signed = login.as_person(issuer, "alice")
    served.stop()
    until(lambda: is_free(served.port), "the port is free", 10)
    served.process = Served(folder, served.port).process
    assert claims(served, signed.id_token.expose())["preferred_username"] == "alice"
    again = login.refreshed(issuer, signed)
    assert isinstance(again.refresh_token, Secret)
