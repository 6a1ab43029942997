"""Bounds on policy text, checked before Cedar sees it.

Cedar's parser descends by recursion on the native stack: at about a thousand nested brackets the
process is gone, without an exception; long chains of attributes take memory with their square.
A broker must survive what somebody saved by mistake, so depth and size are counted first. This
reads brackets, strings and comments, nothing else; what a policy means is Cedar's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dbgate_core.errors import UsageError

MAX_FILES: Final = 200
MAX_FILE_CHARS: Final = 262_144
MAX_POLICIES: Final = 1_000
"""A decision costs about 3 us a policy that can match; a thousand already cost 3 ms."""
MAX_DEPTH: Final = 64
"""Cedar's own JSON form takes about as much."""
MAX_POLICY_CHARS: Final = 4_096
"""Of one policy, without its strings, comments and blanks."""
MAX_DOTS: Final = 200
"""Of one policy; several hundred attributes in a chain take gigabytes to parse."""

_OPEN: Final = "([{"
_CLOSE: Final = ")]}"


def demand_bounded(text: str) -> None:
    """Raise UsageError when the text of one file is too large, or one policy too large or deep."""
    if len(text) > MAX_FILE_CHARS:
        raise UsageError(f"longer than {MAX_FILE_CHARS} characters")
    depth = size = dots = 0
    for _, char in code(text):
        if char == ";":
            depth = size = dots = 0
            continue
        size += 1
        dots += char == "."
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth > MAX_DEPTH:
            raise UsageError(f"brackets are nested more than {MAX_DEPTH} deep")
        if size > MAX_POLICY_CHARS or dots > MAX_DOTS:
            raise UsageError("one policy is too long: split it into several")


def pieces(text: str) -> list[tuple[int, str]]:
    """Each policy of a text, with the line that it begins on: what ends with a semicolon, and the rest."""
    found: list[tuple[int, str]] = []
    start = -1
    for position, char in code(text):
        start = position if start < 0 else start
        if char == ";":
            found.append((text.count("\n", 0, start) + 1, text[start : position + 1]))
            start = -1
    if start >= 0:
        found.append((text.count("\n", 0, start) + 1, text[start:]))
    return found


def code(text: str) -> Iterator[tuple[int, str]]:
    """The characters outside of strings, comments and blanks, with their places."""
    position, end = 0, len(text)
    while position < end:
        char = text[position]
        if char == '"':
            position = _string_end(text, position + 1)
            continue
        if text.startswith("//", position):
            newline = text.find("\n", position)
            position = end if newline < 0 else newline
            continue
        if not char.isspace():
            yield position, char
        position += 1


def _string_end(text: str, position: int) -> int:
    """The position behind the string's closing quote, or the text's end."""
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text[position] == '"':
            return position + 1
        else:
            position += 1
    return position
