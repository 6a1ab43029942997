"""An entry as one line of canonical JSON, and what is read back of it.

Canonical: UTF-8, keys sorted by their bytes, no blanks, no escapes but the necessary ones, no line
break inside. Hashes are over the bytes as they stand in the file, so verification never encodes
anything again. msgspec, because the writer stands before every statement: it takes a tenth of
the time of the standard library's encoder, and sorts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

RESERVED: Final = frozenset({"index", "time", "kind", "prev"})
"""What the log itself says of each entry."""
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""The longest line that is written or read. A text part takes 384 KiB at most, escaped."""
MAX_TEXT_BYTES: Final = 64 * 1024
"""A longer text goes on in entries of its own, so that each line stays easy to ship and search."""

SEGMENT_OPENED: Final = "segment_opened"
LOG_RECOVERED: Final = "log_recovered"
STATEMENT_TEXT: Final = "statement_text"
OPENINGS: Final = frozenset({SEGMENT_OPENED, LOG_RECOVERED})
"""A segment's first entry is one of these, and no other entry is."""
OWN_KINDS: Final = OPENINGS | {STATEMENT_TEXT}
"""The kinds that only the log itself may write."""

_encoder: Final = msgspec.json.Encoder(order="deterministic")


class Header(msgspec.Struct, frozen=True):
    """What every line has, as far as verification needs it."""

    index: int
    kind: str
    prev: str


class Torn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes at a segment's end that are no entry: a write that a crash or a full disk cut short."""

    segment: int
    size_bytes: int
    sha256: str


class Opening(msgspec.Struct, frozen=True):
    """A segment's first entry: where the tree stood before it, and what was set aside."""

    index: int
    kind: str
    prev: str
    segment: int
    tree: list[str]
    torn: list[Torn] = []


_header: Final = msgspec.json.Decoder(Header)
_opening: Final = msgspec.json.Decoder(Opening)
_entry: Final = msgspec.json.Decoder(dict[str, Any])


encode_all: Final = _encoder.encode_lines
"""Lines of a list of entries, each with its line break. Raises as `encode`, and costs no call of it."""


def encode(entry: Mapping[str, object]) -> bytes:
    """One line, with its line break. Raises ValueError or TypeError for what is no JSON value."""
    return encode_all([entry])


encoded: Final = _encoder.encode
"""A value's bytes, as they stand in a line. Raises ValueError or TypeError for what is no JSON value."""


def fragment(value: object) -> msgspec.Raw:
    """A value encoded once that stands in many entries: they get the bytes that it would get there.

    Raises ValueError or TypeError for what is no JSON value.
    """
    return msgspec.Raw(_encoder.encode(value))


def header(line: bytes) -> Header:
    """Read what every line has. Raises ValueError when it is no entry."""
    return _header.decode(line)


def opening(line: bytes) -> Opening:
    """Read a segment's first line. Raises ValueError when it is none."""
    return _opening.decode(line)


def entry(line: bytes) -> dict[str, Any]:
    """Read a whole entry. Raises ValueError when it is no JSON object."""
    return _entry.decode(line)


def text_parts(text: str) -> Iterator[str]:
    """The text in parts of at most MAX_TEXT_BYTES of UTF-8 that give it back when joined."""
    data = text.encode()
    start = 0
    while start < len(data):
        end = min(start + MAX_TEXT_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # not inside a character
            end -= 1
        yield data[start:end].decode()
        start = end
