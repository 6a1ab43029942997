"""The signature of our webhook: the symmetric scheme of the Standard Webhooks specification (1.0).

A receiver checks it with any library of that name: HMAC-SHA256 over `id.timestamp.body`, so that
neither can be changed, and an old one not be sent again.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from binascii import Error
from typing import Final

from dbgate_core.secret import Secret

PREFIX: Final = "whsec_"
KEY_BYTES: Final = 32
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64
"""Both from the specification."""


def new_key() -> str:
    """A key, as it is written down."""
    return PREFIX + b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_of(text: str) -> Secret:
    """A key that was written down. Raises ValueError, without quoting it."""
    try:
        key = b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (Error, ValueError):
        raise ValueError("is not base64") from None
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"does not hold {LEAST_BYTES} to {MOST_BYTES} bytes")
    return Secret(b64encode(key).decode())


def signed(key: Secret, id: str, timestamp_s: int, body: bytes) -> list[tuple[str, str]]:
    """The three headers."""
    message = f"{id}.{timestamp_s}.".encode() + body
    digest = hmac.digest(b64decode(key.expose()), message, "sha256")
    return [
        ("webhook-id", id),
        ("webhook-timestamp", str(timestamp_s)),
        ("webhook-signature", f"v1,{b64encode(digest).decode()}"),
    ]
