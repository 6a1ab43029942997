"""Numbers that pass their own checks and belong to nobody: cards, accounts, ids, phones."""

from __future__ import annotations

import random
from typing import Final

CARD_PREFIXES: Final = ("424242", "411111", "555555", "222300", "601111")
"""Of the card schemes' published test numbers; no bank issues in them."""
BANKS: Final = {
    "GB": "DBGT000000",
    "DE": "00000000",
    "NL": "DBGT",
    "FR": "0000000000",
    "IE": "DBGT000000",
}
"""A bank code a country that no bank has, and how many digits of an account follow it."""
ACCOUNT_DIGITS: Final = {"GB": 8, "DE": 10, "NL": 10, "FR": 13, "IE": 8}


def luhn_digit(digits: str) -> str:
    """The check digit that follows `digits` (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def card_number(dice: random.Random) -> str:
    """16 digits of a test range, the last one their check digit."""
    digits = dice.choice(CARD_PREFIXES) + _digits(dice, 9)
    return digits + luhn_digit(digits)


def iban(dice: random.Random) -> str:
    """An account number with a right checksum (ISO 13616, mod 97) at a bank that is none."""
    country = dice.choice(sorted(BANKS))
    account = BANKS[country] + _digits(dice, ACCOUNT_DIGITS[country])
    check = 98 - _remainder(account + country + "00")
    return f"{country}{check:02d}{account}"


def _remainder(text: str) -> int:
    """The number that ISO 13616 makes of letters and digits, modulo 97."""
    return int("".join(str(int(char, 36)) for char in text)) % 97


def national_id(dice: random.Random, country: str) -> str:
    """An identity number in the country's form, from what is never issued where there is such."""
    if country == "United States":
        return (
            f"{dice.randint(1, 665):03d}-00-{dice.randint(1, 9999):04d}"  # group 00 is never issued
        )
    if country == "United Kingdom":
        return f"QQ {_digits(dice, 2)} {_digits(dice, 2)} {_digits(dice, 2)} C"  # HMRC's example prefix
    return f"X{_digits(dice, 8)}"


def phone(dice: random.Random, country: str) -> str:
    """A number from the ranges that regulators keep for drama."""
    if country == "United States":
        return f"+1 {dice.randint(201, 989)} 555 01{_digits(dice, 2)}"
    if country == "United Kingdom":
        return f"+44 20 7946 0{_digits(dice, 3)}"
    return f"+353 20 91{_digits(dice, 1)} {_digits(dice, 4)}"


def address_of_documentation(dice: random.Random) -> str:
    """An IPv4 address of the documentation blocks (RFC 5737)."""
    return f"{dice.choice(('192.0.2', '198.51.100', '203.0.113'))}.{dice.randint(1, 254)}"


def _digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choices("0123456789", k=count))
