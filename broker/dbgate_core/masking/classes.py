"""The data classes of columns, found with no configuration by name, table, type and comment.

The name decides: cut into words, it must *end* in a protected noun ("billing e mail"), so that
`email_count`, `address_id` and `file_name` stay clean. The type may acquit (a flag is no e-mail
address), the table may convict (`name` in `users`), and so may a comment that says so.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final

from dbgate_core.masking.vocabulary import (
    ACQUITTING_STARTS,
    ALONE,
    BARE_NAMES,
    CLEAN,
    ENDINGS,
    PEOPLE,
    PHRASES,
)


class DataClass(StrEnum):
    """What a value says about a person, or opens. Strictest last: it decides a mixed column."""

    IP_ADDRESS = "ip_address"
    PERSON_NAME = "person_name"
    ADDRESS = "address"
    BIRTH_DATE = "birth_date"
    PHONE = "phone"
    EMAIL = "email"
    IBAN = "iban"
    CARD_NUMBER = "card_number"
    NATIONAL_ID = "national_id"
    TOKEN = "token"  # noqa: S105 - the name of a class
    SECRET = "secret"  # noqa: S105 - the name of a class


MAX_PHRASE_WORDS: Final = 4
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_FLAG = re.compile(r"^bool")
_MOMENT = re.compile(r"^(timestamp|time\b|timetz|interval|date)")
_NUMBER = re.compile(
    r"^(smallint|int|bigint|serial|bigserial|numeric|decimal|real|double|float|money|oid)"
)
_INET = re.compile(r"^(inet|macaddr)")
_SENSITIVE = re.compile(r"\b(pii|gdpr|phi|personal(ly)?|sensitive|confidential)\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(no|not|non|never|without)\b", re.IGNORECASE)
_BUILT_IN = re.compile(
    r"^(text|char|varchar|bpchar|name|uuid|json|jsonb|bytea|xml|citext|hstore|\"char\")"
)


def _phrases() -> dict[str, DataClass]:
    found: dict[str, DataClass] = {}
    for name, text in PHRASES.items():
        for phrase in text.split("|"):
            words = phrase.strip()
            found[words] = DataClass(name)
            found.setdefault(words.replace(" ", ""), DataClass(name))
    return found


_BY_PHRASE: Final = _phrases()
_NUMERIC_CLASSES: Final = frozenset(
    {DataClass.PHONE, DataClass.NATIONAL_ID, DataClass.CARD_NUMBER, DataClass.IBAN}
)
_AMBIGUOUS_AS_NUMBER: Final = frozenset({"card", "cc", "pan", "nir", "tin"})
_SHORT_SECRETS: Final = frozenset({("pin",), ("pin", "code"), ("otp",), ("cvv",), ("cvc",)})
_WORDS_KEPT: Final = 8_192
"""A schema says the same few names in table after table, also one with more columns than are kept."""


@lru_cache(maxsize=20_000)
def classify_column(
    table: str, column: str, type_name: str, comment: str = ""
) -> frozenset[DataClass]:
    """The classes of a column by its name, its table's name, its type and its comment.

    `type_name` is as format_type() prints it (`character varying(80)`, `text[]`, a domain's name).
    Empty: the column may be shown.
    """
    words = words_of(column)
    found = _by_words(words) or _by_table(words_of(table), words)
    found = found or _by_type(type_name) or _by_comment(comment)
    if found is None or not _possible(found, type_name.lower(), words):
        return frozenset()
    return frozenset((found,))


@lru_cache(maxsize=_WORDS_KEPT)
def words_of(name: str) -> tuple[str, ...]:
    """Cut snake_case, camelCase and digits apart, lower the case, take off accents."""
    folded = unicodedata.normalize("NFKD", name)
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return tuple(word.lower() for word in _WORD.findall(plain.replace("'", "").replace("ß", "ss")))


@lru_cache(maxsize=_WORDS_KEPT)
def _by_words(words: tuple[str, ...]) -> DataClass | None:
    if not words or (words[0] in ACQUITTING_STARTS and len(words) > 1):
        return None
    end = len(words)
    while end:
        for start in range(max(0, end - MAX_PHRASE_WORDS), end):
            phrase = " ".join(words[start:end])
            if phrase in CLEAN:
                return None
            if start and phrase in ALONE:
                continue
            found = _phrase(phrase) or _phrase(_singular(phrase))
            if found is not None:
                return found
        if words[end - 1] not in ENDINGS:
            return _hashed(words)
        end -= 1
    return None


def _phrase(phrase: str) -> DataClass | None:
    return _BY_PHRASE.get(phrase) or _BY_PHRASE.get(phrase.replace(" ", ""))


def _hashed(words: tuple[str, ...]) -> DataClass | None:
    """A noun run together with its fore-word: `useremail`, `homephone`, `encryptedpassword`."""
    last = words[-1]
    for noun in (
        "email",
        "password",
        "passwd",
        "phonenumber",
        "ssn",
        "birthdate",
        "iban",
        "apikey",
    ):
        if last.endswith(noun) and last != noun:
            return _BY_PHRASE[noun]
    return None


def _by_table(table: tuple[str, ...], words: tuple[str, ...]) -> DataClass | None:
    """A bare `name` is a person's when the table's noun is one; `line1` is of `addresses`."""
    if not table:
        return None
    if words in {("line", "1"), ("line", "2"), ("line", "3")} and _singular(table[-1]) in {
        "address",
        "addr",
    }:
        return DataClass.ADDRESS
    if len(words) == 1 and words[0] in BARE_NAMES - {"title"} and _singular(table[-1]) in PEOPLE:
        return DataClass.PERSON_NAME
    if words == ("display", "name") and _singular(table[-1]) in PEOPLE:
        return DataClass.PERSON_NAME
    if len(words) == 2 and words[1] == "name" and words[0] in PEOPLE:
        return DataClass.PERSON_NAME
    return None


def _singular(word: str) -> str:
    for plural, single in (("ies", "y"), ("sses", "ss"), ("children", "child")):
        if word.endswith(plural):
            return word.removesuffix(plural) + single
    return word if word.endswith("ss") else word.removesuffix("s")


@lru_cache(maxsize=_WORDS_KEPT)
def _by_type(type_name: str) -> DataClass | None:
    """`inet` is an address of somebody; a domain or type may be named for what it holds."""
    lowered = type_name.lower()
    if _INET.match(lowered):
        return DataClass.IP_ADDRESS
    if any(rule.match(lowered) for rule in (_BUILT_IN, _FLAG, _MOMENT, _NUMBER)):
        return None
    return _by_words(words_of(type_name.rpartition(".")[2].removesuffix("[]")))


def _by_comment(comment: str) -> DataClass | None:
    """A comment convicts by ending its first clause in a noun, or by saying that it is personal."""
    if not comment or _NEGATED.search(comment):
        return None
    if _SENSITIVE.search(comment):
        words = words_of(comment)
        ends = (_by_words(words[: end + 1]) for end in range(len(words)))
        return next((f for f in ends if f not in {None, DataClass.SECRET}), DataClass.SECRET)
    clause = words_of(re.split(r"[.,;:(\n]", comment, maxsplit=1)[0])
    return _by_words(clause) if len(clause) <= 6 else None


def _possible(found: DataClass, type_name: str, words: tuple[str, ...]) -> bool:
    """Can a value of this type be one of that class at all."""
    if _FLAG.match(type_name):
        return False
    if _MOMENT.match(type_name):
        return found is DataClass.BIRTH_DATE
    if _NUMBER.match(type_name):
        if found is DataClass.BIRTH_DATE or words in _SHORT_SECRETS:
            return True
        too_short = type_name.startswith(("smallint", "oid", "money"))
        ambiguous = words[-1] in _AMBIGUOUS_AS_NUMBER
        return found in _NUMERIC_CLASSES and not too_short and not ambiguous
    return True
