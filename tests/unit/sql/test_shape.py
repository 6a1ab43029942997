"""Texts of one shape are judged alike, whatever their constants: that is what a shape promises."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.plan import plan_rows
from dbgate_core.pgwire.rows import Field
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.shape import MAX_CHARS, has_shape, shape_of
from dbgate_core.verdicts import Subject, Verdicts, flow
from tests.unit.guard.doubles import ALICE, PROD, SHOP, TablePolicy
from tests.unit.sql.test_cases import TABLE

CONSTANTS = [
    *("0", "1", "-1", "5", "9999999999", "1.5", "1e9", "null", "true", "false", "B'1'", "X'ff'"),
    *("''", "'t'", "'yes'", "'email'", "'customers'", "'customers.email'", "'a.b'", "'%'", "'{}'"),
    *("'.*'", "'select 1'", "'search_path'", "'$.email'", "'it''s'", "'--'", "'/*'"),
]
constants = st.sampled_from(CONSTANTS)
columns = st.sampled_from(["id", "email", "c.email", "customers.id", "count(*)", "max(email)"])
operators = st.sampled_from(["=", "<>", "<", ">=", "+", "*"])


def _filled(template: str, values: list[str]) -> str:
    rest = iter(values)
    return re.sub("@", lambda _: next(rest), template)


@st.composite
def templates(draw: st.DrawFn) -> str:
    """A SELECT or INSERT with `@` for each constant."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(["insert into customers (id, email) values (@, @)",
                                     "insert into plain select @ from plain where id = @"]))  # fmt: skip
    tests = draw(
        st.lists(
            st.one_of(
                st.builds(lambda c, o: f"{c} {o} @", columns, operators),
                st.builds(lambda c: f"{c} in (@, @, @)", columns),
                st.builds(lambda c: f"{c} between @ and @", columns),
                st.builds(lambda c: f"{c} is not null", columns),
                st.just("@"),
                st.just("@ = @"),
            ),
            max_size=3,
        )
    )
    shown = draw(st.lists(st.one_of(columns, st.just("@"), st.just("*")), min_size=1, max_size=3))
    where = f" where {draw(st.sampled_from([' and ', ' or '])).join(tests)}" if tests else ""
    union = draw(st.sampled_from(["", " union select @, @ from plain", " order by 1"]))
    return f"select {', '.join(shown)} from customers c{where}{union}"


def _facts(text: str) -> list[object]:
    """All that judging and masking take from a text, but the text itself."""
    analysis = analyse(text, SHOP)
    bare = dataclasses.replace(analysis, text="", canonical="", defines={})
    fields = tuple(Field(n, 0, 0, 25, -1, -1, 0) for n in ("a", "b"))
    masks = [
        plan_rows(fields[:count], analysis, text, SHOP, MaskKey(b"k" * 32)) for count in (1, 2)
    ]
    masked = [() if mask is None else tuple(mask.masked) for mask in masks]
    return [bare, flow(analysis, SHOP, ("public",)), masked]


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_texts_of_one_shape_are_judged_alike(data: st.DataObject) -> None:
    template = data.draw(templates())
    count = template.count("@")
    values = st.lists(constants, min_size=count, max_size=count)
    one, other = (_filled(template, data.draw(values)) for _ in range(2))
    if not (has_shape(one) and has_shape(other)):
        return
    if shape_of(one) == shape_of(other):
        assert _facts(one) == _facts(other)


def test_every_case_with_a_shape_is_judged_as_with_other_constants() -> None:
    """The constants of the shape itself stand for all others: parameters, of which nothing is known."""
    shaped = 0
    for text in sorted({case.text for case in TABLE}):
        shape = shape_of(text)
        if shape in ("", text) or not has_shape(text):
            continue
        shaped += 1
        one, all_others = (
            dataclasses.replace(analyse(t, SHOP), text="", canonical="") for t in (text, shape)
        )
        assert one == all_others, text
    assert shaped > 5


@pytest.mark.parametrize(
    "text",
    [
        "select 1; select 2",
        "update plain set id = 1 where id = 1",
        "delete from plain where id = 1",
        "select set_config('search_path', 'x', false)",
        "select 'plain'::regclass",
        "select nextval('s')",
        "select pg_read_file('/etc/passwd')",
        "select * from customers limit 5",
        "select * from customers offset 5",
        "select * from customers where email like 'a%'",
        "select * from customers where email ~ 'a'",
        "select * from customers where email operator(public.=) 'a'",
        "select doc ->> 'email' from customers",
        "with x as (delete from plain where id = 1) select 1",
        "select (select email from customers where id = 1)",
        "select * from (select 1) x",
        "select 1 into t2",
        "select * from customers where id = 1 for update",
        "insert into plain values (1) on conflict do nothing",
        "insert into plain values (1) on conflict (id) do update set id = 1 where plain.id = 1",
        "insert into plain values (1) returning id",
        "explain analyze select 1",
        "prepare p as select 1",
        "execute p (1)",
        "set x = 1",
        "do 'begin end'",
        "copy plain to 'x'",
        "select query_to_xml('select 1', true, true, '')",
        "select * from customers tablesample system (1)",
        "select upper('x')",
        "fetch 5 from c",
        "lock table plain",
    ],
)
def test_where_a_constant_may_matter_there_is_no_shape(text: str) -> None:
    assert not has_shape(text)


@pytest.mark.parametrize(
    "text", ["select $1", "select $$x$$", "selec 1", "select '\0'", f"select '{'x' * MAX_CHARS}'"]
)
def test_a_shape_is_not_looked_for(text: str) -> None:
    assert shape_of(text) == ""


def test_other_constants_cost_no_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    subject, verdicts = Subject(ALICE, PROD, "readonly"), Verdicts(TablePolicy())
    first = verdicts.judge(subject, "select id from plain where id = 1", SHOP, ("public",))
    monkeypatch.setattr("dbgate_core.verdicts.analyse", None)
    other = verdicts.judge(subject, "select id from plain where id = 22", SHOP, ("public",))
    assert other is first


def test_a_refusal_is_not_shared() -> None:
    """Its words may quote the statement, and what is held is bound to its very text."""
    policy = TablePolicy(denied=frozenset(analyse("select 1").effects[0].action for _ in "x"))
    subject, verdicts = Subject(ALICE, PROD, "readonly"), Verdicts(policy)
    for number in range(3):
        verdicts.judge(subject, f"select {number}", SHOP, ("public",))
    assert policy.asked == 3
