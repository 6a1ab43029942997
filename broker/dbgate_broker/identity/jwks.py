"""An issuer's key set (RFC 7517): which of its keys may verify a signature, and by which algorithm."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from dbgate_core.errors import Unreachable

MAX_KEYS: Final = 100
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
"""Larger moduli only serve to make verification slow."""
ALGORITHMS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", "")),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""What may be configured: signatures by a key pair alone (RFC 7518, RFC 9864), with the key they need.

`none` and the symmetric algorithms are not among them, so no configuration can let them in.
"""
_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "RSA": ("n", "e"),
    "EC": ("crv", "x", "y"),
    "OKP": ("crv", "x"),
}
_PRIVATE: Final = ("d", "k")

Key = RSAKey | ECKey | OKPKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key; `alg` is the one algorithm that the issuer says it is for, or empty."""

    kid: str
    alg: str
    kty: str
    curve: str
    key: Key

    def fits(self, alg: str) -> bool:
        """Whether this key may verify signatures of that algorithm."""
        kty, curve = ALGORITHMS[alg]
        return self.kty == kty and self.curve == curve and self.alg in ("", alg)


def parse(document: bytes) -> tuple[SigningKey, ...]:
    """The signing keys of a key set; what is not one of them is passed over (RFC 7517, section 5).

    Raises Unreachable when it is no key set, or has over 100 keys.
    """
    keys = parse_object(document, "key set").get("keys")
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Unreachable(f"the issuer's key set is not a list of at most {MAX_KEYS} keys")
    return tuple(key for one in keys if isinstance(one, dict) and (key := _signing_key(one)))


def parse_object(document: bytes, name: str) -> dict[str, Any]:
    """A JSON object that an issuer gave. Raises Unreachable when it is not one."""
    try:
        value = json.loads(document)
    except (ValueError, RecursionError) as exc:
        raise Unreachable(f"the issuer's {name} is not JSON") from exc
    if not isinstance(value, dict):
        raise Unreachable(f"the issuer's {name} is not an object")
    return value


def verifies(text: str, alg: str, keys: Sequence[SigningKey]) -> bool:
    """Whether one of the keys, all of them fit for `alg`, has made this compact JWS."""
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_header_length = len(text)  # the token's length is bounded already
    registry.max_signature_length = len(text)
    return any(_verifies(text, alg, key, registry) for key in keys if key.fits(alg))


def _verifies(text: str, alg: str, key: SigningKey, registry: jws.JWSRegistry) -> bool:
    try:
        return (
            jws.deserialize_compact(text, key.key, algorithms=[alg], registry=registry) is not None
        )
    except (JoseError, ValueError):
        return False


def _signing_key(value: dict[str, Any]) -> SigningKey | None:
    kty, kid, alg = str(value.get("kty")), value.get("kid", ""), value.get("alg", "")
    operations = value.get("key_ops", ["verify"])
    for_signatures = isinstance(operations, list) and "verify" in operations
    if not for_signatures or value.get("use", "sig") != "sig" or kty not in _MEMBERS:
        return None
    if any(name in value for name in _PRIVATE) or not isinstance(kid, str):
        return None
    try:
        key = _import(kty, {name: value[name] for name in _MEMBERS[kty]})
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return SigningKey(kid, str(alg), kty, str(value.get("crv", "")), key) if key else None


def _import(kty: str, members: dict[str, Any]) -> Key | None:
    match kty:
        case "RSA":
            if not MIN_RSA_BITS <= _bits(members["n"]) <= MAX_RSA_BITS:
                return None
            return RSAKey.import_key({"kty": "RSA", "n": members["n"], "e": members["e"]})
        case "EC":
            return ECKey.import_key({"kty": "EC", **members})
        case _:
            return OKPKey.import_key({"kty": "OKP", **members})


def _bits(number: str) -> int:
    """The size of a Base64urlUInt (RFC 7518, section 2), whatever zeros it begins with."""
    raw = base64.b64decode(number + "=" * (-len(number) % 4), altchars=b"-_", validate=True)
    return int.from_bytes(raw).bit_length()
