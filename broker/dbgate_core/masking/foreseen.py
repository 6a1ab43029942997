"""What is found of a long text is remembered for as long as it takes from judging it to its end.

A long text is judged on another thread. What beginning, masking and ending its statement ask of it is
looked for there, too, and found again here: or everybody would wait while it is parsed once more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, TypeVar, TypeVarTuple

LONG_CHARS: Final = 2_048
"""A longer text is judged aside when it is new: it can take 20 us a character, a megabyte seconds."""
MAX_FORESEEN: Final = 16
"""Long texts at a time of which something is remembered; each may be a megabyte."""

Rest = TypeVarTuple("Rest")
Found = TypeVar("Found")


def foreseen(find: Callable[[str, *Rest], Found]) -> Callable[[str, *Rest], Found]:
    """Remembers what a pure function finds of long texts; its other arguments are hashable."""
    long = lru_cache(maxsize=MAX_FORESEEN)(find)

    @wraps(find)
    def found(text: str, *rest: *Rest) -> Found:
        return long(text, *rest) if len(text) > LONG_CHARS else find(text, *rest)

    return found
