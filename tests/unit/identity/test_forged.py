"""Forged, altered and foreign tokens: each attack is refused, and the good token beside it is not."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_broker.config import IssuerConfig
from dbgate_broker.identity import Authenticator
from dbgate_broker.identity.jwks import ALGORITHMS
from dbgate_broker.identity.token import MAX_TOKEN_BYTES, parse
from dbgate_broker.testing.identity import AUDIENCE, make_key
from dbgate_core.errors import NotSignedIn, UsageError
from tests.unit.identity.verifying import World

ALL = tuple(ALGORITHMS)


def b64(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(world: World, token: str, why: str) -> None:
    with pytest.raises(NotSignedIn, match=why) as caught:
        world.verify(token)
    assert caught.value.hint == "dbgate login"
    assert caught.value.http_status == 401
    assert token == "" or token not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("alg", ALL)
def test_a_good_token_of_every_algorithm_is_accepted(alg: str) -> None:
    world = World((alg,), algorithms=ALL)
    found = world.verify(world.signer.token())
    assert (found.principal.name, found.principal.issuer) == ("alice", world.signer.url)
    assert found.expires_at.timestamp() == world.now + 3600


def test_alg_none_is_refused_in_every_spelling() -> None:
    world = World()
    for alg in ("none", "None", "NONE", "nOnE", ""):
        for signature in ("", b64(b"x")):
            claims = b64(world.signer.claims())
            token = f"{b64({'alg': alg, 'kid': 'key-0'})}.{claims}.{signature}"
            refused(world, token, "three parts" if not signature else "algorithm")


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519"])
@pytest.mark.parametrize("form", ["pem", "der", "jwk"])
def test_a_public_key_is_no_hmac_secret(alg: str, form: str) -> None:
    world = World((alg,), algorithms=ALL)
    public = world.signer.keys[0]
    forms: dict[str, Callable[[], bytes]] = {
        "pem": lambda: public.as_pem(private=False),
        "der": lambda: public.public_key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "jwk": lambda: json.dumps(public.as_dict(private=False)).encode(),
    }
    signed = f"{b64({'alg': 'HS256', 'kid': 'key-0'})}.{b64(world.signer.claims())}"
    mac = hmac.digest(forms[form](), signed.encode(), "sha256")
    refused(world, f"{signed}.{b64(mac)}", "algorithm")


@pytest.mark.parametrize("alg", ["HS256", "none", "RS1", "EdDSA", ""])
def test_unsafe_algorithms_cannot_even_be_configured(alg: str) -> None:
    issuer = IssuerConfig(url="https://i", audience=AUDIENCE, algorithms=("RS256", alg))
    with pytest.raises(UsageError, match="not accepted"):
        Authenticator([issuer])


def test_an_algorithm_that_is_not_configured_is_refused_though_its_key_is_published() -> None:
    world = World(("ES256", "RS256"), algorithms=("ES256",))
    refused(world, world.signer.token(), "algorithm")


def test_a_key_serves_its_own_algorithm_alone() -> None:
    """RS256's key for ES256 and PS256, P-384's for ES256: the header does not choose."""
    world = World(("RS256", "ES384"), algorithms=ALL)
    rsa, p384 = world.signer.keys
    for alg, key in (("ES256", rsa), ("PS256", rsa), ("ES256", p384), ("ES512", p384)):
        made = world.signer.signed(world.signer.claims(), key=key).split(".")
        header = b64({"alg": alg, "kid": key.as_dict(private=False)["kid"]})
        refused(world, ".".join([header, *made[1:]]), "does not publish")


@pytest.mark.parametrize("extra", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_along_is_ignored(extra: str) -> None:
    world = World()
    thief = make_key("ES256", "key-0")
    brought = {
        "jwk": thief.as_dict(private=False),
        "jku": "https://thief.test/jwks",
        "x5u": "https://thief.test/cert",
        "x5c": ["MIIB"],
    }[extra]
    forged = world.signer.signed(world.signer.claims(), {extra: brought}, thief)
    refused(world, forged, "signature")
    assert not [url for url in world.asked if "thief" in url]
    good = world.signer.signed(world.signer.claims(), {extra: brought})
    assert world.verify(good).principal.name == "alice"


@pytest.mark.parametrize("name", ["crit", "b64"])
def test_critical_extensions_are_refused(name: str) -> None:
    world = World()
    made = world.signer.token().split(".")
    header = {"alg": "ES256", "kid": "key-0", name: ["b64"] if name == "crit" else False}
    refused(world, ".".join([b64(header), *made[1:]]), "extension")


@pytest.mark.parametrize(
    "kid", ["", "../../dev/null", "' OR 1=1 --", "key-0\x00", "key-9", "k" * 501]
)
def test_a_key_id_is_only_ever_compared(kid: str) -> None:
    world = World(("ES256", "ES256"))
    thief = make_key("ES256", "x")
    forged = world.signer.signed(world.signer.claims(), {"kid": kid}, thief)
    refused(world, forged, "does not publish|does not name")
    assert {url.removeprefix(world.signer.url) for url in world.asked} <= {
        "/.well-known/openid-configuration",
        "/jwks",
    }


def test_altered_claims_break_the_signature() -> None:
    world = World()
    header, _, signature = world.signer.token().split(".")
    refused(world, f"{header}.{b64(world.signer.claims('bob'))}.{signature}", "signature")


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519"])
def test_any_altered_byte_of_the_signature_breaks_it(alg: str) -> None:
    world = World((alg,))
    head, body, signature = world.signer.token().split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    for at in range(0, len(raw), 7):
        bad = bytearray(raw)
        bad[at] ^= 1
        refused(world, f"{head}.{body}.{b64(bytes(bad))}", "signature")
    for odd in (raw[:-1], raw + b"\0", bytes(len(raw)), b"\0"):
        refused(world, f"{head}.{body}.{b64(odd)}", "signature")


def test_another_issuers_key_does_not_sign_for_this_one() -> None:
    """Two trusted issuers: each one's keys are good for its own tokens alone."""
    one, two = World(), World()
    forged = two.signer.signed(one.signer.claims(), {"kid": "key-0"})
    refused(one, forged, "signature")


def test_an_issuer_that_is_not_trusted_is_never_asked() -> None:
    world = World()
    for issuer in ("https://evil.test", f"{world.signer.url}/", world.signer.url.upper(), 7, ["x"]):
        refused(world, world.signer.token(iss=issuer), "does not trust")
    refused(world, world.signer.token(iss=None), "does not trust")
    assert world.asked == []


def test_duplicate_names_are_refused_though_they_are_signed() -> None:
    world = World()
    claims = json.dumps(world.signer.claims())
    twice = claims[:-1] + ', "sub": "id-bob"}'
    refused(world, world.signer.signed(twice.encode()), "JSON")
    header = b64(b'{"alg":"ES256","kid":"key-0","alg":"none"}')
    refused(world, ".".join([header, *world.signer.token().split(".")[1:]]), "JSON")


def test_strings_that_are_no_text_are_refused_wherever_they_are() -> None:
    world = World()
    claims = json.dumps(world.signer.claims())[:-1]
    for odd in (b', "x": "\\ud800"}', b', "\\udfff": 1}', b', "x": [{"y": "\\ud83d"}]}'):
        refused(world, world.signer.signed(claims.encode() + odd), "JSON")


@pytest.mark.parametrize(
    "payload",
    [b"[]", b'"x"', b"null", b"", b"{", b"{}x", b'{"exp": NaN}', b'{"exp": Infinity}', b"\xff{}",
     b'{"sub": "\\ud800"}', b"[" * 9000, b'{"a":' * 1800 + b"1" + b"}" * 1800,
     b'{"exp": ' + b"9" * 9000 + b"}", b"\xef\xbb\xbf{}"],
)  # fmt: skip
def test_payloads_that_are_no_plain_object_are_refused(payload: bytes) -> None:
    world = World()
    refused(world, f"{b64({'alg': 'ES256', 'kid': 'key-0'})}.{b64(payload)}.{b64(b'x')}",
            "JSON|does not trust|three parts")  # fmt: skip


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b", "a.b.c.d", "a.b.c.d.e", "é.b.c", "a b.c.d", "a=.b.c", "\n", "a+b.c.d",
     "eyJhbGciOiJFUzI1NiJ9.e30.", "-----BEGIN", "x" * (MAX_TOKEN_BYTES + 1)],
)  # fmt: skip
def test_what_is_no_token_is_refused(token: str) -> None:
    refused(World(), token, "token")


def test_the_size_bound_is_exact() -> None:
    world = World()
    room = MAX_TOKEN_BYTES - len(world.signer.token(pad=""))
    big = world.signer.token(pad="x" * (room * 3 // 4 - 8))
    assert MAX_TOKEN_BYTES - 64 < len(big) <= MAX_TOKEN_BYTES
    assert world.verify(big).principal.name == "alice"
    refused(world, world.signer.token(pad="x" * room), "longer than")


@pytest.mark.parametrize(
    "typ", ["at+jwt", "application/at+jwt", "logout+jwt", "dpop+jwt", "JWE", 7]
)
def test_other_kinds_of_jwt_are_refused_by_their_type(typ: object) -> None:
    world = World()
    made = world.signer.token().split(".")
    header = b64({"alg": "ES256", "kid": "key-0", "typ": typ})
    refused(world, ".".join([header, *made[1:]]), "typ")


@given(st.text(max_size=200) | st.builds(".".join, st.lists(st.text("eyJ0-_aZ9", max_size=40))))
@settings(max_examples=300)
def test_only_the_declared_error_leaves_the_parser(text: str) -> None:
    with contextlib.suppress(NotSignedIn):
        parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
NAMES = st.sampled_from(
    ["iss", "aud", "azp", "exp", "iat", "nbf", "sub", "act", "groups", "email", "typ",
     "preferred_username", "on_behalf_of", "events", "token_use", "email_verified"]
)  # fmt: skip


@given(st.dictionaries(NAMES, JSON, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_signed_claims_of_any_shape_are_a_principal_or_a_refusal(
    changes: dict[str, object],
) -> None:
    try:
        found = FUZZED.verify(FUZZED.signer.signed(FUZZED.signer.claims() | changes))
    except NotSignedIn:
        return
    assert found.principal.issuer == FUZZED.signer.url
    assert found.principal.name
    assert found.principal.subject


FUZZED = World()


def test_tokens_are_verified_at_once_by_many() -> None:
    world = World()

    async def many() -> list[str]:
        tokens = [world.signer.token(f"user{n}") for n in range(20)]
        found = await asyncio.gather(*(world.authenticator.principal(t) for t in tokens))
        return [principal.name for principal in found]

    assert asyncio.run(many()) == [f"user{n}" for n in range(20)]
    assert world.readings == 1
