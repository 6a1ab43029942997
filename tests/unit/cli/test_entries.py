"""Audit entries as people read them."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli.entries import HEADERS, lines, what, who

SCOPE = {"database": "prod-db", "access_role": "readonly", "who": {"name": "alice"}}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["index", "time", "scope", "kind", "text", "verdict", "begin", "policies", "masked", "rows",
     "sqlstate", "status", "who", "reason"]
)  # fmt: skip


def test_a_statement_is_one_line_with_its_outcome() -> None:
    began = {"index": 4, "kind": "statement_began", "scope": SCOPE, "verdict": "allow",
             "time": "2026-11-24T12:00:00Z", "text": "select 1\n  from t"}  # fmt: skip
    ended = {"index": 5, "kind": "statement_ended", "begin": 4, "rows": 3, "sqlstate": "57014"}
    (row,) = lines([began, ended])
    assert dict(zip(HEADERS, row, strict=True)) == {
        "ENTRY": 4, "TIME": datetime.fromisoformat("2026-11-24T12:00:00Z"), "WHO": "alice",
        "DATABASE": "prod-db", "ROLE": "readonly", "VERDICT": "allow", "ROWS": 3,
        "WHAT": "select 1 from t [SQLSTATE 57014]",
    }  # fmt: skip


def test_an_end_whose_beginning_is_elsewhere_has_its_own_line() -> None:
    assert len(lines([{"index": 5, "kind": "statement_ended", "begin": 4, "rows": 3}])) == 1


def test_what_names_the_rule_the_masks_and_the_outcome() -> None:
    held = {"text": "drop table t", "verdict": "deny", "policies": ["no-drop", "base"]}
    assert what(held) == "drop table t [rule no-drop, base]"
    assert what({"text": "x"}, {"masked": [{"column": "email"}]}) == "x [masked email]"
    assert what({"kind": "request_decided", "vote": "deny"}) == "request decided [vote deny]"


def test_who_shows_the_chain_and_quotes_what_is_asserted() -> None:
    chain = {"name": "copilot", "on_behalf_of": {"name": "ci", "on_behalf_of": {"name": "alice"}}}
    assert who({"who": chain}) == "copilot for ci for alice"
    assert who({"who": {"name": "alice", "asserted_agent": "helper"}}) == 'alice ("helper")'


@given(st.lists(st.dictionaries(KEYS, ANYTHING, max_size=8), max_size=5))
def test_any_entry_is_shown(entries: list[dict[str, object]]) -> None:
    for row in lines(entries):
        assert len(row) == len(HEADERS)
