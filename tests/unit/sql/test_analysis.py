"""The rest of an analysis: counts, canonical text, names, flags."""

from __future__ import annotations

import pytest

from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.effects import Action
from dbgate_core.sql.parser import NotParsed, fingerprint


@pytest.mark.parametrize(
    ("text", "statements", "canonical"),
    [
        ("", 0, ""),
        (" ; ;\n", 0, ""),
        ("-- only a comment", 0, "-- only a comment"),
        ("select 1", 1, "select 1"),
        (" \t select 1 ;\n;", 1, "select 1"),
        ("select 1; select 2;", 2, "select 1; select 2"),
        ("select ' ; '", 1, "select ' ; '"),
    ],
)
def test_statements_are_counted_and_the_text_is_trimmed(
    text: str, statements: int, canonical: str
) -> None:
    analysis = analyse(text)
    assert (analysis.text, analysis.statements, analysis.canonical) == (text, statements, canonical)


def test_an_empty_text_does_nothing() -> None:
    analysis = analyse(";")
    assert (analysis.effects, analysis.returns_rows, analysis.incomplete) == ((), False, False)


@pytest.mark.parametrize(
    "text",
    ["selec 1", "select 1 from", "select 'a", "select 1; nonsense", "\ufeffselect 1", "select \0 1",
     "select 1 --\0; drop table t", "\ud800", "delete from t where", "select $$a", "/* open"],
)  # fmt: skip
def test_what_is_not_sql_is_not_judged(text: str) -> None:
    with pytest.raises(NotParsed):
        analyse(text)


def test_the_fingerprint_leaves_literals_out() -> None:
    assert fingerprint("select 1") == fingerprint("SELECT  2;")
    assert fingerprint("select a from t") != fingerprint("select b from t")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("prepare p as select 1", {"p"}),
        ("declare c cursor for select 1; fetch 1 from c", {"c"}),
        ("prepare a as select 1; prepare b as delete from t", {"a", "b"}),
        ("execute p", set()),
        ("select 1", set()),
    ],
)
def test_names_stand_for_the_text_that_made_them(text: str, names: set[str]) -> None:
    assert analyse(text).defines == dict.fromkeys(names, text)


@pytest.mark.parametrize(
    ("flag", "yes", "no"),
    [
        (
            "moves_names",
            ["prepare p as select 1", "execute p", "deallocate p", "declare c cursor for select 1",
             "close c", "discard all", "select 1; deallocate all"],
            ["select 1", "discard plans", "fetch 1 from c", "listen c"],
        ),
        (
            "changes_schema",
            ["create table t (a int)", "drop view v", "alter table t add a int", "select 1 into t",
             "create temp view v as select 1", "create function f() returns int return 1",
             "alter table t rename to u", "create extension x", "drop owned by r",
             "alter table t owner to r", "create schema s", "create policy p on t using (true)"],
            ["select 1", "insert into t values (1)", "truncate t", "set search_path to x", "vacuum"],
        ),
        (
            "sets_search_path",
            ["set search_path to a", "set local search_path = a", "reset search_path", "reset all",
             "select set_config('search_path', 'x', false)", "select set_config($1, 'x', false)",
             "discard all", "set schema 'x'", "select 1; set Search_Path to a",
             "select set_config('Search_path', '', true)"],
            ["select 1", "set statement_timeout to 1", "show search_path",
             "select current_setting('search_path')"],
        ),
        (
            "returns_rows",
            ["select 1", "values (1)", "table t", "explain select 1", "show all", "fetch 1 from c",
             "insert into t values (1) returning a", "delete from t returning *", "execute p",
             "begin; select 1; commit"],
            ["insert into t values (1)", "select 1 into t", "create table n as select 1", "begin",
             "copy t to stdout", "set a.b to 1", "declare c cursor for select 1",
             "prepare p as select 1", ""],
        ),
    ],
)  # fmt: skip
def test_a_flag_is_set_where_it_is_due(flag: str, yes: list[str], no: list[str]) -> None:
    for text in yes:
        assert getattr(analyse(text), flag), text
    for text in no:
        assert not getattr(analyse(text), flag), text


def test_effects_are_told_once() -> None:
    analysis = analyse("select * from t; select * from t; delete from t; delete from t")
    assert [effect.action for effect in analysis.effects] == [Action.SELECT, Action.DELETE]


def test_functions_are_named() -> None:
    assert analyse("select lower(a), pg_catalog.upper(b), f(c) from t").functions == {
        "lower", "pg_catalog.upper", "f",
    }  # fmt: skip
