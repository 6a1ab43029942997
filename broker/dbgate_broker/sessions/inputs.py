"""Bounds of what people type into sessions and requests; it is stored and recorded as it is."""

from __future__ import annotations

from typing import Final

from dbgate_core.errors import UsageError

MAX_REASON: Final = 1_000
MAX_COMMENT: Final = 1_000
MAX_CLIENT: Final = 200
MAX_NAME: Final = 200
"""Of a database, an access role, an agent: the columns of the store."""


def hold_seconds(wanted_s: int, longest_s: int) -> int:
    """How long a session's statements wait for an approval. Raises UsageError."""
    if not 0 <= wanted_s <= longest_s:
        raise UsageError(
            f"a statement waits 0 s to {longest_s} s for its approval", hint="--hold 10m"
        )
    return wanted_s


def bounded(text: str, limit: int, what: str) -> str:
    """The text without outer blanks. Raises UsageError when it is too long or holds a NUL."""
    text = text.strip()
    if len(text) > limit:
        raise UsageError(f"{what} is longer than {limit} characters")
    if any(ch == "\0" or "\ud800" <= ch <= "\udfff" for ch in text):
        raise UsageError(f"{what} holds a character that cannot be stored")
    return text


def required(text: str, limit: int, what: str, hint: str) -> str:
    """The same; it may not be empty."""
    text = bounded(text, limit, what)
    if not text:
        raise UsageError(f"{what} is missing", hint=hint)
    return text
