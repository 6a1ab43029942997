"""Keys of an issuer: rotation, outage, abuse, and key sets full of surprises."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from dbgate_broker.identity import jwks
from dbgate_broker.identity.keys import FRESH_S, KEEP_S, MAX_ALTERNATIVES, PAUSE_S, RETRY_S
from dbgate_broker.testing.identity import make_key
from dbgate_core.errors import NotSignedIn, Unreachable
from tests.unit.identity.verifying import World


def public(key: jwks.Key, **changes: Any) -> dict[str, Any]:
    said = {**key.as_dict(private=False), **changes}
    return {name: value for name, value in said.items() if value is not None}


def parsed(*keys: object) -> tuple[jwks.SigningKey, ...]:
    return jwks.parse(json.dumps({"keys": keys}).encode())


def test_keys_are_read_once_and_kept() -> None:
    world = World()
    for _ in range(5):
        world.principal()
    assert world.readings == 1


def test_a_new_key_is_found_at_once_and_the_old_one_is_gone_after_five_minutes() -> None:
    world = World()
    old = world.signer.token()
    world.verify(old)
    world.now += PAUSE_S
    world.signer.rotate()
    assert world.principal().name == "alice"
    with pytest.raises(NotSignedIn, match="does not publish"):
        world.verify(old)
    assert world.readings == 2


def test_a_withdrawn_key_is_refused_after_five_minutes_at_the_latest() -> None:
    world = World()
    token = world.signer.token()
    world.verify(token)
    world.signer.rotate()
    world.now += FRESH_S
    world.verify(token)
    world.now += 1
    with pytest.raises(NotSignedIn, match="does not publish"):
        world.verify(token)


def test_invented_key_ids_cannot_make_the_broker_ask_more_often() -> None:
    world = World()
    world.principal()
    thief = make_key("ES256", "x")
    for number in range(50):
        forged = world.signer.signed(world.signer.claims(), {"kid": f"no-{number}"}, thief)
        with pytest.raises(NotSignedIn, match="does not publish"):
            world.verify(forged)
        world.now += PAUSE_S / 10
    assert world.readings <= 1 + 5 + 1
    assert world.principal().name == "alice"


def test_forged_signatures_make_the_broker_ask_nothing() -> None:
    world = World()
    world.principal()
    for _ in range(5):
        with pytest.raises(NotSignedIn, match="signature"):
            world.verify(world.signer.signed({**world.signer.claims()}, {"kid": "key-0"},
                                             make_key("ES256", "x")))  # fmt: skip
        world.now += PAUSE_S + 1
    assert world.readings == 1


def test_many_at_once_share_one_reading() -> None:
    world = World()
    tokens = [world.signer.token(f"user{number}") for number in range(30)]

    async def all_at_once() -> None:
        await asyncio.gather(*(world.authenticator.verify(token) for token in tokens))

    asyncio.run(all_at_once())
    assert world.readings == 1


def test_who_gives_up_waiting_does_not_end_the_reading_for_others() -> None:
    world = World()
    token = world.signer.token()

    async def one_gives_up() -> str:
        impatient = asyncio.create_task(world.authenticator.verify(token))
        patient = asyncio.create_task(world.authenticator.verify(token))
        await world.asking.wait()
        impatient.cancel()
        return (await patient).principal.name

    assert asyncio.run(one_gives_up()) == "alice"
    assert world.readings == 1


def test_known_people_go_on_signing_in_for_an_hour_while_the_issuer_is_down() -> None:
    world = World()
    world.principal()
    world.down = True
    world.now += KEEP_S - 10
    assert world.principal().name == "alice"
    asked = world.readings
    assert world.principal().name == "alice"
    assert world.readings == asked, "each sign-in would wait for the issuer's deadline"
    world.now += 20
    with pytest.raises(Unreachable, match="cannot be had"):
        world.principal()
    world.down = False
    world.now += RETRY_S
    assert world.principal().name == "alice"


def test_an_issuer_that_never_answered_is_unreachable_not_a_refusal() -> None:
    world = World()
    world.down = True
    with pytest.raises(Unreachable) as caught:
        world.principal()
    assert (caught.value.exit_code, caught.value.http_status) == (6, 503)
    world.down = False
    world.now += RETRY_S
    assert world.principal().name == "alice"


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.test"},
        {"issuer": "https://issuer.test/"},
        {"issuer": None},
        {"jwks_uri": "http://issuer.test/jwks"},
        {"jwks_uri": "http://127.0.0.1:1/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user:pw@issuer.test/jwks"},
        {"jwks_uri": None},
        {"jwks_uri": 7},
    ],
    ids=str,
)
def test_a_discovery_document_that_is_not_the_issuers_is_not_followed(
    discovery: dict[str, Any],
) -> None:
    world = World()
    world.signer.discovery |= discovery
    with pytest.raises(Unreachable):
        world.principal()
    assert len(world.asked) == 1


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"[" * 100_000,
                                      b'{"keys": "x"}', json.dumps({"keys": [{}] * 101}).encode()])  # fmt: skip
def test_what_is_no_key_set_is_unreachable(document: bytes) -> None:
    with pytest.raises(Unreachable):
        jwks.parse(document)


def test_only_public_signing_keys_of_asymmetric_kinds_are_taken() -> None:
    good = make_key("ES256", "a")
    other = make_key("RS256", "r")
    wrong: list[object] = [
        public(good, use="enc"),
        public(good, use=7),
        public(good, key_ops=["sign"]),
        public(good, key_ops="verify"),
        public(good, key_ops=7),
        good.as_dict(private=True),
        other.as_dict(private=True),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "a", "use": "sig"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        public(other, n="A" * 9000),
        public(other, e=None),
        public(other, e="AA"),
        public(other, n=7),
        public(good, x="AAAA"),
        public(good, crv="secp256k2"),
        public(good, kid=["a"]),
        public(good, kty=["EC"]),
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
        {},
        "key",
        None,
    ]
    assert parsed(*wrong) == ()
    assert [key.kid for key in parsed(*wrong, public(good), public(other))] == ["a", "r"]


def test_a_key_that_is_not_on_its_curve_is_passed_over() -> None:
    good = public(make_key("ES256", "a"))
    assert parsed({**good, "y": good["x"]}) == ()


def test_weak_and_monstrous_moduli_are_passed_over() -> None:
    fine = public(make_key("RS256", "r"))
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # the attack
    modulus = weak.public_key().public_numbers().n
    for size_bytes in (128, 256, 512):  # the same number, with zeros before it
        assert parsed({**fine, "n": _number(modulus, size_bytes)}) == ()
    assert parsed({**fine, "n": _number((1 << 8193) + 1, 1026)}) == ()
    assert len(parsed({**fine, "n": "AAAA" + fine["n"]})) == 1


def _number(value: int, size_bytes: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(size_bytes)).rstrip(b"=").decode()


def test_a_curve_is_for_its_own_algorithm() -> None:
    (key,) = parsed(public(make_key("ES384", "p"), alg=None))
    assert [alg for alg in jwks.ALGORITHMS if key.fits(alg)] == ["ES384"]


def test_a_keys_own_algorithm_binds_it() -> None:
    (key,) = parsed(public(make_key("RS256", "r")))
    assert key.fits("RS256")
    assert not key.fits("PS256")
    (free,) = parsed(public(make_key("RS256", "r"), alg=None))
    assert free.fits("PS256")
    assert not free.fits("ES256")


def test_one_key_id_for_several_keys_tries_each_but_not_dozens() -> None:
    world = World()
    world.signer.keys = [make_key(alg, "same") for alg in ("ES256", "RS256", "ES256")]
    for key in world.signer.keys:
        assert world.verify(world.signer.signed(world.signer.claims(), key=key)).principal.name
    crowded = World()
    crowded.signer.keys = [make_key("ES256", "same") for _ in range(MAX_ALTERNATIVES + 1)]
    with pytest.raises(NotSignedIn, match="does not publish"):
        crowded.principal()


def test_without_a_key_id_one_key_must_be_meant() -> None:
    world = World(("RS256", "ES256"))
    assert world.verify(world.signer.signed(world.signer.claims(), {"kid": ""})).principal.name
    two = World(("ES256", "ES256"))
    with pytest.raises(NotSignedIn, match="does not publish"):
        two.verify(two.signer.signed(two.signer.claims(), {"kid": ""}))
