"""What the sampled values of one column are, by validators: each with the share that convicts.

A *sound* recogniser hardly ever takes anything else for its class, so a small share of such values
protects a column, whatever it is called. The others need nearly all values, and a column whose name
says what else it is (an order number, a version) is spared them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dbgate_core.classify import accounts, keys, national_ids, people, phones, reach
from dbgate_core.classify.finding import Finding
from dbgate_core.masking.classes import DataClass

MIN_HITS: Final = 2
"""Of sound values in a column of more than three."""
MAX_VALUE_CHARS: Final = 2_048
"""A longer value is looked at up to here."""
SHAPED: Final = 0.9
_LOOSE_MIN: Final = 5
"""Values below which a check that one in ten passes says nothing."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """`share` of the values must pass `test`, and nearly all of them have the `shape`.

    `certainty` is the confidence when all pass, in percent; `least` are the values that it takes.
    """

    data_class: DataClass
    what: str
    test: Callable[[str], bool]
    share: float
    certainty: int
    least: int = 1
    shape: Callable[[str], bool] = bool


_STRICT_IDS: Final = tuple(
    Recogniser(DataClass.NATIONAL_ID, f"national identifiers ({check.__name__})", check, 0.5, 95)
    for check in national_ids.STRICT
)
_LOOSE_IDS: Final = tuple(
    Recogniser(
        DataClass.NATIONAL_ID,
        f"national identifiers ({check.__name__})",
        check,
        0.96,
        85,
        least=_LOOSE_MIN,
    )
    for check in national_ids.LOOSE
)
SOUND: Final = (
    Recogniser(DataClass.SECRET, "private keys", keys.holds_private_key, 0.02, 99),
    Recogniser(DataClass.SECRET, "password hashes", keys.is_password_hash, 0.05, 99),
    Recogniser(DataClass.SECRET, "URLs with a password", keys.holds_url_password, 0.05, 95),
    Recogniser(DataClass.TOKEN, "JSON Web Tokens", keys.is_jwt, 0.05, 99),
    Recogniser(DataClass.TOKEN, "keys of known services", keys.holds_service_key, 0.05, 99),
    Recogniser(DataClass.EMAIL, "e-mail addresses", reach.is_email, 0.05, 99),
    Recogniser(DataClass.IBAN, "IBANs (modulo 97)", accounts.is_iban, 0.05, 99),
    Recogniser(
        DataClass.CARD_NUMBER,
        "card numbers (issuer range, Luhn)",
        accounts.is_card_number,
        0.3,
        97,
    ),
)
OTHERS: Final = (
    *_STRICT_IDS,
    *_LOOSE_IDS,
    Recogniser(DataClass.PHONE, "international phone numbers", phones.is_phone, 0.5, 95),
    Recogniser(DataClass.IP_ADDRESS, "IP addresses", reach.is_ip_address, 0.8, 90),
    Recogniser(DataClass.IP_ADDRESS, "MAC addresses", reach.is_mac_address, 0.8, 95),
    Recogniser(DataClass.EMAIL, "texts with an e-mail address", reach.holds_email, 0.2, 75),
    Recogniser(DataClass.ADDRESS, "streets and numbers", people.is_street_address, 0.5, 85),
    Recogniser(
        DataClass.PERSON_NAME,
        "names of people",
        people.is_person_name,
        0.2,
        80,
        least=3,
        shape=people.is_person_shaped,
    ),
    Recogniser(
        DataClass.TOKEN, "long random strings", keys.is_random_token, 0.9, 70, least=_LOOSE_MIN
    ),
)
NATIONAL_SHARE: Final = 0.9
"""Of numbers that one country's plan knows, written as they are written there."""


def sound_findings(values: Sequence[str]) -> list[Finding]:
    """The classes that no name of a column can talk away."""
    return _findings(SOUND, values)


def other_findings(values: Sequence[str]) -> list[Finding]:
    """The one class that the other recognisers are surest of; none when they say nothing."""
    found = _findings(OTHERS, values)
    if reach.look_like_versions(values):
        found = [finding for finding in found if finding.data_class is not DataClass.IP_ADDRESS]
    if not found and (share := phones.share_national(values)) >= NATIONAL_SHARE:
        found = [_finding(DataClass.PHONE, "phone numbers of one country", share, 85, len(values))]
    return sorted(found, key=lambda finding: -finding.confidence)[:1]


def _findings(recognisers: Sequence[Recogniser], values: Sequence[str]) -> list[Finding]:
    best: dict[DataClass, Finding] = {}
    for one in recognisers:
        hits = sum(map(one.test, values)) if len(values) >= one.least else 0
        if not hits or hits < min(MIN_HITS, len(values) / 2) or hits < one.share * len(values):
            continue
        if sum(map(one.shape, values)) < SHAPED * len(values):
            continue
        made = _finding(one.data_class, one.what, hits / len(values), one.certainty, len(values))
        if one.data_class not in best or best[one.data_class].confidence < made.confidence:
            best[one.data_class] = made
    return list(best.values())


def _finding(data_class: DataClass, what: str, share: float, certainty: int, count: int) -> Finding:
    reason = f"{round(share * count)} of {count} sampled values are {what}"
    return Finding(data_class, round(certainty * (0.7 + 0.3 * share)), reason)
