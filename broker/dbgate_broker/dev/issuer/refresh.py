"""Refresh tokens: each is good once, and its reuse ends all that came of the same login.

(RFC 9700, section 4.14.2: rotation.) Only hashes are kept, in a file, so that people stay signed in
over a restart.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from dbgate_broker.dev import files

LIFE_S: Final = 30 * 86400.0
MAX_FAMILIES: Final = 500
MAX_SPENT: Final = 64
"""Spent tokens remembered a family; an older one is unknown, and refused as such."""


@dataclass(slots=True)
class Family:
    """What one login may refresh. `current` and `spent` are SHA-256, in hex."""

    person: str
    scopes: list[str]
    expires_at: float
    current: str
    spent: list[str] = field(default_factory=list)


class RefreshTokens:
    """All families of a home. Times are Unix seconds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._families: dict[str, Family] = _read(file)

    def begin(self, family: str, person: str, scopes: frozenset[str], now: float) -> str:
        """The first token of a login."""
        token = secrets.token_urlsafe(32)
        while len(self._families) >= MAX_FAMILIES:
            del self._families[next(iter(self._families))]
        self._families[family] = Family(person, sorted(scopes), now + LIFE_S, _hash(token))
        self._save()
        return token

    def rotate(self, token: str, now: float) -> tuple[str, Family] | None:
        """Trade a token for the next one. None: unknown, expired or reused.

        Reuse means that two hold it, and nobody knows who is the thief: the family ends.
        """
        digest = _hash(token)
        for name, family in list(self._families.items()):
            if digest in family.spent or (digest == family.current and now >= family.expires_at):
                self.revoke_family(name)
                return None
            if digest == family.current:
                fresh = secrets.token_urlsafe(32)
                family.spent = [*family.spent, digest][-MAX_SPENT:]
                family.current = _hash(fresh)
                self._save()
                return fresh, family
        return None

    def revoke(self, token: str) -> None:
        """End the family of a token (RFC 7009); an unknown one is no error."""
        digest = _hash(token)
        for name, family in list(self._families.items()):
            if digest == family.current or digest in family.spent:
                self.revoke_family(name)

    def revoke_family(self, name: str) -> None:
        """End a family."""
        if self._families.pop(name, None) is not None:
            self._save()

    def _save(self) -> None:
        data = {name: asdict(family) for name, family in self._families.items()}
        files.write(self._file, json.dumps(data).encode())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _read(file: Path) -> dict[str, Family]:
    """What a file holds; one that cannot be read holds nothing: people sign in again."""
    try:
        return {name: Family(**family) for name, family in json.loads(file.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
