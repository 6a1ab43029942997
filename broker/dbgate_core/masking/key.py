"""The masking key: the same value gives the same mask, and nobody without the key can guess it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from dbgate_core.errors import UsageError
from dbgate_core.masking.siphash import KEY_BYTES
from dbgate_core.native import siphash

MIN_KEY_BYTES: Final = 16
"""A shorter key could be searched; NIST SP 800-107 asks for the security strength, 128 bit."""


class MaskKey:
    """Holds the key; never shows it. `derive` is SipHash-2-4-128 with a key for each label.

    The label keeps classes apart, so that an equal phone and card number have different masks; its
    key is HMAC-SHA-256 of it, cut to 128 bits. Raises UsageError for a key under 16 bytes.
    """

    __slots__ = ("_key", "_subkeys")

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise UsageError(
                f"the masking key has {len(key)} bytes, at least {MIN_KEY_BYTES} needed"
            )
        self._key = key
        self._subkeys: dict[str, bytes] = {}

    def subkey(self, label: str) -> bytes:
        """The key of a label, 16 bytes; as secret as the key itself."""
        found = self._subkeys.get(label)
        if found is None:
            found = hmac.digest(self._key, label.encode(), hashlib.sha256)[:KEY_BYTES]
            self._subkeys[label] = found
        return found

    def derive(self, label: str, value: bytes) -> bytes:
        """16 pseudo-random bytes for the value."""
        return siphash(self.subkey(label), value)

    def token(self, label: str, value: bytes, digits: int = 8) -> str:
        """The first hexadecimal digits of it."""
        return self.derive(label, value).hex()[:digits]

    def number(self, label: str, value: bytes, below: int) -> int:
        """A number from 0 to `below` - 1."""
        return int.from_bytes(self.derive(label, value), "big") % below

    def __repr__(self) -> str:
        return "MaskKey(***)"
