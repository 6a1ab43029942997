"""A block of the search index: entries of one segment that follow each other, and what is found of them.

Entries are found by bits, one for each entry, the first entry's lowest. A block keeps the length of
each line, so that an entry is read from the log itself, and each text once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

ENTRIES: Final = 2000
"""A block is kept at this many: bits of a term then take 250 bytes, and a look into it 1 ms."""
BYTES: Final = 4 * 1024 * 1024
"""Or when its lines are this long together: as much is in memory while it grows."""
NO_TEXT: Final = -1
_LEVEL: Final = 1
"""Of zlib: lengths and texts repeat so much that the fastest one is the best."""
_T = TypeVar("_T")


class Lines(msgspec.Struct, array_like=True):
    """Where a block's lines are, and which of them end a statement that began so many entries before."""

    lengths: list[int] = []
    ends: list[int] = []
    distances: list[int] = []


class Texts(msgspec.Struct, array_like=True):
    """Each text once, case folded, and the number of each entry's.

    A text in parts is not here: `parted` names the entry at which it begins in the log.
    """

    texts: list[str] = []
    numbers: list[int] = []
    parted: dict[int, int] = {}

    def having(self, needle: str) -> int:
        """The bits of the entries whose text has the needle in it, apart from texts in parts."""
        found = {number for number, text in enumerate(self.texts) if needle in text}
        if not found:
            return 0
        return bits(at for at, number in enumerate(self.numbers) if number in found)


class Block:
    """A block that grows. Its entries begin at `offset` of a segment with entry `first`."""

    def __init__(self, segment: int, offset: int) -> None:
        self.segment = segment
        self.offset = offset
        self.size_bytes = 0
        self.first = 0
        self.times: list[datetime] = []
        self.lines = Lines()
        self.texts = Texts()
        self._numbers: dict[str, int] = {}
        self._having: dict[frozenset[str], list[int]] = {}

    def __len__(self) -> int:
        return len(self.times)

    @property
    def full(self) -> bool:
        """Whether it is to be kept, and another begun."""
        return len(self.times) >= ENTRIES or self.size_bytes >= BYTES

    @property
    def end(self) -> int:
        """The offset after its last line."""
        return self.offset + self.size_bytes

    def add(
        self, index: int, length: int, time: datetime, found: frozenset[str], text: str | None
    ) -> int:
        """Add the next entry with its terms and its text, folded; its place.

        Raises ValueError for one out of order.
        """
        at = len(self.times)
        if at == 0:
            self.first = index
        elif index != self.first + at:
            raise ValueError(f"entry {index} stands where entry {self.first + at} must")
        having = self._having.get(found)
        if having is None:
            having = self._having[found] = []
        having.append(at)
        self.times.append(time)
        self.lines.lengths.append(length)
        self.texts.numbers.append(NO_TEXT if text is None else self._number(text))
        self.size_bytes += length
        return at

    def _number(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self._numbers)
            self.texts.texts.append(text)
        return number

    def postings(self) -> Iterator[tuple[str, int]]:
        """Each term with the bits of the entries that have it."""
        found: dict[str, int] = {}
        for terms, places in self._having.items():
            having = bits(places)
            for term in terms:
                found[term] = found.get(term, 0) | having
        return iter(found.items())


def bits(places: Iterable[int]) -> int:
    """The number that has these bits."""
    held = bytearray(ENTRIES // 8 + 1)
    for at in places:
        held[at >> 3] |= 1 << (at & 7)
    return int.from_bytes(held, "little")


def places(found: int) -> Iterator[int]:
    """The bits that a number has, lowest first."""
    while found:
        lowest = found & -found
        yield lowest.bit_length() - 1
        found ^= lowest


def pack_bits(found: int) -> bytes:
    """Two bytes say how many empty bytes come first; those of a session are close together."""
    held = found.to_bytes((found.bit_length() + 7) // 8, "little")
    rest = held.lstrip(b"\0")
    return (len(held) - len(rest)).to_bytes(2, "big") + rest


def unpack_bits(packed: bytes) -> int:
    """The bits again."""
    return int.from_bytes(packed[2:], "little") << 8 * int.from_bytes(packed[:2], "big")


def pack(value: Lines | Texts) -> bytes:
    """As it stands in the index."""
    return zlib.compress(msgspec.msgpack.encode(value), _LEVEL)


def unpack(packed: bytes, kind: type[_T]) -> _T:
    """The value again. Raises ValueError, zlib.error when it is damaged."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=kind)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, as the index keeps times."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
