"""Whether bytes hold a protected value: in clear, any case, reversed, hexadecimal, base64, split.

The bytes are turned, not the values: what was encoded is decoded, what stands apart is put
together, and then every run of a core's letters or digits is looked up in one set.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.leaks.people import Cores

LETTERS_RUN: Final = 6
DIGITS_RUN: Final = 10
"""So long a part of a core is a leak. Shorter ones would be found by chance."""
EXACT_BYTES: Final = 4
_LETTERS = re.compile(rb"[g-z]{6,}")
_DIGITS = re.compile(rb"[0-9]{10,}")
_HEX = re.compile(rb"[0-9a-f]{12,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}")
_NO_LETTER = re.compile(rb"[^g-z]")
_NO_DIGIT = re.compile(rb"[^0-9]")


class Traces:
    """The cores, ready to be sought."""

    def __init__(self, cores: Cores) -> None:
        self._runs = {
            run.encode()
            for core, size in (
                *((core, LETTERS_RUN) for core in cores.letters),
                *((core, DIGITS_RUN) for core in cores.digits),
            )
            for text in (core, core[::-1])
            for run in _windows(text, size)
        }
        self._exact = [needle for core in cores.exact for needle in (core, core.hex().encode())]

    def found(self, data: bytes, values: Sequence[bytes] = ()) -> str:
        """The first trace, with how it stood there; "" when there is none.

        `values` are the values of rows, one after the other: put together they may make a whole.
        """
        for how, turned in _turned(data, values):
            for needle in self._exact:
                if needle in turned:
                    return f"{needle!r} {how}"
            for pattern, size in ((_LETTERS, LETTERS_RUN), (_DIGITS, DIGITS_RUN)):
                for found in pattern.findall(turned.lower()):
                    for at in range(len(found) - size + 1):
                        if found[at : at + size] in self._runs:
                            return f"{found[at : at + size].decode()} {how}"
        return ""


def _windows(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(len(text) - size + 1))


def _turned(data: bytes, values: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    lowered = data.lower()
    yield "in clear", data
    yield "with NULs between", lowered.replace(b"\0", b"")
    whole = b"".join(values).lower()
    yield "split, its letters", _NO_LETTER.sub(b"", whole)
    yield "split, its digits", _NO_DIGIT.sub(b"", whole)
    for found in _HEX.findall(lowered):
        for start in (0, 1):
            even = found[start:]
            yield "in hexadecimal", bytes.fromhex(even[: len(even) // 2 * 2].decode())
    for found in _BASE64.findall(data.replace(b"\n", b"")):
        for start in range(4):
            part = found[start:]
            yield "in base64", base64.b64decode(part[: len(part) // 4 * 4])
