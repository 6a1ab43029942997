"""The masked form of a text, per data class: what people need of it, and a keyed token.

Every form has `***` in it, so nobody takes it for a value; the token (keyed) keeps different values
apart, so that joins and counts on masked output still make sense. A form never contains more of
its value than its docstring says, and nothing of a value too short to spare it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface
from typing import Final

from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.key import MaskKey

STARS: Final = "***"
_EMAIL = re.compile(r"([^@\s\"<>,;]+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", re.ASCII)
_DATE = re.compile(r"([0-9]{4})-[0-9]{2}-[0-9]{2}|[0-9]{2}[./-][0-9]{2}[./-]([0-9]{4})")
_DIGITS = re.compile(r"[0-9]")
MIN_DIGITS_FOR_LAST_FOUR: Final = 8
"""Under eight digits the last four would be half of the number, or all of it."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a column is masked: the class names the form; `opaque` forbids partial forms."""

    data_class: DataClass
    opaque: bool = False

    @property
    def partial(self) -> bool:
        """Does its text form keep a part of the value."""
        return not self.opaque and self.data_class in _PARTIAL

    @property
    def kind(self) -> str:
        """The name of its text form: of its class, where that has one; else `token`."""
        return self.data_class if self.partial or self.stars else DataClass.TOKEN

    @property
    def stars(self) -> bool:
        """Is its text form nothing but stars."""
        return not self.opaque and self.data_class is DataClass.SECRET


def mask_text(form: Form, value: str, key: MaskKey) -> str:
    """The masked text. The empty text stays empty."""
    if not value:
        return value
    if form.stars:
        return STARS
    shape = None if form.opaque else _PARTIAL.get(form.data_class)
    masked = shape(value, key) if shape else None
    return masked if masked is not None else STARS + key.token(form.data_class, value.encode())


def _email(value: str, key: MaskKey) -> str | None:
    """First letter and domain: `a***5f3c@example.com`."""
    found = _EMAIL.fullmatch(value)
    if found is None:
        return None
    first = value[0] if len(found[1]) > 2 else ""
    return f"{first}{STARS}{_short(DataClass.EMAIL, value, key)}@{found[2]}"


def _person_name(value: str, key: MaskKey) -> str | None:
    """Initials of up to three words: `A*** L***5f3c`."""
    words = value.split()
    if not words or len(words) > 3:
        return None
    initials = " ".join(
        (word[0] if len(word) > 2 and word[0].isalpha() else "") + STARS for word in words
    )
    return initials + _short(DataClass.PERSON_NAME, value, key)


def _last_four(label: DataClass) -> Callable[[str, MaskKey], str | None]:
    """The last four digits: `***5f3c-1234`."""

    def mask(value: str, key: MaskKey) -> str | None:
        digits = "".join(_DIGITS.findall(value))
        if len(digits) < MIN_DIGITS_FOR_LAST_FOUR or len(value) > 40:
            return None
        return f"{STARS}{_short(label, value, key)}-{digits[-4:]}"

    return mask


def _iban(value: str, key: MaskKey) -> str | None:
    """Country and last four: `DE***5f3c-1234`."""
    plain = value.replace(" ", "")
    if len(plain) < 15 or len(plain) > 34 or not plain.isalnum():
        return _last_four(DataClass.IBAN)(value, key)
    country = plain[:2] if plain[:2].isalpha() else ""
    return f"{country}{STARS}{_short(DataClass.IBAN, value, key)}-{plain[-4:]}"


def _birth_date(value: str, key: MaskKey) -> str | None:
    """The year: `1985***5f3c`."""
    found = _DATE.fullmatch(value)
    if found is None:
        return None
    return f"{found[1] or found[2]}{STARS}{_short(DataClass.BIRTH_DATE, value, key)}"


def _ip(value: str, key: MaskKey) -> str | None:
    """Another address, of a range that no host has: a text column of addresses still parses."""
    try:
        return masked_address(value, key)
    except ValueError:
        return None


def masked_address(value: str, key: MaskKey) -> str:
    """An address of class E (RFC 1112) or of 2001:db8::/32 (RFC 3849). Raises ValueError."""
    version = ip_interface(value).version
    raw = key.derive(DataClass.IP_ADDRESS, value.encode())
    if version == 4:
        return str(ip_address(bytes([240 | raw[0] & 7]) + raw[1:4]))
    return str(ip_address(b"\x20\x01\x0d\xb8" + raw[:12]))


def _short(label: DataClass, value: str, key: MaskKey) -> str:
    return key.token(label, value.encode(), 4)


_PARTIAL: Final[dict[DataClass, Callable[[str, MaskKey], str | None]]] = {
    DataClass.EMAIL: _email,
    DataClass.PERSON_NAME: _person_name,
    DataClass.PHONE: _last_four(DataClass.PHONE),
    DataClass.CARD_NUMBER: _last_four(DataClass.CARD_NUMBER),
    DataClass.IBAN: _iban,
    DataClass.IP_ADDRESS: _ip,
    DataClass.BIRTH_DATE: _birth_date,
}
