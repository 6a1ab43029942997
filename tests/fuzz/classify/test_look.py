"""Whatever columns hold and reviewed files say: a look ends, and only a UsageError may leave a file."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dbgate_core.classify.decide import look
from dbgate_core.classify.review import read_review
from dbgate_core.errors import UsageError

PIECES = [
    "@", ".", "-", "+49", "0", "4539578763621486", "DE89", "eyJ", "$2b$12$", "://", ":", "/", " ", ",",
    "Anna", "straße", "rue", "12", "::", "{", "}", "[", "]", '"', "\\", "\0", "\ud800", "٣", "e\u0301",
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(VALUES, max_size=12))
@example(["\ud800@x.de"])
def test_any_values(values: list[str]) -> None:
    looked = look("t", "c", frozenset(), values)
    assert all(0 < one.confidence <= 100 for one in looked.findings)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON.map(json.dumps), max_size=6))
def test_any_documents(values: list[str]) -> None:
    looked = look("t", "c", frozenset(), values, documents=True)
    assert {one.path for one in looked.findings if one.path} <= set(looked.paths)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(
    ["[[columns]]\n", 'column = "a.b.c"\n', "classes = []\n", 'classes = ["email"]\n', 'reason = "r"\n',
     'path = "x.y"\n', "x = 1\n", "\0", "'"]), max_size=12).map("".join)))  # fmt: skip
def test_any_reviewed_file(text: str) -> None:
    try:
        read_review(text, "x.toml")
    except UsageError as exc:
        assert "x.toml" in exc.message  # noqa: PT017 - the other outcome is that it is read
