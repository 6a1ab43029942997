"""Names resolved against a catalog: search paths, views at any depth, shadowing functions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.effects import Action, Danger, Predicate, Relation


def relation(
    schema: str, name: str, columns: Sequence[str] = (), definition: str = "",
    kind: RelationKind = RelationKind.TABLE,
) -> CatalogRelation:  # fmt: skip
    listed = tuple(Column(number, column, 23) for number, column in enumerate(columns, 1))
    if definition and kind is RelationKind.TABLE:
        kind = RelationKind.VIEW
    return CatalogRelation(hash((schema, name)) % 10**6, schema, name, kind, listed, definition)


def catalog(*more: CatalogRelation, functions: Sequence[str] = ()) -> Catalog:
    return Catalog(
        [
            relation("public", "t", ["id", "a"]),
            relation("public", "s", ["sid", "x"]),
            relation("shop", "orders", ["id", "total"]),
            relation("shop", "s", ["sid"]),
            *more,
        ],
        functions=functions,
    )


def test_a_name_has_the_schema_that_the_search_path_finds() -> None:
    assert analyse("select * from s", catalog()).reads == {Relation("public", "s")}
    assert analyse("select * from s", catalog(), ("shop", "public")).reads == {
        Relation("shop", "s")
    }
    assert analyse("select * from orders", catalog()).reads == {Relation("", "orders")}
    assert analyse("delete from s", catalog(), ("shop",)).writes == {Relation("shop", "s")}


def test_another_sessions_temporary_table_does_not_stand_for_the_real_one() -> None:
    known = catalog(relation("pg_temp_3", "t", ["id"]))
    analysis = analyse("drop table t", known)
    assert analysis.writes == {Relation("public", "t")}
    assert analysis.effects[0].destructive


def test_views_are_followed_to_what_they_read() -> None:
    known = catalog(
        relation("public", "v", ["id"], "SELECT id FROM w"),
        relation(
            "public", "w", ["id"], "SELECT o.id FROM (shop.orders o JOIN t ON ((t.id = o.id)))"
        ),
    )
    analysis = analyse("select * from v", known)
    names = {"public.v", "public.w", "shop.orders", "public.t"}
    assert {str(name) for name in analysis.reads} == names
    assert [effect.kind for effect in analysis.effects] == ["view"]


def test_views_that_read_each_other_end() -> None:
    known = catalog(
        relation("public", "v", ["id"], "SELECT id FROM w"),
        relation("public", "w", ["id"], "SELECT id FROM v"),
    )
    assert {str(name) for name in analyse("select * from v", known).reads} == {
        "public.v",
        "public.w",
    }


def test_what_a_view_calls_is_called() -> None:
    known = catalog(relation("public", "v", ["a"], "SELECT shop.audit(t.id) AS a FROM t"))
    calls = [
        effect
        for effect in analyse("select * from v", known).effects
        if effect.action is Action.CALL
    ]
    assert [effect.object for effect in calls] == ["shop.audit"]


def test_a_view_that_cannot_be_read_is_unknown() -> None:
    known = catalog(relation("public", "v", ["a"], "SELECT FROM WHERE"))
    assert analyse("select * from v", known).incomplete


def test_writing_through_a_view_writes_what_is_under_it() -> None:
    known = catalog(relation("public", "v", ["id"], "SELECT t.id FROM t"))
    analysis = analyse("delete from v where id = 3", known)
    assert analysis.writes == {Relation("public", "v"), Relation("public", "t")}
    assert analysis.effects[0].kind == "view"


def test_a_materialized_view_is_followed_when_it_is_refreshed() -> None:
    known = catalog(
        relation("public", "m", ["id"], "SELECT t.id FROM t", kind=RelationKind.MATVIEW)
    )
    analysis = analyse("refresh materialized view m", known)
    assert Relation("public", "t") in analysis.reads


@pytest.mark.parametrize("name", ["lower", "count", "now"])
def test_a_function_of_a_built_ins_name_is_a_call(name: str) -> None:
    known = catalog(functions=[name])
    assert Action.CALL in {
        effect.action for effect in analyse(f"select {name}(a) from t", known).effects
    }
    qualified = analyse(f"select pg_catalog.{name}(a) from t", known)
    assert Action.CALL not in {effect.action for effect in qualified.effects}


def test_a_function_hidden_as_an_attribute_is_a_call() -> None:
    known = catalog(functions=["purge", "total"])
    assert "call purge" in _told("select t.purge from t", known)
    assert "call purge" in _told("select (t).purge from t", known)
    assert "call" not in _told("select o.total from shop.orders o", known)


def _told(text: str, known: Catalog) -> str:
    return "; ".join(f"{effect.action} {effect.object}" for effect in analyse(text, known).effects)


def test_functions_of_pure_extensions_are_harmless_when_the_catalog_says_so() -> None:
    assert "call" not in _told("select similarity(a, 'x') from t", catalog())
    assert "call similarity" in _told(
        "select similarity(a, 'x') from t", catalog(functions=["similarity"])
    )
    assert "call unheard_of" in _told("select unheard_of(a) from t", catalog())


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("using s where x = 1", Predicate.TRIVIAL),
        ("using s where a = 1", Predicate.REAL),
        ("using s where a = x", Predicate.REAL),
        ("where exists (select 1 from s where x = 1)", Predicate.TRIVIAL),
        ("where exists (select 1 from s where sid = id)", Predicate.REAL),
        ("where exists (select 1 from s where sid = sid)", Predicate.TRIVIAL),
        ("using shop.orders o where o.total > 3", Predicate.TRIVIAL),
    ],
)
def test_columns_of_other_sources_pick_no_rows(condition: str, expected: Predicate) -> None:
    (effect,) = [
        found for found in analyse(f"delete from t {condition}", catalog()).effects
        if found.action is Action.DELETE
    ]  # fmt: skip
    assert effect.predicate is expected


def test_secrets_of_the_system_are_known_without_a_catalog_entry() -> None:
    effects = analyse("select rolpassword from pg_authid", catalog()).effects
    assert [effect.danger for effect in effects] == [Danger.SECRET]


FILLED = [
    ("id is not null", Predicate.TRIVIAL),
    ("t.id is not null", Predicate.TRIVIAL),
    ("not (id is null)", Predicate.TRIVIAL),
    ("id is null", Predicate.TRIVIAL),
    ("id is not null and a = 3", Predicate.REAL),
    ("id is not null or a = 3", Predicate.TRIVIAL),
    ("a is not null", Predicate.REAL),
    ("length(id) >= 0", Predicate.TRIVIAL),
    ("0 <= abs(id)", Predicate.TRIVIAL),
    ("pg_catalog.length(id) > -1", Predicate.TRIVIAL),
    ("-1 <> abs(id)", Predicate.TRIVIAL),
    ("length(id) > 0", Predicate.REAL),
    ("length(id) >= 1", Predicate.REAL),
    ("length(id) <= 0", Predicate.REAL),
    ("0 >= length(id)", Predicate.REAL),
    ("length(a) >= 0", Predicate.REAL),
    ("id = id", Predicate.TRIVIAL),
    ("id in (select id from t)", Predicate.TRIVIAL),
    ("id in (select id from t where id is not null)", Predicate.TRIVIAL),
    ("exists (select from s where s.id is not null)", Predicate.TRIVIAL),
]


@pytest.mark.parametrize(("condition", "expected"), FILLED)
def test_a_column_that_is_never_null_picks_no_rows_by_not_being_null(
    condition: str, expected: Predicate
) -> None:
    columns = (Column(1, "id", 23, not_null=True), Column(2, "a", 23))
    known = Catalog([CatalogRelation(7, "public", "t", RelationKind.TABLE, columns)])
    (effect,) = [
        found for found in analyse(f"delete from t where {condition}", known).effects
        if found.action is Action.DELETE
    ]  # fmt: skip
    assert effect.predicate is expected
