"""Masks that say what they do, so that dbgate_core.native can do it without a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ValueMask = Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Described:
    """A mask with its description; the function is the reference.

    `kind` names the form: a data class that has one, `token` for all others, `number`,
    `tailed_number`, `year`, `date`, `first_of_year`, `uuid`. `bound` is the most characters of a text, -1 without limit, and one more than
    the highest number. `key` is the class's key, `mark` stands before each token.
    """

    function: ValueMask
    kind: str
    key: bytes
    bound: int = -1
    mark: bytes = b""

    def __call__(self, value: bytes) -> bytes | None:
        """The masked value."""
        return self.function(value)
