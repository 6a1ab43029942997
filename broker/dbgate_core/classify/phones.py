"""Telephone numbers, by Google's numbering plans (the phonenumbers library)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

WITH_TRUNK: Final = (
    "GB", "DE", "FR", "NL", "BE", "CH", "AT", "SE", "FI", "IE", "JP", "KR", "AU", "NZ", "ZA", "TR",
)  # fmt: skip
"""Where a number is written with the 0 that it is dialled with."""
WITHOUT_TRUNK: Final = (
    "US",
    "ES",
    "IT",
    "DK",
    "NO",
    "PL",
    "PT",
    "CZ",
    "BR",
    "MX",
    "AR",
    "IN",
    "CN",
)
"""Where it is not. In either case the library takes it both ways, and so would take part numbers."""
_INTERNATIONAL: Final = re.compile(
    r"(?:tel:)?(?:\+|00)[1-9][0-9 ()./-]{6,20}(?:(?:x|ext\.? ?)[0-9]{1,6})?"
)
_PUNCTUATED: Final = re.compile(
    r"\(?0?[0-9]{2,5}\)?[ ./-]{1,3}[0-9]{2,4}(?:[ ./-]?[0-9]{2,4}){1,4}(?:(?: ?x|ext\.? ?)[0-9]{1,6})?"
)
_TRUNK: Final = re.compile(r"0[1-9][0-9]{7,10}")
MIN_NATIONAL: Final = 5
"""Fewer may fit one of so many plans by chance."""
MIN_BARE: Final = 20
"""So many bare digits must be somebody's numbers before they are taken for such."""


def is_phone(text: str) -> bool:
    """A number in international writing that its plan knows."""
    return bool(_INTERNATIONAL.fullmatch(text)) and _valid(_plus(text), None)


def leading(text: str) -> int:
    """How many characters of a text are the number in international writing that it begins with; 0 for none."""
    import phonenumbers

    found = next(iter(phonenumbers.PhoneNumberMatcher(text, None)), None)
    return found.end if found is not None and found.start == 0 else 0


def share_national(values: Sequence[str]) -> float:
    """The share of values that the plan of one country knows as it writes them there.

    Punctuation, or the 0 of a trunk call, must show that they are no other numbers. Digits alone
    count where there are many, and no small part of any plan holds them all, as a counter's would.
    """
    if len(values) < MIN_NATIONAL:
        return 0.0
    shown = [v for v in values if _PUNCTUATED.fullmatch(v) or _TRUNK.fullmatch(v)]
    if len(shown) < 0.5 * len(values):
        if len(values) < MIN_BARE or not all(v.isdigit() and len(v) == 10 for v in values):
            return 0.0
        if len({value[:3] for value in values}) < len(values) / 5:
            return 0.0
        shown = list(values)
    trunk = [value for value in shown if value.lstrip("(").startswith("0")]
    best = [sum(_valid(value, region) for value in trunk) for region in WITH_TRUNK]
    best += [sum(_valid(value, region) for value in shown) for region in WITHOUT_TRUNK]
    return max(best) / len(values)


def _plus(text: str) -> str:
    text = text.removeprefix("tel:")
    return "+" + text[2:] if text.startswith("00") else text


def _valid(text: str, region: str | None) -> bool:
    """The library is imported when first needed: it takes a tenth of a second."""
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False
