"""The constants of a plain text, found without a parser: so that texts which differ in nothing else meet.

Errs on the short side: a text with a quoted name, a comment, a dollar, a backslash, an escape string, a number that is
not just digits, or anything but ASCII has no key. What is found is held against PostgreSQL's own parser before
anything is concluded from it (`Guard.track_query`); the compiled module has the same scan (native/constants.pxi).
(PostgreSQL documentation, "Lexical Structure".)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

MAX_KEY_BYTES: Final = 2_048
"""Of a text that has a key."""
_PART: Final = re.compile(
    rb"""(?P<string>(?<![A-Za-z0-9_&'])'[^'\\]*'(?!'))"""
    rb"""|(?P<number>(?<![A-Za-z0-9_.])[0-9]+(?![A-Za-z0-9_.]))"""
    rb"""|(?P<rest>[^'])""",
    re.DOTALL,
)
_TEXT: Final = re.compile(rb"[\t\n\r\x20-\x7e]*\Z")
_ODD: Final = re.compile(rb'["$\\]|--|/\*')
_DIGIT: Final = re.compile(rb"(?<![A-Za-z0-9_])[0-9]|\.[0-9]")


def spans(text: bytes) -> list[tuple[int, int]] | None:
    """Where the constants are, in order; None when the text is not plain."""
    if len(text) > MAX_KEY_BYTES or not _TEXT.match(text) or _ODD.search(text):
        return None
    found = []
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            return None
        if part.lastgroup == "rest":
            if _DIGIT.match(text, position):
                return None
        else:
            found.append(part.span())
        position = part.end()
    return found


def key_of(text: bytes) -> bytes | None:
    """The text with `0` for each number and `''` for each string; None when it is not plain."""
    found = spans(text)
    if found is None:
        return None
    return _replaced(text, found, lambda number, constant: b"''" if constant[:1] == b"'" else b"0")


def numbered(text: bytes) -> bytes:
    """A plain text with `$1` ... for its constants."""
    return _replaced(text, spans(text) or [], lambda number, constant: b"$%d" % number)


def _replaced(
    text: bytes, found: list[tuple[int, int]], other: Callable[[int, bytes], bytes]
) -> bytes:
    parts: list[bytes] = []
    position = 0
    for number, (start, end) in enumerate(found, start=1):
        parts += (text[position:start], other(number, text[start:end]))
        position = end
    return b"".join([*parts, text[position:]])
