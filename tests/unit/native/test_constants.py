"""The constants of plain texts: both twins find the same, and PostgreSQL's own parser agrees."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dbgate_core.sql import constants
from dbgate_core.sql.parser import NotParsed, parse
from dbgate_core.sql.shape import shape_of
from tests.unit.native.twins import compiled

native = compiled()

PIECES = [
    "select ", "a", "t1", "1", "23", "4.5", "1e5", "0x1F", "'x'", "''", "'a b'", "'it''s'", "e'x'", "$1",
    "-", "--", "/*", "*/", "'--'", "\n", "\t", " ", ",", "=", "(", ")", ".", ";", '"', "\\", "é", "&", "\x00",
    "where ", "from t ", "and ", "in ", "between ", "null", "true", "order by ", "limit ", "::text", "_1",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=14).map(lambda parts: "".join(parts).encode())


@settings(max_examples=2_000, deadline=None)
@given(texts)
def test_keys_are_alike(text: bytes) -> None:
    assert native.key_of(text) == constants.key_of(text)


@pytest.mark.parametrize("size", [constants.MAX_KEY_BYTES, constants.MAX_KEY_BYTES + 1])
def test_long_texts_have_none(size: int) -> None:
    text = b"x" * size
    assert native.key_of(text) == constants.key_of(text)
    assert (native.key_of(text) is None) == (size > constants.MAX_KEY_BYTES)


conditions = st.sampled_from(
    [
        "a = {}",
        "a in ({}, {})",
        "b = {} and a < {}",
        "a between {} and {}",
        "a + {} > {}",
        "count(*) > {}",
    ]
)
literals = st.sampled_from(
    ["1", "23", "99999999999999999999", "'x'", "''", "'a b'", "'2020-01-01'"]
)


@settings(max_examples=500, deadline=None)
@given(conditions, st.lists(literals, min_size=4, max_size=4))
def test_texts_of_one_key_have_one_shape(condition: str, values: list[str]) -> None:
    """Or a track of the one would stand for what the other is not."""
    one = f"select a, {values[0]} from t where " + condition.format(*values[:2])
    other = f"select a, {values[2]} from t where " + condition.format(*values[2:])
    assume(constants.key_of(one.encode()) == constants.key_of(other.encode()))
    try:
        parse(one)
    except NotParsed:
        assume(False)
    assert shape_of(one) == shape_of(other) == constants.numbered(one.encode()).decode()
