"""Signed ID tokens: ES256, with a key that stays in the home, so that tokens outlive a restart."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from dbgate_broker.dev import files
from dbgate_broker.dev.people import AUDIENCE, CLIENT_ID, Identity
from dbgate_core.errors import UsageError
from dbgate_core.secret import Secret

ALGORITHM: Final = "ES256"
ID_TOKEN_S: Final = 3600
"""How long an ID token is good."""


class Signer:
    """The issuer's key. `url` is the `iss` of what it signs."""

    def __init__(self, url: str, key: ECKey) -> None:
        self.url = url
        self._key = key

    @classmethod
    def of(cls, url: str, key_file: Path) -> Signer:
        """With the key of a file, which is made when it is missing."""
        data = files.keep(key_file, _new_key)
        try:
            return cls(url, ECKey.import_key(json.loads(data)))
        except (ValueError, JoseError) as exc:
            raise UsageError(f"{key_file} is no key", hint="remove it") from exc

    def public_keys(self) -> dict[str, Any]:
        """The JWK set that verifies (RFC 7517, section 5)."""
        return {"keys": [self._key.as_dict(private=False)]}

    def id_token(
        self, identity: Identity, now: float, scopes: frozenset[str], **more: object
    ) -> Secret:
        """An ID token for dbgate. `now` is Unix time; `more` are claims such as the nonce."""
        issued_at = int(now)
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "azp": CLIENT_ID,
            "iat": issued_at,
            "exp": issued_at + ID_TOKEN_S,
            "auth_time": issued_at,
            "jti": secrets.token_urlsafe(16),
            **identity.claims(scopes),
            **{name: value for name, value in more.items() if value is not None},
        }
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "JWT"}
        return Secret(jwt.encode(header, claims, self._key))


def _new_key() -> bytes:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    return json.dumps(key.as_dict(private=True)).encode()
