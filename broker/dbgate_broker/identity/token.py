"""The outer form of an ID token (RFC 7515, RFC 7519): taken apart strictly, nothing trusted yet."""

from __future__ import annotations

import base64
import binascii
import json
import string
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from dbgate_core.errors import NotSignedIn

MAX_TOKEN_BYTES: Final = 16 * 1024
"""Above it a token is not looked at. Common issuers stay below 8 KiB, many groups included."""
MAX_KID_CHARS: Final = 500
HINT: Final = "dbgate login"
_ALPHABET: Final = frozenset(string.ascii_letters + string.digits + "-_")
_ID_TOKEN_TYPES: Final = frozenset({"jwt", "application/jwt"})


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself; only `alg`, `kid` and `iss` are used before its signature holds.

    `text` is the token itself, `kid` is empty when the header names no key.
    """

    text: str
    alg: str
    kid: str
    claims: dict[str, Any]

    def __repr__(self) -> str:
        return f"Unverified(alg={self.alg!r}, kid={self.kid!r})"


def refusal(message: str) -> NotSignedIn:
    """The error for a token that is not accepted. The message never holds the token."""
    return NotSignedIn(message, hint=HINT, code="auth.token_refused")


def parse(token: str) -> Unverified:
    """Take a compact JWS apart. Raises NotSignedIn when it is not one in its strictest form.

    Header parameters that bring a key along (`jwk`, `jku`, `x5c`, `x5u`) are ignored: keys come
    from the issuer alone. What the sender marks as critical (`crit`) is not understood, therefore
    refused (RFC 7515, section 4.1.11).
    """
    if not token or len(token) > MAX_TOKEN_BYTES:
        raise refusal(f"the token is empty or longer than {MAX_TOKEN_BYTES} bytes")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts) or not all(_ALPHABET.issuperset(part) for part in parts):
        raise refusal("the token is not a signed JWT of three parts")
    header, claims = _object(parts[0], "header"), _object(parts[1], "payload")
    if "crit" in header or "b64" in header:
        raise refusal("the token's header demands an extension that is not supported")
    alg, kid, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "JWT")
    if not isinstance(alg, str) or not isinstance(kid, str) or len(kid) > MAX_KID_CHARS:
        raise refusal("the token's header does not name its algorithm and key")
    if not isinstance(kind, str) or kind.lower() not in _ID_TOKEN_TYPES:
        raise refusal("the token is not an ID token (its `typ` says so)")
    return Unverified(token, alg, kid, claims)


def _object(part: str, name: str) -> dict[str, Any]:
    """A base64url part that holds a JSON object, as strictly as strings can be compared later."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # lone surrogates do not encode
    except (ValueError, RecursionError, binascii.Error) as exc:
        raise refusal(f"the token's {name} is not well-formed JSON") from exc
    if not isinstance(value, dict):
        raise refusal(f"the token's {name} is not a JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are given once: two readers must not see two different tokens."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is given twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
