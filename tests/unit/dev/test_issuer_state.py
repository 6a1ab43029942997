"""Codes, device codes and refresh tokens: used once, in time, by who asked."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dbgate_broker.dev.issuer import asking
from dbgate_broker.dev.issuer.codes import (
    CODE_S,
    DEVICE_S,
    INTERVAL_S,
    MAX_KEPT,
    SLOW_DOWN_S,
    Asked,
    CodeRefused,
    Codes,
    Devices,
    DeviceState,
    challenge_of,
)
from dbgate_broker.dev.issuer.refresh import LIFE_S, RefreshTokens

VERIFIER = "v" * 43
REDIRECT = "http://127.0.0.1:4711/callback"
SCOPES = frozenset({"openid", "offline_access"})
ASKED = Asked(REDIRECT, SCOPES, "state", "nonce", challenge_of(VERIFIER))
NOW = 1_000_000.0


def refused(codes: Codes, code: str, redirect: str = REDIRECT, verifier: str = VERIFIER, after: float = 1) -> CodeRefused:  # fmt: skip
    with pytest.raises(CodeRefused) as caught:
        codes.redeem(code, redirect, verifier, NOW + after)
    return caught.value


def test_the_challenge_is_the_standards_own_example() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert challenge_of("ü" * 43) == ""


def test_a_code_is_good_once_and_its_second_use_names_what_to_revoke() -> None:
    codes = Codes()
    code = codes.issue(ASKED, "alice", NOW)
    found = codes.redeem(code, REDIRECT, VERIFIER, NOW + 1)
    assert (found.person, found.asked) == ("alice", ASKED)
    assert refused(codes, code).family == found.family != ""


@pytest.mark.parametrize(
    ("redirect", "verifier", "after"),
    [
        ("http://127.0.0.1:4712/callback", VERIFIER, 1),
        (REDIRECT, "w" * 43, 1),
        (REDIRECT, "", 1),
        (REDIRECT, VERIFIER, CODE_S),
    ],
)
def test_a_code_is_bound_and_a_wrong_try_uses_it_up(
    redirect: str, verifier: str, after: float
) -> None:
    codes = Codes()
    code = codes.issue(ASKED, "alice", NOW)
    refused(codes, code, redirect, verifier, after)
    refused(codes, code, after=after)


def test_only_so_many_codes_are_kept() -> None:
    codes = Codes()
    first = codes.issue(ASKED, "alice", NOW)
    for _ in range(MAX_KEPT):
        codes.issue(ASKED, "bob", NOW)
    refused(codes, first)


def test_a_device_waits_is_slowed_down_and_is_taken_once() -> None:
    devices = Devices()
    code, device = devices.begin(SCOPES, NOW)
    assert devices.poll(code, NOW + INTERVAL_S)[0] is DeviceState.PENDING
    assert devices.poll(code, NOW + INTERVAL_S + 0.1)[0] is DeviceState.SLOW_DOWN
    assert devices.poll(code, NOW + 2 * INTERVAL_S + 0.2)[0] is DeviceState.SLOW_DOWN
    later = NOW + 60
    typed = device.user_code.lower().replace("-", " ")
    assert devices.by_user_code(typed, later) is device
    device.person = "alice"
    assert devices.by_user_code(typed, later) is None
    assert devices.poll(code, later + SLOW_DOWN_S) == (DeviceState.APPROVED, device)
    assert devices.poll(code, later + 60)[0] is DeviceState.UNKNOWN


def test_a_device_may_be_denied_and_expires() -> None:
    devices = Devices()
    code, device = devices.begin(SCOPES, NOW)
    assert devices.by_user_code(device.user_code, NOW + DEVICE_S) is None
    device.denied = True
    assert devices.poll(code, NOW + 10)[0] is DeviceState.DENIED
    other, _ = devices.begin(SCOPES, NOW)
    assert devices.poll(other, NOW + DEVICE_S)[0] is DeviceState.EXPIRED
    assert devices.by_user_code("", NOW) is None


def test_a_refresh_token_rotates_and_its_reuse_ends_the_login(tmp_path: Path) -> None:
    tokens = RefreshTokens(tmp_path / "f")
    first = tokens.begin("family", "alice", SCOPES, NOW)
    rotated = tokens.rotate(first, NOW + 1)
    assert rotated is not None
    second, family = rotated
    assert family.person == "alice"
    assert tokens.rotate(first, NOW + 2) is None
    assert tokens.rotate(second, NOW + 3) is None


def test_logins_survive_a_restart_and_the_file_holds_no_token(tmp_path: Path) -> None:
    file = tmp_path / "f"
    first = RefreshTokens(file).begin("family", "alice", SCOPES, NOW)
    assert first not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    rotated = RefreshTokens(file).rotate(first, NOW + 1)
    assert rotated is not None
    again = RefreshTokens(file)
    assert again.rotate(first, NOW + 2) is None, "reuse is known after a restart, too"
    assert RefreshTokens(file).rotate(rotated[0], NOW + 2) is None


def test_revocation_and_expiry_end_a_login_and_no_other(tmp_path: Path) -> None:
    tokens = RefreshTokens(tmp_path / "f")
    mine, other = (tokens.begin(name, "alice", SCOPES, NOW) for name in ("a", "b"))
    tokens.revoke("unknown")
    tokens.revoke(mine)
    assert tokens.rotate(mine, NOW + 1) is None
    rotated = tokens.rotate(other, NOW + 1)
    assert rotated is not None
    assert tokens.rotate(rotated[0], NOW + LIFE_S) is None


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', '{"a": {"x": 1}}', "\0"])
def test_a_damaged_file_means_to_sign_in_again(tmp_path: Path, content: str) -> None:
    (tmp_path / "f").write_text(content)
    assert RefreshTokens(tmp_path / "f").rotate("x", NOW) is None


GOOD = {
    "client_id": "dbgate",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "openid email unknown",
    "state": "s",
    "nonce": "n",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def test_a_good_request_is_taken_without_unknown_scopes() -> None:
    asked = asking.check(GOOD)
    assert asked == Asked(REDIRECT, frozenset({"openid", "email"}), "s", "n", challenge_of(VERIFIER))  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://127.0.0.1:4711/callback"},
        {"redirect_uri": "http://localhost:4711/callback"},
        {"redirect_uri": "http://127.0.0.1/callback"},
        {"redirect_uri": "http://127.0.0.1:0/callback"},
        {"redirect_uri": "http://127.0.0.1:x/callback"},
        {"redirect_uri": "http://127.0.0.1:99999/callback"},
        {"redirect_uri": "http://127.0.0.1:4711/callback/"},
        {"redirect_uri": "http://127.0.0.1:4711/callback?x=1"},
        {"redirect_uri": "http://127.0.0.1:4711/callback#x"},
        {"redirect_uri": "http://user@127.0.0.1:4711/callback"},
        {"redirect_uri": "http://127.0.0.1:4711@evil.example/callback"},
        {"redirect_uri": "http://evil.example:4711/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.example:4711/callback"},
        {"redirect_uri": "javascript:alert(1)//127.0.0.1:1/callback"},
        {"redirect_uri": "http://127.0.0.1:4711/callback\r\nSet-Cookie: x"},
    ],
)
def test_a_client_or_address_that_is_not_ours_is_never_redirected_to(
    change: dict[str, str],
) -> None:
    with pytest.raises(asking.Untrusted):
        asking.check(GOOD | change)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "a" * 42}, "invalid_request"),
        ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://evil.example"}, "request_not_supported"),
    ],
)
def test_a_wrong_request_is_answered_at_its_redirect_uri(
    change: dict[str, str], error: str
) -> None:
    with pytest.raises(asking.Refused) as caught:
        asking.check(GOOD | change)
    assert (caught.value.error, caught.value.state) == (error, "s")


@pytest.mark.parametrize(
    "text", ["a=1&a=2", "a=" + "x" * 3000, "&".join(f"a{n}=1" for n in range(40))]
)
def test_doubled_long_and_many_parameters_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the standard library's own among them
        asking.parameters(text)


def test_an_answer_carries_the_issuer_and_escapes_what_it_repeats() -> None:
    url = asking.answer(REDIRECT, "http://127.0.0.1:1", [("code", "c"), ("state", "a&iss=evil")])
    assert parse_qs(urlsplit(url).query) == {
        "code": ["c"],
        "state": ["a&iss=evil"],
        "iss": ["http://127.0.0.1:1"],
    }
