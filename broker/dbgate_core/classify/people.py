"""Names of people and postal addresses, as far as values alone show them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from dbgate_core.classify.given_names import GIVEN_NAMES

_PERSON: Final = re.compile(
    r"(?:(?:mr|mrs|ms|dr|prof|herr|frau|sr|sra|mme|m)\.? )?"
    r"([^\W\d_]+(?:['\u2019-][^\W\d_]+)*)"
    r"(?: [^\W\d_]\.?)?(?: (?:de|da|do|dos|del|della|di|van|von|der|den|ter|la|le|el|al|bin|zu|af)){0,3}"
    r"(?: [^\W\d_]+(?:['\u2019-][^\W\d_]+)*){0,3}",
    re.IGNORECASE,
)
_REVERSED: Final = re.compile(
    r"[^\W\d_]+(?:[ '\u2019-][^\W\d_]+)*, ([^\W\d_]+)(?:[ -][^\W\d_]+\.?)?"
)
_STREETS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\d{1,5}[a-z]?,? (?:[^\W\d_]+\.? ){0,4}(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|court|ct|"
        r"boulevard|blvd|place|pl|terrace|way|square|sq|close|crescent|parkway|pkwy|highway|hwy|trail|circle|row|walk|mews|gardens)\b.*",
        r"[^\W\d_][^\d,]{2,40}(?:stra(?:ß|ss)e|str\.?|weg|gasse|platz|allee|ring|damm|ufer|straat|laan|plein|"
        r"gracht|kade|dreef|gatan|vägen|gata|vej|gade|veien|gaten|katu|tie) ?\d{1,4} ?[a-z]?\b.*",
        r"(?:\d{1,4}(?: bis| ter)?,? )?(?:rue|avenue|boulevard|bd|place|quai|impasse|chemin|allée|route|cours) "
        r"[^\W\d_].{2,60}",
        r"(?:calle|c/|avenida|avda\.?|av\.?|paseo|plaza|carrera|rua|travessa|praça|alameda|estrada|via|viale|"
        r"corso|piazza|vicolo|largo|ul\.|ulica|al\.|pl\.|os\.) ?[^\W\d_].{1,60}\d{1,5}\b.*",
        r"p\.? ?o\.? box \d+.*|postfach \d+.*|apartado \d+.*",
    )
)


def is_person_name(text: str) -> bool:
    """A given name that is common somewhere, alone or with a surname on either side of a comma."""
    if len(text) > 60 or any(char.isdigit() for char in text) or text == text.lower():
        return False
    found = _PERSON.fullmatch(text) or _REVERSED.fullmatch(text)
    if found is None:
        return False
    return any(_plain(part) in GIVEN_NAMES for part in re.split(r"[-'\u2019]", found[1]))


def is_person_shaped(text: str) -> bool:
    """One to four capitalised words, which a name may be."""
    words = re.split(r"[ ,-]+", text.rstrip())
    capital = all(word[:1].isupper() or len(word) <= 3 for word in words)
    return len(words) <= 5 and capital and text[-1] != "."


def is_street_address(text: str) -> bool:
    """A street with a number, as ten languages write it, or a post-office box."""
    return len(text) <= 200 and any(street.fullmatch(text) for street in _STREETS)


def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word)
    return "".join(char for char in folded if not unicodedata.combining(char)).lower()
