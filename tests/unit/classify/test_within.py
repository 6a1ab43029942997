"""What is found within texts, and where; and what is left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.classify.glance import worth_reading
from dbgate_core.classify.within import found_within
from tests.unit.native.texts import TEXTS

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mail ada@example.com today", {"email": ["ada@example.com"]}),
        ("<ada@example.com>, 'bob@x.example.org'.", {"email": ["ada@example.com", "bob@x.example.org"]}),
        ("{ada@example.com,b@c.de}", {"email": ["ada@example.com", "b@c.de"]}),
        ("an jörg.groß@müller.example", {"email": ["jörg.groß@müller.example"]}),
        ("card 4929 1234 5678 9015 exp 12/27", {"card_number": ["4929 1234 5678 9015"]}),
        ("1 4111-1111-1111-1111 12", {"card_number": ["4111-1111-1111-1111"]}),
        ("paid by 4111111111111111.", {"card_number": ["4111111111111111"]}),
        ("to DE89 3704 0044 0532 0130 00 please", {"iban": ["DE89 3704 0044 0532 0130 00"]}),
        ("GB82WEST12345698765432", {"iban": ["GB82WEST12345698765432"]}),
        ("ssn 536-90-4399, born", {"national_id": ["536-90-4399"]}),
        ("call +44 20 7946 0958 or not", {"phone": ["+44 20 7946 0958"]}),
        (f"here: {KEY} end", {"secret": [KEY]}),
        ("-----BEGIN PRIVATE KEY-----\nMIIEcut", {"secret": ["-----BEGIN PRIVATE KEY-----\nMIIEcut"]}),
        ("postgres://app:hunter2@db/x", {"secret": ["hunter2"]}),
        (f"Authorization: {JWT}", {"token": [JWT]}),
        ("AKIAIOSFODNN7EXAMPLE is a key", {"token": ["AKIAIOSFODNN7EXAMPLE"]}),
        ("to a@example.com, 4111111111111111", {"email": ["a@example.com"], "card_number": ["4111111111111111"]}),
    ],
)  # fmt: skip
def test_is_found(text: str, found: dict[str, list[str]]) -> None:
    said: dict[str, list[str]] = {}
    for start, end, data_class in found_within(text):
        said.setdefault(data_class, []).append(text[start:end])
    assert said == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "meet @ noon",
        "a@b",
        "user@host:22 is no domain",
        "order 4111111111111112",
        "1234 5678 9012 3456",
        "DE88 3704 0044 0532 0130 00",
        "AB12 is a shelf of the store",
        "000-12-3456",
        "2024-01-02 10:11:12.123456+00",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "https://example.com/a/long/path-with-words?x=1",
        "state-of-the-art_thing",
        "+1 more",
        "eyJhbGciOi.eyJzdWIiOi.x",
        "----- a heading -----",
        "42",
    ],
)
def test_is_left(text: str) -> None:
    assert found_within(text) == []


@settings(max_examples=500, deadline=None)
@given(TEXTS.map(lambda text: text.decode(errors="surrogateescape")))
def test_places_are_in_order_and_apart(text: str) -> None:
    found = found_within(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


VALUES = st.sampled_from(
    ["ada@example.com", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "536-90-4399",
     "+44 20 7946 0958", KEY, JWT, "ghp_" + "a1B2" * 9, "redis://:secret@host"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=10), VALUES, st.text(max_size=10))
def test_each_kind_is_worth_reading_wherever_it_stands(before: str, value: str, after: str) -> None:
    assert worth_reading(f"{before} {value} {after}".encode(errors="surrogatepass"))


@settings(max_examples=300, deadline=None)
@given(st.text("ab .,:;()\n", max_size=10), VALUES, st.text("ab .,;()\n", max_size=10))
def test_each_kind_is_found_among_words(before: str, value: str, after: str) -> None:
    assert found_within(f"{before} {value} {after}")


@pytest.mark.parametrize(
    "piece",
    ["@", "a@", "a@b.", "1 ", "12345678901234567890", "+1 ", "://a:", "AB12 ", "ada@example.com "],
)
def test_a_long_text_takes_time_in_proportion(piece: str) -> None:
    """What grew with the square of its length would not end here."""
    found_within(piece * (1_000_000 // len(piece)))
