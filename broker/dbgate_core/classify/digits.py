"""Check digits, as their standards define them. Each takes ASCII digits alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_VERHOEFF_PRODUCT: Final = tuple(
    tuple(
        (a + b) % 5 if a < 5 and b < 5
        else (a - b) % 5 if a >= 5 and b >= 5
        else 5 + ((a + b) % 5 if a < 5 else (a - b) % 5)
        for b in range(10)
    )
    for a in range(10)
)  # fmt: skip
_VERHOEFF_STEP: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def digits(text: str) -> list[int]:
    """The digits as numbers."""
    return [ord(char) - 48 for char in text]


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1, annex B: cards, Canadian SIN, Swedish personnummer."""
    numbers = digits(text)
    odd, even = numbers[-1::-2], numbers[-2::-2]
    return (sum(odd) + sum(_DOUBLED[number] for number in even)) % 10 == 0


def weighted(text: str, weights: Sequence[int]) -> int:
    """The sum of digits, each times its weight."""
    return sum(n * w for n, w in zip(digits(text), weights, strict=False))


def verhoeff(text: str) -> bool:
    """The dihedral check of Aadhaar numbers."""
    check = 0
    for place, number in enumerate(reversed(digits(text))):
        for _ in range(place % 8):
            number = _VERHOEFF_STEP[number]
        check = _VERHOEFF_PRODUCT[check][number]
    return check == 0


def mod_11_10(text: str) -> bool:
    """ISO/IEC 7064, MOD 11,10: German tax identification numbers."""
    product = 10
    for number in digits(text[:-1]):
        total = (number + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(text[-1])


def is_date(year: int, month: int, day: int) -> bool:
    """Is there such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
