"""Bounds of the parser: length, depth, and that no text ends the process."""

from __future__ import annotations

import threading

import pytest

from dbgate_core.errors import LimitExceeded
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.parser import MAX_CHAIN, MAX_TEXT_BYTES, NotParsed, parse

# Each repeats something that nests to the left: the parser does not bound it, its C code recurses.
LEFT = {
    "operators": ("select 1", "+1"),
    "comments between": ("select 1", "/**/+/**/1"),
    "casts": ("select 1", "::int"),
    "joins": ("select 1 from a", " join b on true"),
    "unions": ("select 1", " union select 1"),
    "collations": ("select 'a'", ' collate "C"'),
    "time zones": ("select now()", " at time zone 'utc'"),
    "concatenation": ("select 'a'", "||'a'"),
    "fields": ("select (a)", ".b"),
    "under a comma": ("select f(1", "+1"),
}
# Each hides depth from a count that a comma resets.
STEPS = {
    "calls": ("f(", ", 1)"),
    "arrays": ("array[", ", 1]"),
    "rows": ("(", ", 1)"),
}


@pytest.mark.parametrize("name", LEFT)
def test_a_chain_over_the_bound_is_refused(name: str) -> None:
    head, step = LEFT[name]
    count = min(MAX_CHAIN * 4, (MAX_TEXT_BYTES - 100) // len(step))
    tail = ")" if name == "under a comma" else ""
    if name == "fields":  # a flat list, however long
        parse(head + step * 4000)
        return
    with pytest.raises(LimitExceeded):
        parse(head + step * count + tail)


@pytest.mark.parametrize("name", STEPS)
def test_depth_adds_up_through_brackets(name: str) -> None:
    opening, closing = STEPS[name]
    inner = "1"
    for _ in range(5):
        inner = opening + inner + "+1" * (MAX_CHAIN // 2) + closing
    with pytest.raises(LimitExceeded):
        parse("select " + inner)


@pytest.mark.parametrize("name", LEFT)
def test_a_long_chain_under_the_bound_is_judged(name: str) -> None:
    head, step = LEFT[name]
    tail = ")" if name == "under a comma" else ""
    assert analyse(head + step * 300 + tail).effects


def test_the_deepest_chain_fits_a_threads_stack() -> None:
    found: list[int] = []
    text = "select 1" + "+1" * (MAX_CHAIN - 10)
    thread = threading.Thread(target=lambda: found.append(analyse(text).statements))
    thread.start()
    thread.join(60)
    assert found == [1]


@pytest.mark.parametrize(
    "text",
    ["select " + "(" * 50_000 + "1" + ")" * 50_000, "select " + "not " * 50_000 + "true",
     "select " + "- " * 50_000 + "1", "select " + "(select " * 20_000 + "1" + ")" * 20_000,
     "select " + "case when true then " * 20_000 + "1" + " end" * 20_000,
     "delete from t where " + "not " * 3_000 + "true",
     "select " + "f(" * 20_000 + "1" + ")" * 20_000],
)  # fmt: skip
def test_nesting_to_the_right_ends_in_an_answer(text: str) -> None:
    try:
        analyse(text)
    except (NotParsed, LimitExceeded):
        return


def test_a_long_flat_text_is_judged() -> None:
    rows = ",".join(f"({number},-1.5,'abc',null,'2020-01-01'::date)" for number in range(5_000))
    assert len(analyse(f"insert into t values {rows}").effects) == 1
    listed = ",".join(str(number) for number in range(50_000))
    assert analyse(f"select * from t where id in ({listed})").effects


def test_a_text_over_the_bound_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        analyse("select '" + "x" * MAX_TEXT_BYTES + "'")
    with pytest.raises(LimitExceeded):
        analyse("select '" + "\u00e9" * (MAX_TEXT_BYTES // 2) + "'")


@pytest.mark.parametrize(
    "text",
    ["select 1 " + "/*" * 12_000 + "*/" * 12_000, "select 1 " + "/**/+" * 8_000 + "1",
     "select 1 " + "+" * 24_000 + " 1", "do $$ begin perform 1 " + "+" * 24_000 + " 1; end $$",
     "do E'begin perform 1 " + "\\x2b" * 24_000 + " 1; end'"],
)  # fmt: skip
def test_a_row_of_operators_that_takes_the_scanner_long_is_not_read(text: str) -> None:
    """Its time grows with the square: 200 KB of these would hold the broker for minutes."""
    try:
        found = analyse(text)
    except LimitExceeded:
        return
    assert found.incomplete


def test_lines_of_operators_as_people_draw_them_are_read() -> None:
    drawn = "-- " + "=" * 200 + "\n/*" + "*" * 300 + "*/\n"
    assert analyse(drawn * 100 + "select 1").statements == 1


def test_with_queries_without_end_are_refused() -> None:
    """What each sees is a copy of what the one before it saw."""
    many = ", ".join(f"c{number} as (select 1)" for number in range(3_000))
    with pytest.raises(LimitExceeded, match="WITH"):
        analyse(f"with {many} select 1")


def test_many_statements_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        analyse("select 1;" * 20_000)


def test_a_condition_too_deep_to_be_followed_is_trivial() -> None:
    text = "delete from t where id = 3" + " + 1" * 2_000
    (effect,) = analyse(text).effects
    assert effect.predicate == "trivial"
