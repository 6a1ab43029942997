"""Lines: canonical, chained, and long texts in parts that are never cut."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.audit import canonical
from dbgate_core.audit.canonical import MAX_TEXT_BYTES, Torn
from dbgate_core.audit.chain import NO_LINE, Chain
from dbgate_core.native import timestamp
from dbgate_core.secret import Secret

TIME = "2026-01-31T12:00:00.000000Z"


@pytest.mark.parametrize(
    "value",
    [{}, {"b": 1, "a": [None, True, -5, 2**53]}, {"é": "ü\u2028\x7f", "z": {"y": "\x00\n\"\\/"}},
     {"x": "\U0001f600", "\U0001f600": [], "\uffff": 1}],
)  # fmt: skip
def test_a_line_is_canonical_json(value: dict[str, object]) -> None:
    line = canonical.encode(value)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == value
    keys = [key.encode() for key in json.loads(line)]
    assert keys == sorted(keys)
    assert canonical.encode(dict(reversed(value.items()))) == line


@pytest.mark.parametrize("value", [{"x": Secret("hunter2")}, {"x": object()}, {"x": "\ud800"}])
def test_what_is_no_json_is_refused_and_not_shown(value: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        canonical.encode(value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_times_are_utc_with_microseconds(microsecond: int) -> None:
    for second in (0, 59):
        moment = datetime(2026, 2, 28, 23, 59, second, microsecond, tzinfo=UTC)
        said = timestamp(int(moment.replace(microsecond=0).timestamp()) * 10**6 + microsecond)
        assert len(said) == len(TIME)
        assert datetime.fromisoformat(said) == moment


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(_json)
def test_a_fragment_is_the_bytes_that_the_value_would_be(value: object) -> None:
    line = canonical.encode({"z": 1, "scope": canonical.fragment(value), "a": [True]})
    assert line == canonical.encode({"z": 1, "scope": value, "a": [True]})


def test_each_line_holds_the_hash_of_the_one_before() -> None:
    chain, prev = Chain(), NO_LINE
    for number in range(3):
        (line,) = chain.lines("statement", TIME, {"text": f"select {number}"})
        entry = json.loads(line)
        assert (entry["index"], entry["prev"]) == (number, prev)
        prev = sha256(line[:-1]).hexdigest()
        chain.take(line)


@pytest.mark.parametrize("unit", ["x", "é", "€", "\U0001f600", 'a\n"é'])
@pytest.mark.parametrize("size", [MAX_TEXT_BYTES, MAX_TEXT_BYTES + 1, 3 * MAX_TEXT_BYTES + 7])
def test_a_long_text_is_in_parts_and_never_cut(unit: str, size: int) -> None:
    text = (unit * size).encode()[:size].decode(errors="ignore")
    chain = Chain()
    lines = chain.lines("statement", TIME, {"text": text, "verdict": "allow"})
    entries = [json.loads(line) for line in lines]
    assert "".join(entry["text"] for entry in entries) == text
    assert all(len(entry["text"].encode()) <= MAX_TEXT_BYTES for entry in entries)
    assert (len(entries) == 1) == (len(text.encode()) <= MAX_TEXT_BYTES)
    first, *rest = entries
    assert [entry["kind"] for entry in rest] == [canonical.STATEMENT_TEXT] * len(rest)
    assert [entry["part"] for entry in rest] == list(range(2, len(entries) + 1))
    assert all(entry["continues"] == first["index"] for entry in rest)
    if rest:
        assert first["text_parts"] == len(entries)
        assert first["text_sha256"] == sha256(text.encode()).hexdigest()
    for line, entry in zip(lines, entries, strict=True):
        assert (entry["index"], entry["prev"]) == (chain.tree.size, chain.prev)
        chain.take(line)


def test_an_opening_says_where_the_tree_stands_and_what_is_torn() -> None:
    chain = Chain()
    for _ in range(5):
        chain.take(chain.lines("x", TIME, {})[0])
    plain = canonical.opening(chain.opening(TIME, 2, []))
    assert (plain.kind, plain.segment, len(plain.tree), plain.torn) == ("segment_opened", 2, 2, [])
    torn = [Torn(1, 7, sha256(b"torn").hexdigest())]
    recovered = canonical.opening(chain.opening(TIME, 2, torn))
    assert (recovered.kind, recovered.torn) == ("log_recovered", torn)
