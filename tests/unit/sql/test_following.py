"""Bodies behind a statement: bounds, cycles, what is not settled, what a trigger writes."""

from __future__ import annotations

from collections.abc import Iterable

from dbgate_core.behaviour import Behaviour, Hook, Routine
from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.masking.temporary import CleanTables
from dbgate_core.meaning import runs_code
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.bodies import body_of
from dbgate_core.sql.effects import Action
from dbgate_core.sql.following import MAX_FOLLOWED
from dbgate_core.sql.tree import kind
from tests.unit.sql.notation import written

INSERTED = frozenset({Action.INSERT})


def routine(oid: int, body: str, language: str = "sql", schema: str = "public") -> Routine:
    text = f"CREATE FUNCTION {schema}.f{oid}() RETURNS void LANGUAGE {language} AS $f${body}$f$"
    return Routine(oid, schema, f"f{oid}", language, "volatile", definition=text)


def known(
    routines: Iterable[Routine], hook: Hook | None = None, kind: RelationKind = RelationKind.TABLE
) -> Catalog:
    columns = (Column(1, "id", 23),)
    hooks = {7: (hook,)} if hook else {}
    behaviour = Behaviour({routine.oid: routine for routine in routines}, hooks)
    return Catalog([CatalogRelation(7, "public", "t", kind, columns)], behaviour=behaviour)


def effects(text: str, catalog: Catalog, *, settled: bool = True) -> set[str]:
    return {written(effect) for effect in analyse(text, catalog, settled=settled).effects}


def test_bodies_that_call_each_other_end_and_show_the_same_from_either_side() -> None:
    catalog = known([routine(1, "DELETE FROM t; SELECT f2()"), routine(2, "SELECT f1()")])
    for name in ("f1", "f2", "f2"):
        assert "delete public.t table ?absent" in effects(f"select {name}()", catalog)


def test_more_bodies_than_are_followed_are_not_understood() -> None:
    chain = [routine(n, f"SELECT f{n + 1}()") for n in range(1, MAX_FOLLOWED + 3)]
    assert analyse("select f1()", known(chain)).incomplete


def test_a_trigger_whose_function_is_not_known_is_a_call() -> None:
    found = effects("insert into t values (1)", known([], Hook(INSERTED, routine=9)))
    assert "call - function : not followed" in found


def test_a_rule_that_cannot_be_read_is_unknown() -> None:
    catalog = known([], Hook(INSERTED, text="CREATE RULE not sql"))
    assert analyse("insert into t values (1)", catalog).incomplete
    assert not analyse("delete from t", catalog).incomplete


def test_no_body_is_believed_while_own_ddl_is_not_in_the_catalog() -> None:
    catalog = known([routine(1, "SELECT 1")])
    assert "call public.f1 function : followed: sql volatile" in effects("select f1()", catalog)
    unfollowed = "call public.f1 function : not followed: sql volatile"
    assert unfollowed in effects("select f1()", catalog, settled=False)
    assert unfollowed in effects("alter table t add x int; select f1()", catalog)


def test_a_function_of_the_same_text_is_not_judged_by_its_namesake() -> None:
    catalog = known([routine(1, "SELECT 1")])
    text = "create or replace function f1() returns void language plpgsql as $$ begin execute x; end $$"
    assert "call f1 function" in effects(f"{text}; select f1()", catalog)


def test_overloads_of_every_schema_are_followed() -> None:
    elsewhere = Routine(
        3, "other", "f1", "sql", "volatile",
        definition="CREATE FUNCTION other.f1() RETURNS void LANGUAGE sql AS 'DELETE FROM public.t'",
    )  # fmt: skip
    catalog = known([routine(1, "SELECT 1"), elsewhere])
    assert "delete public.t table ?absent" in effects("select f1()", catalog)
    assert "delete public.t table ?absent" not in effects("select public.f1()", catalog)


def test_a_body_that_was_read_is_no_code_but_for_portals() -> None:
    bodies = ["SELECT 1", "begin return; end", "declare c cursor for select 1; begin open c; end",
              "begin execute a; end", "begin perform f3(); end"]  # fmt: skip
    catalog = known(
        [routine(n, body, "sql" if n == 1 else "plpgsql") for n, body in enumerate(bodies, 1)]
    )
    found = [runs_code(analyse(f"select f{n}()", catalog)) for n in range(1, 6)]
    assert found == [False, False, True, True, True]
    assert runs_code(analyse("select f1()", catalog, settled=False))


def test_a_trigger_that_opens_portals_is_code() -> None:
    opens = routine(9, "declare c cursor for select 1; begin open c; end", "plpgsql")
    catalog = known([opens], Hook(INSERTED, routine=9))
    assert runs_code(analyse("insert into t values (1)", catalog))


def test_a_users_cast_is_none_of_a_text_constant() -> None:
    catalog = known([Routine(9, "public", "f9", "c", "immutable")])
    catalog = Catalog(
        catalog.relations,
        behaviour=Behaviour(catalog.behaviour.routines, types={"text": (Hook(frozenset(), 9),)}),
    )
    asked = (
        "'x'::text",
        "'x'::mood::text",
        "id::text",
        "$1::text",
        "1::text",
        "cast('x' as text)",
        "'x'::text(3)",
    )
    found = [any("call" in e for e in effects(f"select {a} from t", catalog)) for a in asked]
    assert found == [False, True, True, True, True, False, True]


def test_locks_and_sleep_are_no_code() -> None:
    for text, code in (
        ("pg_sleep(0)", False),
        ("pg_try_advisory_lock(1)", False),
        ("query_to_xml('', true, true, '')", True),
    ):
        assert runs_code(analyse(f"select {text}", known([]))) is code


def test_a_language_that_is_not_read_and_code_that_moves_names_are_not_followed() -> None:
    for body, language in (("x", "plperl"), ("CREATE TEMP TABLE x ()", "sql"),
                           ("PREPARE p AS SELECT 1", "sql"), ("SET search_path = x", "sql")):  # fmt: skip
        catalog = known([routine(1, body, language)], Hook(INSERTED, routine=1))
        calls = [effect for effect in analyse("insert into t values (1)", catalog).effects
                 if effect.action is Action.CALL]  # fmt: skip
        assert [call.detail for call in calls] == [f"not followed: {language} volatile"], body


def test_a_foreign_table_reaches_another_server() -> None:
    catalog = known([], kind=RelationKind.FOREIGN)
    assert "select public.t foreign table !network : another server" in effects("table t", catalog)


def test_a_temporary_table_that_a_trigger_writes_is_not_clean() -> None:
    tables = CleanTables()
    catalog = known([routine(1, "INSERT INTO log VALUES (1)")], Hook(INSERTED, routine=1))
    made = analyse("create temp table log (v text)", catalog)
    tables.begin(made, False, path_known=True)
    tables.end(made, ok=True, tag="CREATE TABLE", alone=True, uncommitted=False)
    assert tables.names == {"log"}
    tables.begin(analyse("insert into t values (1)", catalog), False, path_known=True)
    assert tables.names == frozenset()


def test_the_body_of_a_procedure_is_read() -> None:
    read = body_of("create procedure p(a numeric(3) default 1) language plpgsql as 'begin delete from t; end'")  # fmt: skip
    assert read.whole
    assert [kind(node) for node in read.nodes if kind(node)] == ["a_const", "delete_stmt"]
