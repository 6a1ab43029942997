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

MAX_VERSION: Final = 999
"""So that a mark has five characters at most."""


class MaskKey:
    """Holds the key; never shows it. `derive` is SipHash-2-4-128 with a key for each label.

    The label keeps classes apart, so that an equal phone and card number have different masks; its
    key is HMAC-SHA-256 of it, cut to 128 bits. `version` counts the keys of a deployment from 1, and
    `mark` stands before the tokens of all but the first (`v2.`): who reads tokens knows by it which
    can be compared. Raises UsageError for a key under 16 bytes, or a version above 999.
    """

    __slots__ = ("_key", "_subkeys", "mark", "version")

    def __init__(self, key: bytes, version: int = 1) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise UsageError(
                f"the masking key has {len(key)} bytes, at least {MIN_KEY_BYTES} needed"
            )
        if not 1 <= version <= MAX_VERSION:
            raise UsageError(f"a masking key of version {version}: 1 to {MAX_VERSION} there are")
        self._key = key
        self.version: Final = version
        self.mark: Final = f"v{version}." if version > 1 else ""
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
        """The first hexadecimal digits of it, behind the mark."""
        return self.mark + self.derive(label, value).hex()[:digits]

    def number(self, label: str, value: bytes, below: int) -> int:
        """A number from 0 to `below` - 1."""
        return int.from_bytes(self.derive(label, value), "big") % below

    def __repr__(self) -> str:
        return "MaskKey(***)"
