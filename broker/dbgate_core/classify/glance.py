"""Whether a text is worth reading for what stands in it: cheap, and never wrong when it says no.

What `dbgate_core.classify.within` finds has one of these marks. Most values have none.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import Final

from dbgate_core.classify.accounts import leading_iban
from dbgate_core.classify.digits import luhn

_PREFIXES: Final = """
    AKIA ASIA ABIA ACCA ghp_ gho_ ghu_ ghs_ ghr_ github_ glpat- gldt- glrt- glptt- glsoat- xox xapp-
    sk_live_ sk_test_ rk_live_ rk_test_ whsec_ sk- AIza ya29. GOCSPX- SG. key- npm_ pypi- rubygems
    doo_v1_ dop_v1_ dor_v1_ hvs. hf_ shpat_ shpca_ shppa_ shpss_ lin_api_ sq0atp- sq0csp- EAAA dckr_pat
    NRAK- PMAK- figd_ glsa_ eyJ PuTTY- AGE-SEC
"""
_TWILIO: Final = [code + digit for code in ("SK", "AC") for digit in "0123456789abcdef"]
PREFIXES: Final = tuple(prefix.encode() for prefix in (*_PREFIXES.split(), *_TWILIO))
"""How tokens, keys of services and key files begin (`classify/keys.py`), eight bytes of each at most."""
CARD_DIGITS: Final = range(14, 20)
CARD_GROUPS: Final = 6
"""In so many groups of digits, at most, a card's number is written."""
_DIGITS: Final = re.compile(rb"(?:(?<![0-9A-Za-z])[0-9]+(?![0-9A-Za-z])[ -]?)+")
_IBAN_HEAD: Final = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}")
_MARKS: Final = re.compile(
    rb"""(?x)
      @ | ----- | :AA                         # e-mail, a password in a URL; the head of a key; Telegram's tokens
    | (?<![0-9A-Za-z])(?:%b)                  # other tokens and keys
    | [0-9]{3}-[0-9]{2}-[0-9]{4}              # US social security numbers
    | \+[1-9]                                 # phone numbers with their country
    | \\u00[2-7]                              # any of these, escaped in JSON
    """
    % b"|".join(map(re.escape, PREFIXES))
)


def worth_reading(value: bytes) -> bool:
    """May there be something in the text. Compiled: native/glance.pxi."""
    if _MARKS.search(value) is not None or any(map(_is_card_like, _DIGITS.findall(value))):
        return True
    text = value.decode("latin-1")
    return any(leading_iban(text[at.start() :]) for at in _IBAN_HEAD.finditer(text))


def _is_card_like(run: bytes) -> bool:
    """Do some groups of the run make a number of a card's length, first digit and check digit."""
    groups = run.replace(b"-", b" ").decode().split()
    for first, last in combinations(range(len(groups) + 1), 2):
        digits = "".join(groups[first:last])
        fits = last - first <= CARD_GROUPS and len(digits) in CARD_DIGITS
        if fits and digits[0] in "23456" and luhn(digits):
            return True
    return False
