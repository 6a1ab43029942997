"""Names and content together: what convicts, what acquits, and what neither can talk away."""

from __future__ import annotations

import json

import pytest

from dbgate_core.classify.decide import look
from dbgate_core.classify.documents import MAX_KEYS, MAX_PATHS, members
from dbgate_core.classify.finding import Source
from dbgate_core.masking.classes import DataClass
from tests.bench.classes.measure import HELD, TUNED, score

CARDS = ["4539578763621486", "5425233430109903", "4916338506082832"]
NOTHING: frozenset[DataClass] = frozenset()


def classes(column: str, values: list[str], named: frozenset[DataClass] = NOTHING) -> set[str]:
    return {f.data_class.value for f in look("t", column, named, values).findings if not f.path}


def test_content_convicts_whatever_the_column_is_called() -> None:
    assert classes("v1", CARDS) == {"card_number"}
    assert classes("order_number", CARDS) == {"card_number"}
    assert classes("v1", ["a@example.com", *map(str, range(18))]) == set()
    assert classes("v1", ["a@example.com", "b@example.com", *map(str, range(18))]) == {"email"}


def test_weak_content_does_not_speak_where_the_name_does() -> None:
    addresses = [f"203.0.113.{n}" for n in range(9)]
    assert classes("v1", addresses) == {"ip_address"}
    assert classes("build_version", addresses) == set()


def test_what_the_name_says_stays() -> None:
    named = frozenset({DataClass.EMAIL})
    (finding,) = look("t", "email", named, ["x", "y"]).findings
    assert (finding.data_class, finding.source) == (DataClass.EMAIL, Source.NAME)
    assert classes("email", CARDS, named) == {"email", "card_number"}


def test_reasons_hold_counts_and_no_value() -> None:
    (finding,) = look("t", "v1", NOTHING, CARDS).findings
    assert finding.reason == "3 of 3 sampled values are card numbers (issuer range, Luhn)"
    assert 0 < finding.confidence < 100


def test_documents_are_classed_by_member_also_in_text() -> None:
    values = [
        json.dumps({"user": {"email": f"p{n}@example.com", "plan": "x"}, "x1": CARDS[n]})
        for n in range(3)
    ]
    looked = look("t", "raw", NOTHING, values)
    found = {(".".join(f.path), f.data_class.value) for f in looked.findings}
    assert found == {("user.email", "email"), ("x1", "card_number")}
    assert ("user", "plan") in looked.paths


def marked(values: list[str]) -> dict[str, str]:
    findings = look("t", "raw", NOTHING, values, markup=True).findings
    assert not any(f.path or f.source is not Source.CONTENT for f in findings)
    return {f.data_class.value: f.reason for f in findings}


def test_elements_and_attributes_of_xml_tell_what_the_column_holds() -> None:
    values = [
        f'<?xml version="1.0"?><o><to Email="p{n}@example.com">x</to><c:n1>{CARDS[n]}</c:n1></o>'
        for n in range(3)
    ]
    found = marked(values)
    assert set(found) == {"email", "card_number"}
    assert found["email"] == "its key 'Email' says so"
    assert found["card_number"].startswith("3 of 3 sampled values are card numbers")
    assert marked([f"<a>{n}</a><b><c>word</c></b>" for n in range(9)]) == {}
    assert set(marked([f"{card} <b/>" for card in CARDS])) == {"card_number"}


@pytest.mark.parametrize(
    "value",
    ["<a", "", "text & more", "<a>" * 500, "<a>" * 99 + "</a>" * 99, "</x><x>",
     '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "<a>&e;</a>"],
)  # fmt: skip
def test_what_is_no_plain_xml_tells_nothing(value: str) -> None:
    assert marked([value]) == {}


def test_bare_strings_and_arrays_are_the_columns_own() -> None:
    mails = [f"p{n}@example.com" for n in range(3)]
    bare = look("t", "j", NOTHING, [json.dumps(mail) for mail in mails], documents=True)
    assert [(f.path, f.data_class.value) for f in bare.findings] == [((), "email")]
    listed = look("t", "j", NOTHING, [json.dumps([mail]) for mail in mails], documents=True)
    assert [(f.path, f.data_class.value) for f in listed.findings] == [(("*",), "email")]


def test_keys_of_a_map_are_values() -> None:
    wide = json.dumps({f"k{n}": {"phone": "x"} for n in range(MAX_KEYS + 5)})
    assert set(members([wide])) == {(), ("*",), ("*", "phone")}


@pytest.mark.parametrize("key", ["ana@example.org", "4539578763621486", "a.b", "\ud800", "\0", ""])
def test_a_key_that_is_no_name_is_not_told(key: str) -> None:
    looked = look("t", "d", NOTHING, [json.dumps({key: {"mail": "p@example.com"}})] * 3)
    assert {one.path for one in looked.findings} == {("*", "mail")}
    many = [json.dumps({f"Ana {n} {chr(65 + k)}": 1 for k in range(3)}) for n in range(9)]
    assert look("t", "d", NOTHING, many).paths == (("*",),)


def test_only_scalars_that_were_seen_are_told_apart() -> None:
    values = [
        json.dumps({"a": n, "b": {}, "c": [], "e": None, "f": n if n else {"x": 1}})
        for n in range(3)
    ]
    assert set(look("t", "d", NOTHING, values).paths) == {("a",), ("f", "x")}
    deep = "[" * 30 + "1" + "]" * 30
    assert look("t", "d", NOTHING, [deep] * 3).paths == ()


def test_members_are_bounded() -> None:
    deep = json.dumps(
        {f"a{n}": {f"b{m}": {f"c{k}": 1 for k in range(9)} for m in range(9)} for n in range(9)}
    )
    assert len(members([deep])) == MAX_PATHS


@pytest.mark.parametrize("text", ["{", "[1, {}]", '{"": {"": []}}', "[" * 5000, '"x"', "NaN", ""])
def test_any_document_may_come(text: str) -> None:
    look("t", "doc", NOTHING, [text] * 3, documents=True)


@pytest.mark.parametrize("vocabulary", [TUNED, HELD])
def test_precision_and_recall_of_the_labelled_schemas(vocabulary: str) -> None:
    pytest.importorskip("phonenumbers", reason="the broker's extra is not installed")
    found = score(vocabulary, seed=7)
    assert found.precision >= 0.98, found.mistakes
    assert found.recall >= 0.98, found.mistakes


def test_what_code_brings_is_said_to_be_its() -> None:
    email, phone = frozenset({DataClass.EMAIL}), frozenset({DataClass.PHONE})
    found = look("t", "email", email, ["x"], filled=email | phone).findings
    assert {(f.data_class, f.source) for f in found} == {
        (DataClass.EMAIL, Source.NAME),
        (DataClass.PHONE, Source.CODE),
    }
