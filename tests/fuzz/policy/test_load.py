"""Policy files that nobody would write: only a UsageError may leave."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dbgate_core.errors import UsageError
from dbgate_core.policy import Policies
from tests.unit.policy.people import EVERYTHING, POLICIES, SCHEMA

SHIPPED = [path.read_text() for path in sorted(POLICIES.glob("*/*.cedar"))]
TOKENS = [
    "permit", "forbid", "(", ")", "{", "}", "[", "]", ";", ",", ".", "principal", "action", "resource",
    "context", "when", "unless", "if", "then", "else", "in", "is", "has", "like", "==", "!=", "&&", "||",
    "!", "-", "*", "+", "<", '"', "\\", "//", "\n", "@", "@id", '@id("a")', '@approval("dba:1")',
    '@rows("1")', "@message", 'Group::"a"', 'Action::"drop"', "::", "?principal", "9223372036854775808",
    "ip", 'ip("x")', "decimal", "true", "\0", "\u202e", "\ud800",
]  # fmt: skip


def load(text: str) -> None:
    try:
        Policies.load({"a.cedar": text, "b.cedar": EVERYTHING}, SCHEMA)
    except UsageError as exc:
        assert exc.message  # noqa: PT017 - the other outcome is that it loads


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=40))
@example(["\ud800"])
def test_tokens_in_any_order(tokens: list[str]) -> None:
    load(" ".join(tokens))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    load(text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SHIPPED), st.data())
def test_shipped_files_that_were_damaged(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    middle = data.draw(st.sampled_from(["", *TOKENS]))
    load(text[:start] + middle + text[end:])


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.sampled_from(SHIPPED), max_size=4), st.text())
def test_any_names_and_schema(files: dict[str, str], schema: str) -> None:
    for given_schema in (schema, SCHEMA):
        try:
            Policies.load(files, given_schema)
        except UsageError as exc:
            assert exc.message  # noqa: PT017
