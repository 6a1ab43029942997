"""What stands within a text: addresses, numbers and keys that validators are sure of, and where.

The backstop for texts that no class covers, such as notes. Names, streets and national writings of
phone numbers are not among them: within a text nothing is sure of those.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from dbgate_core.classify import keys, phones
from dbgate_core.classify.accounts import is_card_number, leading_iban
from dbgate_core.classify.glance import CARD_DIGITS, CARD_GROUPS
from dbgate_core.classify.national_ids import social_security_us
from dbgate_core.masking.classes import DataClass
from dbgate_core.native import worth_reading

_KEY_FILE: Final = re.compile(
    r"-----BEGIN ([A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?)-----(?s:.*?)(?:-----END \1-----|\Z)"
    r"|PuTTY-User-Key-File-\d(?s:.*)|AGE-SECRET-KEY-1[A-Z0-9]{40,}"
)
_URL_PASSWORD: Final = re.compile(r"://[^\s/:@]{0,100}:([^\s/@]{1,200})@[^\s/]")
_LOCAL: Final = re.compile(r"[\w%+-][\w.%+'-]{0,63}\Z")
"""Nothing that arrays, rows or documents are written with: what is put in its place harms none of them."""
_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,30}[^\W\d_]{2,24}(?!\w)")
_MAX_LOCAL: Final = 64
_IBAN_HEAD: Final = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}")
_MAX_IBAN: Final = 80
"""Characters, with as many blanks and one behind it."""
_GROUPS: Final = re.compile(r"(?:(?<![0-9A-Za-z])[0-9]+(?![0-9A-Za-z])[ -]?)+")
_GROUP: Final = re.compile(r"[0-9]+")
_SSN: Final = re.compile(r"(?<![0-9-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9-])")
_PLUS: Final = re.compile(r"\+[1-9][0-9 ()./-]{6,24}")
_MAX_PHONES: Final = 100
"""Of one text that are looked up in the numbering plans, which takes a while."""


class Found(NamedTuple):
    """What stands from `start` to before `end`, in characters."""

    start: int
    end: int
    data_class: DataClass


def found_within(text: str) -> list[Found]:
    """All that stands in it, in order and without overlaps; of two that overlap the first kind."""
    if not worth_reading(text.encode(errors="surrogatepass")):
        return []
    taken = bytearray(len(text))
    every: list[Found] = []
    for data_class, find in _KINDS:
        for start, end in find(text):
            if taken.find(1, start, end) < 0:
                taken[start:end] = b"\1" * (end - start)
                every.append(Found(start, end, data_class))
    return sorted(every)


Places = Iterator[tuple[int, int]]


def _key_files(text: str) -> Places:
    return (found.span() for found in _KEY_FILE.finditer(text)) if "-" in text else iter(())


def _passwords(text: str) -> Places:
    return (found.span(1) for found in _URL_PASSWORD.finditer(text)) if "://" in text else iter(())


def _web_tokens(text: str) -> Places:
    for found in keys.JWT.finditer(text) if "eyJ" in text else ():
        if keys.is_jwt(found[0]):
            yield found.span()


def _service_keys(text: str) -> Places:
    return (found.span() for found in keys.SERVICE_KEYS.finditer(text))


def _addresses(text: str) -> Places:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        local = _LOCAL.search(text, max(0, at - _MAX_LOCAL), at) if domain else None
        if domain and local:
            yield local.start(), domain.end()
        at = text.find("@", at + 1)


def _ibans(text: str) -> Places:
    for found in _IBAN_HEAD.finditer(text):
        if size := leading_iban(text[found.start() : found.start() + _MAX_IBAN]):
            yield found.start(), found.start() + size


def _cards(text: str) -> Places:
    for found in _GROUPS.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *found.span())]
        past = 0
        for first, (start, _) in enumerate(groups):
            if start >= past and (end := _card_end(text, groups, first)):
                yield start, end
                past = end


def _card_end(text: str, groups: Sequence[tuple[int, int]], first: int) -> int:
    """The end of the card number that begins with that group; 0 for none."""
    start, digits = groups[first][0], 0
    for begin, end in groups[first : first + CARD_GROUPS]:
        digits += end - begin
        if digits >= CARD_DIGITS.stop:
            return 0
        if digits in CARD_DIGITS and is_card_number(text[start:end]):
            return end
    return 0


def _social_security(text: str) -> Places:
    return (found.span() for found in _SSN.finditer(text) if social_security_us(found[0]))


def _phones(text: str) -> Places:
    for found in islice(_PLUS.finditer(text), _MAX_PHONES):
        if length := phones.leading(found[0]):
            yield found.start(), found.start() + length


_KINDS: Final[tuple[tuple[DataClass, Callable[[str], Places]], ...]] = (
    (DataClass.SECRET, _key_files),
    (DataClass.SECRET, _passwords),
    (DataClass.TOKEN, _web_tokens),
    (DataClass.TOKEN, _service_keys),
    (DataClass.EMAIL, _addresses),
    (DataClass.IBAN, _ibans),
    (DataClass.CARD_NUMBER, _cards),
    (DataClass.NATIONAL_ID, _social_security),
    (DataClass.PHONE, _phones),
)
"""In the order in which they take their places."""
