"""A string that cannot be printed by accident."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

HIDDEN: Final = "***"


class Secret:
    """Holds a password, token or key; repr, str, format and equality never show it.

    `expose()` is the one way to the value, so a search for that name is the audit of its uses.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def expose(self) -> str:
        """Give the value, to hand to the library or socket that needs it."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(
            self._value.encode(), other._value.encode()
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
