"""Numbers of cards (ISO/IEC 7812) and of bank accounts (ISO 13616)."""

from __future__ import annotations

import re
from typing import Final

from dbgate_core.classify.digits import luhn

_CARD = re.compile(r"[0-9](?:[ -]?[0-9]){12,18}", re.ASCII)
_GROUPS: Final = re.compile(r"[ -]")
_ISSUERS: Final[tuple[tuple[int, int, frozenset[int]], ...]] = (
    (400000, 499999, frozenset({13, 16, 19})),  # Visa
    (222100, 272099, frozenset({16})),  # Mastercard
    (510000, 559999, frozenset({16})),
    (340000, 349999, frozenset({15})),  # American Express
    (370000, 379999, frozenset({15})),
    (300000, 305999, frozenset({14})),  # Diners Club
    (360000, 369999, frozenset({14})),
    (380000, 399999, frozenset({14})),
    (352800, 358999, frozenset({16})),  # JCB
    (601100, 601199, frozenset({16})),  # Discover
    (644000, 659999, frozenset({16})),
    (620000, 629999, frozenset({16, 17, 18, 19})),  # UnionPay
    (220000, 220499, frozenset({16})),  # Mir
    (501800, 501899, frozenset({16})),  # Maestro
    (502000, 502099, frozenset({16})),
    (503800, 503899, frozenset({16})),
    (589300, 589399, frozenset({16})),
    (630400, 630499, frozenset({16})),
    (675900, 676399, frozenset({16})),
)
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){8,30}", re.ASCII)
IBAN_LENGTHS: Final = {
    code: length
    for length, codes in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI",
        20: "AT BA EE KZ LT LU XK MN", 21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL OM SO", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
        26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for code in codes.split()
}  # fmt: skip
"""The SWIFT IBAN registry: how long a country's numbers are."""


def is_card_number(text: str) -> bool:
    """A number of an issuer's range and length, with its check digit."""
    if not _CARD.fullmatch(text):
        return False
    number = _GROUPS.sub("", text)
    first, length = int(number[:6]), len(number)
    known = any(low <= first <= high and length in sizes for low, high, sizes in _ISSUERS)
    return known and luhn(number) and len(set(number)) > 1


def leading_iban(text: str) -> int:
    """How many characters of the text are the IBAN that it begins with, single blanks in it too; 0 for none."""
    size, length = 0, IBAN_LENGTHS.get(text[:2].upper(), 0)
    for _ in range(length):
        size += text[size : size + 1] == " "
        if not (char := text[size : size + 1]).isascii() or not char.isalnum():
            return 0
        size += 1
    ends = not (text[size : size + 1].isascii() and text[size : size + 1].isalnum())
    return size if ends and is_iban(text[:size]) else 0


def is_iban(text: str) -> bool:
    """A number of its country's length that is 1 modulo 97."""
    if not _IBAN.fullmatch(text):
        return False
    plain = text.replace(" ", "").upper()
    if IBAN_LENGTHS.get(plain[:2]) != len(plain):
        return False
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1
