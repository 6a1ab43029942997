"""Synthetic people: every protected value is unique, and made so that its parts are found again.

A *core* is the part of a value that no mask may show. Cores of letters use none of a to f, so that
no hexadecimal mask looks like one; birth dates lie before 1940, where no masked date does.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

PEOPLE: Final = 6
LETTERS: Final = "ghjklmnpqrstvwxz"
CORE_LETTERS: Final = 14
CORE_DIGITS: Final = 14


@dataclass
class Cores:
    """What must never be seen, by how it is sought."""

    letters: list[str] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)
    exact: list[bytes] = field(default_factory=list)
    """Bytes as they stand: binary numbers, dates, addresses."""


class Population:
    """The rows of `people`, `formats` and others, as SQL; `cores` is what is protected in them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.cores = Cores()
        self.sql = [statement for n in range(1, PEOPLE + 1) for statement in self._person(n)]

    def _letters(self) -> str:
        core = "".join(self._random.choices(LETTERS, k=CORE_LETTERS))
        self.cores.letters.append(core)
        return core

    def _digits(self, count: int = CORE_DIGITS) -> str:
        core = "5" + "".join(self._random.choices("0123456789", k=count - 1))
        self.cores.digits.append(core)
        self.cores.exact += _binary(int(core))
        return core

    def _date(self) -> str:
        """A day of its own, 1900 to 1939: the binary form counts from 2000."""
        days = self._random.randrange(-36_000, -22_500)
        self.cores.exact.append(days.to_bytes(4, "big", signed=True))
        text = _day(days)
        self.cores.exact.append(text.encode())
        return text

    def _uuid(self) -> str:
        text = "".join(self._random.choices("0123456789abcdef", k=32))
        text = f"{text[:8]}-{text[8:12]}-4{text[13:16]}-9{text[17:20]}-{text[20:]}"
        self.cores.exact += [text.encode(), bytes.fromhex(text.replace("-", ""))]
        self.cores.exact.append(text[:8].encode())
        return text

    def _address(self) -> str:
        parts = [self._random.randrange(100, 223), *self._random.choices(range(100, 256), k=3)]
        text = ".".join(map(str, parts))
        self.cores.exact += [text.encode(), bytes(parts)]
        return text

    def _mac(self) -> str:
        raw = bytes([0x5C, *self._random.choices(range(256), k=5)])
        self.cores.exact += [raw.hex(":").encode(), raw]
        return raw.hex(":")

    def _person(self, n: int) -> list[str]:
        t, d = self._letters, self._digits
        place = f"ROW('{t()} street', '{t()}', {n})::place"
        places = (
            f"ARRAY[ROW('{t()} road', '{t()}', {n})::place, NULL, ROW(NULL, '{t()}', 1)::place]"
        )
        person = f"""{n}, '{t()}@example.org', '+44 {d()}0000', {self._digits()},
            '{t()}', '{t()}', '{n} {t()} street', '{self._date()}', '{d()}',
            {d()}0000, 'DE{d(18)}0000', '{t()}', '{self._uuid()}', '{self._address()}',
            '{{"street": "{t()}", "mail": "{t()}@example.org"}}',
            ARRAY['{t()}@a.example', NULL, 'q"{t()}\\,x'], ARRAY[{self._digits()}, NULL],
            '{t()}@b.example', ARRAY['{t()}@c.example']::contact_email[], '{t()}'::bytea,
            {place}, {places},
            'Paris {n % 2}', 'fine', true, {n}, '2024-05-0{n} 12:00:00+00', {n}.5, ARRAY['a', 'b']"""
        return [
            f"INSERT INTO people VALUES ({person})",
            f"INSERT INTO formats VALUES ({self._formats(n)})",
            f"INSERT INTO email VALUES ({n}, '{t()}@table.example')",
            f"INSERT INTO clients VALUES ({n}, '{t()} {t()}')",
            f"INSERT INTO products VALUES ({n}, 'lamp {n}', {n}.25, '2024-01-0{n}', '{{x,y}}')",
            f"INSERT INTO orders VALUES ({n}, {n}, {1 + n % 2}, {n * 10})",
        ]

    def _formats(self, n: int) -> str:
        t, d, day = self._letters, self._digits, self._date
        low, high = sorted((d(), d()), key=int)
        first, last = sorted((day(), day()))
        return f"""{n}, hstore('mail', '{t()}') || hstore('{t()}', 'x'), '<a b="{t()}">{t()}</a>',
            '{{"{t()}": ["{t()}", {d()}]}}', '[{low},{high})', '{{[{low},{high})}}',
            '[{first},{last})', ARRAY['{day()}', NULL]::date[], '{day()} 10:11:12+00', '{day()} 10:11:12',
            ARRAY[{d()}, {d()}.25], B'{int(d()):b}', '{self._address()}/32', '{self._mac()}',
            ARRAY['{self._address()}', NULL]::inet[], ARRAY['{self._uuid()}']::uuid[],
            ARRAY['z', 'q']::"char"[], '{t()}', ARRAY[{d()}0000], ARRAY[['{t()}', '{t()}'], ['{t()}', NULL]],
            ARRAY['{t()}'::bytea, NULL], ARRAY['{{"a": "{t()}"}}'::jsonb], ARRAY['{t()}']::citext[],
            '{t()}:1 {t()}:2', point({d()}, {d()}), {d()}, ARRAY[hstore('k', '{t()}')], 'kind {n}'"""


def _binary(number: int) -> list[bytes]:
    """A bigint, a float8, and a numeric's last digits to base 10,000."""
    pairs = [number // 10_000**n % 10_000 for n in (2, 1, 0)]
    numeric = b"".join(pair.to_bytes(2, "big") for pair in pairs)
    return [
        *([number.to_bytes(8, "big")] if number < 1 << 63 else []),
        struct.pack("!d", number),
        numeric,
    ]


def _day(days: int) -> str:
    return (date(2000, 1, 1) + timedelta(days=days)).isoformat()
