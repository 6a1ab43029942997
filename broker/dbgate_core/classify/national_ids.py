"""Identifiers that states give to people, with their structure and check digits.

`STRICT` ones fail for nearly all other text of their shape; of `LOOSE` ones about one in ten
passes by chance, or they have no check digit at all, so nearly every value of a column must pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from dbgate_core.classify.digits import digits, is_date, luhn, mod_11_10, verhoeff, weighted

Check = Callable[[str], bool]
_LETTERS_ES: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_LETTERS_FI: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ODD_IT: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3,
         6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


def _shape(pattern: str) -> Callable[[Check], Check]:
    """The check is asked only of text of that shape, and given it without punctuation."""
    compiled = re.compile(pattern, re.ASCII)

    def decorate(check: Check) -> Check:
        def checked(text: str) -> bool:
            return compiled.fullmatch(text) is not None and check(re.sub(r"[ ./-]", "", text))

        checked.__name__ = check.__name__
        return checked

    return decorate


def _short_date(text: str) -> bool:
    """YYMMDD of either century."""
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:6])
    return is_date(1900 + year, month, day) or is_date(2000 + year, month, day)


@_shape(r"\d{3}[- ]\d{2}[- ]\d{4}")
def social_security_us(text: str) -> bool:
    """No area 000, 666 or 9xx, no group 00, no serial 0000 (Social Security Administration)."""
    area, group, serial = text[:3], text[3:5], text[5:]
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


@_shape(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]")
def insurance_gb(text: str) -> bool:
    """National Insurance number."""
    return text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


@_shape(r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}")
def nir_fr(text: str) -> bool:
    """Numéro de sécurité sociale: 97 less the number modulo 97."""
    corsica = text[:13].replace("2A", "19").replace("2B", "18")
    month = int(text[3:5])
    return corsica.isdigit() and 1 <= month <= 42 and 97 - int(corsica) % 97 == int(text[13:])


@_shape(r"(?:\d{8}|[XYZxyz]-?\d{7})-?[A-Za-z]")
def dni_es(text: str) -> bool:
    """DNI or NIE: the letter is the number modulo 23."""
    number = text[:-1].upper().translate({88: "0", 89: "1", 90: "2"})
    return _LETTERS_ES[int(number) % 23] == text[-1].upper()


@_shape(r"[A-Za-z]{6}\d{2}[A-EHLMPRSTa-ehlmprst]\d{2}[A-Za-z]\d{3}[A-Za-z]")
def codice_fiscale_it(text: str) -> bool:
    """Codice fiscale, by its control letter."""
    text = text.upper()
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in text[1:15:2])
    return chr(65 + (sum(_ODD_IT[c] for c in text[0:15:2]) + even) % 26) == text[15]


@_shape(r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}")
def cpf_br(text: str) -> bool:
    """CPF: two digits modulo 11."""
    first = weighted(text[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(text[:10], range(11, 1, -1)) * 10 % 11 % 10
    return text[9:] == f"{first}{second}" and len(set(text)) > 1


@_shape(r"\d{11}")
def pesel_pl(text: str) -> bool:
    """PESEL: a date whose month tells the century, and a digit modulo 10."""
    month = int(text[2:4]) % 20
    dated = is_date(2000 + int(text[:2]), month, int(text[4:6]))
    return dated and (10 - weighted(text[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(
        text[10]
    )


@_shape(r"(?:\d{2})?\d{6}[-+]\d{4}|(?:19|20)\d{10}")
def personnummer_se(text: str) -> bool:
    """Personnummer: a date and Luhn."""
    short = text.replace("+", "")[-10:]
    return _short_date(short) and luhn(short)


@_shape(r"\d{2} ?\d{3} ?\d{3} ?\d{3}")
def steuer_id_de(text: str) -> bool:
    """Steuerliche Identifikationsnummer: one digit twice or thrice among the first ten."""
    counts = sorted(text[:10].count(digit) for digit in set(text[:10]))
    return text[0] != "0" and counts[-1] in (2, 3) and counts[-2] == 1 and mod_11_10(text)


@_shape(r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}[.-]?\d{2}")
def rijksregister_be(text: str) -> bool:
    """National register number: 97 less the number modulo 97, with a 2 before it since 2000."""
    check = int(text[9:])
    either = 97 - int(text[:9]) % 97 == check or 97 - int("2" + text[:9]) % 97 == check
    return _short_date(text) and either


@_shape(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]")
def hetu_fi(text: str) -> bool:
    """Henkilötunnus: a date, and the number modulo 31."""
    number = text[:6] + text[-4:-1]
    dated = is_date(2000 + int(text[4:6]), int(text[2:4]), int(text[:2]))
    return dated and _LETTERS_FI[int(number) % 31] == text[-1]


@_shape(r"\d{6} ?\d{5}")
def fodselsnummer_no(text: str) -> bool:
    """Fødselsnummer: a date and two digits modulo 11."""
    first = -weighted(text[:9], (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -weighted(text[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    day = int(text[:2]) % 40
    dated = is_date(2000 + int(text[4:6]), int(text[2:4]) % 40, day)
    return dated and text[9:] == f"{first}{second}"


@_shape(r"\d{17}[\dXx]")
def resident_cn(text: str) -> bool:
    """Resident identity card: a date, and ISO 7064 MOD 11-2."""
    dated = is_date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    total = weighted(text[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
    return dated and "10X98765432"[total % 11] == text[17].upper()


@_shape(r"\d{13}")
def id_za(text: str) -> bool:
    """South African identity number: a date, a citizenship digit, Luhn."""
    return _short_date(text) and text[10] in "012" and luhn(text)


@_shape(r"[1-9]\d{10}")
def kimlik_tr(text: str) -> bool:
    """T.C. kimlik: two digits over the others."""
    n = digits(text)
    tenth = (sum(n[0:9:2]) * 7 - sum(n[1:8:2])) % 10
    return n[9] == tenth and n[10] == sum(n[:10]) % 10


@_shape(r"[1-9]\d{12}")
def cnp_ro(text: str) -> bool:
    """Cod numeric personal: a date and a digit modulo 11."""
    total = weighted(text[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return _short_date(text[1:]) and (1 if total == 10 else total) == int(text[12])


@_shape(r"\d{6}-[1-8]\d{6}")
def resident_kr(text: str) -> bool:
    """Resident registration number: a date and a digit modulo 11."""
    total = weighted(text[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    return _short_date(text) and (11 - total % 11) % 10 == int(text[12])


@_shape(r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d")
def curp_mx(text: str) -> bool:
    """CURP: initials, a date, sex and state."""
    return _short_date(text[4:10])


@_shape(r"[A-Z]{3}[PCHFATBLJG][A-Z]\d{4}[A-Z]")
def pan_in(text: str) -> bool:
    """Permanent account number of India; its shape alone tells it."""
    return True


@_shape(r"\d{9}")
def bsn_nl(text: str) -> bool:
    """Burgerservicenummer: the eleven test."""
    return int(text) > 0 and weighted(text, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


@_shape(r"\d{3}[ -]\d{3}[ -]\d{3}")
def sin_ca(text: str) -> bool:
    """Social insurance number of Canada, in groups: Luhn."""
    return text[0] not in "08" and luhn(text)


@_shape(r"[2-9]\d{3} ?\d{4} ?\d{4}")
def aadhaar_in(text: str) -> bool:
    """Aadhaar: Verhoeff."""
    return verhoeff(text)


@_shape(r"\d{6}-\d{4}")
def cpr_dk(text: str) -> bool:
    """CPR number: a date, day first; its check digit is out of use."""
    return is_date(2000 + int(text[4:6]), int(text[2:4]), int(text[:2]))


STRICT: Final[tuple[Check, ...]] = (
    insurance_gb, nir_fr, dni_es, codice_fiscale_it, cpf_br, pesel_pl, personnummer_se,
    steuer_id_de, rijksregister_be, hetu_fi, fodselsnummer_no, resident_cn, id_za, kimlik_tr,
    cnp_ro, resident_kr, curp_mx, pan_in,
)  # fmt: skip
LOOSE: Final[tuple[Check, ...]] = (social_security_us, bsn_nl, sin_ca, aadhaar_in, cpr_dk)
