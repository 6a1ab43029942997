"""The claims of an ID token whose signature holds: is it for us, and is it for now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dbgate_broker.config import IssuerConfig
from dbgate_broker.identity.token import refusal

LEEWAY_S: Final = 60
"""How far the issuer's clock and ours may differ."""
MAX_AGE_S: Final = 24 * 3600
"""A token issued longer ago is refused, however far away its expiry is."""
MAX_SUBJECT_CHARS: Final = 255
"""OpenID Connect Core, section 2."""
_LATEST_S: Final = 253_402_300_799
"""The last second of the year 9999."""


def check(claims: Mapping[str, Any], issuer: IssuerConfig, now: datetime) -> datetime:
    """Check the claims (OpenID Connect Core, section 3.1.3.7); give the expiry.

    Raises NotSignedIn. The steps:
     1. `iss` is the configured issuer, character by character.
     2. `aud` holds our audience.
     3. `azp` is there when there are several audiences, and where it is there it is ours.
     4. `exp` is there and not passed, by a minute.
     5. `iat` is there, not in the future by a minute, and not older than a day.
     6. `nbf`, where it is there, is reached, by a minute.
     7. `sub` is there.
     8. It is an ID token: no logout token (`events`), no access token by what issuers put in.
    The caller has verified the signature with a key of this issuer. `nonce` is the business of who
    asked for the token: the command line checks it.
    """
    if claims.get("iss") != issuer.url:  # 1
        raise refusal("the token is of another issuer")
    _check_audience(claims, issuer)  # 2, 3
    seconds = now.timestamp()
    expires_at = _time(claims, "exp")  # 4
    if seconds > expires_at + LEEWAY_S:
        raise refusal("the token has expired")
    issued_at = _time(claims, "iat")  # 5
    if issued_at > seconds + LEEWAY_S:
        raise refusal("the token was issued in the future: compare the clocks")
    if seconds > issued_at + MAX_AGE_S + LEEWAY_S:
        raise refusal("the token was issued more than a day ago")
    if "nbf" in claims and _time(claims, "nbf") > seconds + LEEWAY_S:  # 6
        raise refusal("the token is not valid yet: compare the clocks")
    subject = claims.get("sub")  # 7
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARS:
        raise refusal("the token has no subject")
    _check_kind(claims)  # 8
    return datetime.fromtimestamp(expires_at, UTC)


def _check_audience(claims: Mapping[str, Any], issuer: IssuerConfig) -> None:
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not all(isinstance(one, str) for one in audiences):
        raise refusal("the token has no audience")
    if issuer.audience not in audiences:
        raise refusal(f"the token is not for the audience {issuer.audience}")
    ours = [one for one in (issuer.audience, issuer.client_id) if one]
    if len(set(audiences)) > 1 and "azp" not in claims:
        raise refusal("the token has several audiences and does not say whom it was issued to")
    if "azp" in claims and claims["azp"] not in ours:
        raise refusal("the token was issued to another client")


def _check_kind(claims: Mapping[str, Any]) -> None:
    """Access tokens look alike; Keycloak says `typ`, Cognito `token_use`, RFC 9068 is seen before."""
    if "events" in claims:
        raise refusal("a logout token is not an ID token")
    if claims.get("typ", "ID") not in ("ID", "JWT") or claims.get("token_use", "id") != "id":
        raise refusal("an access token is not an ID token")


def _time(claims: Mapping[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519, section 2), in seconds."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refusal(f"the token has no time `{name}`")
    if not math.isfinite(value) or not 0 <= value <= _LATEST_S:
        raise refusal(f"the token's time `{name}` is out of range")
    return float(value)
