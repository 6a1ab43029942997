"""What triggers, rules and functions write: the columns that they fill have the classes of what goes in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbgate_core.behaviour import Behaviour, Hook, Routine
from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.flows import hidden_flow
from dbgate_core.masking.routines import passes_arguments
from dbgate_core.masking.triggers import with_filled_classes
from dbgate_core.sql.effects import Action

TEXT, TSVECTOR = 25, 3614
EMAIL, PHONE = frozenset({DataClass.EMAIL}), frozenset({DataClass.PHONE})
EVENTS = frozenset({Action.INSERT, Action.UPDATE})


def table(oid: int, name: str, *columns: str) -> CatalogRelation:
    classes = {"email": EMAIL, "phone": PHONE}
    made = [
        Column(n, column, TEXT, classes.get(column, frozenset()))
        for n, column in enumerate(columns, 1)
    ]
    return CatalogRelation(oid, "public", name, RelationKind.TABLE, tuple(made))


PEOPLE = table(20_001, "people", "id", "email", "phone", "note", "slug", "n")
TRAIL = table(20_002, "trail", "op", "was", "what")
BELOW = table(20_003, "below", "id", "note", "more")


def routine(oid: int, name: str, body: str, language: str = "plpgsql", head: str = "") -> Routine:
    head = head or f"{name}() returns trigger"
    text = f"create function public.{head} language {language} as $body$ {body} $body$"
    return Routine(oid, "public", name, language, "volatile", definition=text)


HELPERS = (
    routine(901, "slugged", "select lower(t)", "sql", "slugged(t text) returns text"),
    routine(902, "jot", "insert into trail (what) values ($1)", "sql", "jot(text) returns void"),
    routine(903, "pass_on", "begin perform jot(t); end", head="pass_on(t text) returns void"),
    routine(904, "mail", "select email from people limit 1", "sql", "mail() returns text"),
    routine(905, "again", "begin perform again(t); end", head="again(t text) returns void"),
    routine(906, "says", "begin return current_setting(t); end", head="says(t text) returns text"),
    routine(
        908,
        "fetches",
        "declare v text; begin fetch c into v; return v; end",
        head="fetches(c refcursor) returns text",
    ),
    routine(907, "opens", "begin open c for select 1; end", head="opens(c refcursor) returns void"),
)


def catalog(*triggers: Routine | Hook, hooked: CatalogRelation = PEOPLE) -> Catalog:
    hooks = [t if isinstance(t, Hook) else Hook(EVENTS, t.oid) for t in triggers]
    routines = [*HELPERS, *(t for t in triggers if isinstance(t, Routine))]
    behaviour = Behaviour(
        {one.oid: one for one in routines}, {hooked.oid: tuple(hooks)},
        descendants={PEOPLE.oid: (BELOW.oid,)},
    )  # fmt: skip
    names = [one.name for one in routines]
    return Catalog([PEOPLE, TRAIL, BELOW], "1", names, behaviour=behaviour)


def gained(found: Catalog) -> dict[str, list[str]]:
    before = {PEOPLE.oid: PEOPLE, TRAIL.oid: TRAIL, BELOW.oid: BELOW}
    return {
        f"{relation.name}.{column.name}": sorted(column.classes - was.classes)
        for relation in found.relations
        for column, was in zip(relation.columns, before[relation.oid].columns, strict=True)
        if column.classes != was.classes
    }


NOTE = {"people.note": ["email"], "below.note": ["email"]}


@pytest.mark.parametrize(
    ("body", "filled"),
    [
        ("begin new.note := new.email; return new; end", NOTE),
        ("begin NEW.note = lower(NEW.Email); return new; end", NOTE),
        ('begin new."note" := old.email; return new; end', NOTE),
        ("declare v text := new.email; begin new.note := v || '!'; return new; end", NOTE),
        ("declare v text; w text; begin new.note := w; w := v; v := new.email; return new; end", NOTE),
        ("begin select email into new.note from people limit 1; return new; end", NOTE),
        ("begin new.note := (select mail()); return new; end", {"people.note": ["email", "phone"], "below.note": ["email", "phone"]}),
        ("begin select 1, new.email into new.n, new.note; return new; end", NOTE),
        ("begin select 1, new.email into strict new.n, new.note; return new; end", NOTE),
        ("declare r record; begin for r in select email as x from people loop new.note := r.x; end loop; return new; end", NOTE),
        ("declare v text; begin foreach v in array string_to_array(new.email, '@') loop new.note := v; end loop; return new; end", {"people.note": ["email", "phone"], "below.note": ["email", "phone"]}),
        ("begin update people set note = new.email where id = new.id; return null; end", NOTE),
        ("begin insert into trail values (tg_op, row_to_json(new), 'x'); return null; end", {"trail.was": ["email", "phone"]}),
        ("begin insert into trail (was) select email from fresh; return null; end", {"trail.was": ["email"]}),
        ("begin insert into trail (op, what) values (tg_op, slugged(new.email)); return null; end", {"trail.what": ["email"]}),
        ("begin perform jot(new.phone); return new; end", {"trail.what": ["phone"]}),
        ("begin perform pass_on(new.phone); return new; end", {"trail.what": ["phone"]}),
        ("begin perform again(new.phone); return new; end", {}),
        ("begin if new.email <> '' then new.note := 'set'; end if; return new; end", {}),
        ("begin new.note := now(); new.slug := slugged(new.slug); new.n := new.n + 1; return new; end", {}),
        ("declare v text := tg_name; n int; begin get diagnostics n = row_count; new.note := v; return new; end", {}),
        ("begin perform jot('x'); new.email := lower(new.email); return new; end", {}),
        ("begin delete from trail; return old; end", {}),
    ],
)  # fmt: skip
def test_what_a_trigger_fills_has_the_classes_of_what_goes_in(
    body: str, filled: dict[str, list[str]]
) -> None:
    assert gained(with_filled_classes(catalog(routine(1, "t", body)))) == filled


def test_a_row_that_is_returned_in_its_place_may_hold_anything_it_was_given() -> None:
    body = "declare r people; begin r := new; r.note := new.email; return r; end"
    assert "people.note" in gained(with_filled_classes(catalog(routine(1, "t", body))))


@pytest.mark.parametrize("language", ["c", "plpython3u"])
def test_code_that_cannot_be_read_may_fill_every_column_of_its_row(language: str) -> None:
    found = gained(with_filled_classes(catalog(routine(1, "t", "x", language))))
    assert found["people.note"] == ["email", "phone"]


def test_code_of_extensions_that_is_known_fills_nothing() -> None:
    assert not gained(with_filled_classes(catalog(routine(1, "moddatetime", "x", "c"))))


def test_a_rule_fills_what_its_actions_write() -> None:
    text = (
        "CREATE RULE r AS ON INSERT TO people DO ALSO INSERT INTO trail (what) VALUES (new.email)"
    )
    hook = Hook(frozenset({Action.INSERT}), text=text)
    assert gained(with_filled_classes(catalog(hook))) == {"trail.what": ["email"]}


def test_what_is_filled_fills_others() -> None:
    first = routine(1, "a", "begin insert into trail (was) values (new.note); return new; end")
    second = routine(2, "b", "begin new.note := new.email; return new; end")
    found = gained(with_filled_classes(catalog(first, second)))
    assert found == {**NOTE, "trail.was": ["email"]}


def test_lexemes_are_those_of_their_row() -> None:
    columns = (*PEOPLE.columns, Column(9, "words", TSVECTOR))
    relation = CatalogRelation(20_009, "public", "found", RelationKind.TABLE, columns)
    words = with_filled_classes(Catalog([relation])).relations[0].column("words")
    assert words is not None
    assert words.classes == EMAIL | PHONE


@pytest.mark.parametrize(
    ("name", "passes"),
    [("slugged", True), ("jot", False), ("pass_on", False), ("mail", False), ("says", False), ("fetches", False), ("no_such", False)],
)  # fmt: skip
def test_a_function_passes_its_arguments_on_or_not(name: str, passes: bool) -> None:
    assert passes_arguments(name, catalog()) is passes


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("select jot(email) from people", True),
        ("select pass_on(phone) from people", True),
        ("with w as (select jot(email) from people) select 1", True),
        ("do $$ begin perform jot(email) from people; end $$", True),
        ("select jot('x')", False),
        ("select jot(note) from people", False),
        ("select slugged(email) from people", False),
    ],
)
def test_a_function_moves_nothing_protected(text: str, moved: bool) -> None:
    assert bool(hidden_flow(text, catalog())) is moved


def test_what_people_said_of_a_column_stands() -> None:
    body = "begin new.note := new.email; new.slug := new.email; return new; end"
    found = catalog(routine(1, "t", body))
    columns = tuple(replace(c, reviewed=c.name == "note") for c in PEOPLE.columns)
    reviewed = found.with_relations(
        replace(r, columns=columns) if r.oid == PEOPLE.oid else r for r in found.relations
    )
    assert "people.note" not in gained(with_filled_classes(reviewed))
    slug = with_filled_classes(reviewed).relations[0].column("slug")
    assert slug is not None
    assert (slug.filled, slug.classes) == (EMAIL, EMAIL)


def chain(length: int, last: str) -> list[Routine]:
    """Functions of which each calls the next, twice."""
    calls = [
        routine(1_000 + n, f"c{n}", f"begin perform c{n + 1}(t); perform c{n + 1}(t); end", head=f"c{n}(t text) returns void")
        for n in range(length)
    ]  # fmt: skip
    return [
        *calls,
        routine(1_000 + length, f"c{length}", last, "sql", f"c{length}(t text) returns void"),
    ]


@pytest.mark.parametrize("length", [1, 7, 8, 40, 200])
def test_calls_within_calls_are_followed_without_end_or_loss(length: int) -> None:
    """Were each call followed anew, two hundred of them, twice each, would not end here."""
    made = chain(length, "insert into trail (what) values (t)")
    found = catalog(routine(1, "t", "begin perform c0(new.email); return new; end"), *made)
    hooks = {PEOPLE.oid: (Hook(EVENTS, 1),)}
    behaviour = replace(found.behaviour, hooks=hooks)
    whole = Catalog(found.relations, "1", [r.name for r in (*made, *HELPERS)], behaviour=behaviour)
    assert "email" in gained(with_filled_classes(whole))["trail.what"]
