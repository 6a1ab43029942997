"""The masking key: the same value gives the same mask, and nobody without the key can guess it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from dbgate_core.errors import UsageError

MIN_KEY_BYTES: Final = 16
"""A shorter key could be searched; NIST SP 800-107 asks for the security strength, 128 bit."""


class MaskKey:
    """Holds the key; never shows it. `derive` is HMAC-SHA-256 over a label and the value.

    The label keeps classes apart, so that an equal phone and card number have different masks.
    Raises UsageError for a key under 16 bytes.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise UsageError(
                f"the masking key has {len(key)} bytes, at least {MIN_KEY_BYTES} needed"
            )
        self._key = key

    def derive(self, label: str, value: bytes) -> bytes:
        """32 pseudo-random bytes for the value."""
        return hmac.digest(self._key, label.encode() + b"\0" + value, hashlib.sha256)

    def token(self, label: str, value: bytes, digits: int = 8) -> str:
        """The first hexadecimal digits of it."""
        return self.derive(label, value).hex()[:digits]

    def number(self, label: str, value: bytes, below: int) -> int:
        """A number from 0 to `below` - 1."""
        return int.from_bytes(self.derive(label, value)[:16], "big") % below

    def __repr__(self) -> str:
        return "MaskKey(***)"
