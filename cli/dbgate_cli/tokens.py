"""What the command line reads in an ID token: its claims, unverified.

The broker verifies the signature at every request. Here the claims are checked as OpenID Connect
Core 1.0, section 3.1.3.7 asks of a client that got the token directly from the token endpoint
over TLS (which may take the place of the signature, same section, point 6).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Final

from dbgate_core.errors import NotSignedIn
from dbgate_core.secret import Secret

LEEWAY_S: Final = 60
"""How far the issuer's clock and ours may differ."""
MAX_TIME_S: Final = 1e11
"""No date beyond the year 5000 is one: NaN, infinity and huge numbers neither compare nor convert."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}")
"""What may stand in an Authorization header (RFC 6750, section 2.1), with a bound."""

Claims = Mapping[str, object]


def bearer(text: str, where: str) -> Secret:
    """A token that may be sent. Raises NotSignedIn, naming `where`, for anything else."""
    if not _TOKEN.fullmatch(text):
        raise NotSignedIn(
            f"{where} holds no token", hint="dbgate login, or give the job its OIDC token"
        )
    return Secret(text)


def claims(token: Secret) -> Claims:
    """The claims of a JWT, not verified; empty for what is no JWT."""
    parts = token.expose().split(".")
    if len(parts) != 3:
        return {}
    try:
        value = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def expires_at(token: Secret) -> float:
    """The `exp` claim, in seconds since the epoch; 0 when there is none."""
    return _seconds(claims(token).get("exp")) or 0.0


def check(token: Secret, *, issuer: str, client_id: str, nonce: str | None, now: float) -> Claims:
    """Check the claims of a fresh ID token; give them. Raises NotSignedIn for the first wrong one.

    1. `iss` is the issuer.  2. `aud` holds the client.  3. `azp`, when there, is the client, and
    is there when `aud` holds others.  4. `exp` is not past, `iat` not in the future.
    5. `nonce` is the one that was sent (None after a refresh or the device flow, which send none).
    """
    found = claims(token)
    audience = found.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    azp = found.get("azp")
    issued = _seconds(found.get("iat"))
    problem = ""
    if found.get("iss") != issuer:
        problem = f"it was issued by {found.get('iss')!r}, not by {issuer!r}"
    elif client_id not in audiences:
        problem = f"it is not for this client ({client_id!r})"
    elif (azp is not None and azp != client_id) or (azp is None and len(audiences) > 1):
        problem = "it was issued to another client"
    elif expires_at(token) + LEEWAY_S < now:
        problem = "it has expired"
    elif issued is None or issued - LEEWAY_S > now:
        problem = "it was issued in the future: is the clock right?"
    elif nonce is not None and found.get("nonce") != nonce:
        problem = "its nonce is not the one that was sent"
    if problem:
        raise NotSignedIn(
            f"the issuer's ID token is not acceptable: {problem}", hint="dbgate login"
        )
    return found


def _seconds(value: object) -> float | None:
    """A NumericDate (RFC 7519, section 2) that can be one: finite, and no boolean."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < MAX_TIME_S else None


def display_name(found: Claims) -> str:
    """The name to greet with: the user name, else the address, else the subject."""
    for key in ("preferred_username", "email", "sub"):
        value = found.get(key)
        if isinstance(value, str) and value:
            return value
    return "?"
