"""Tables may have been renamed since the catalog was read: what is read may be another's."""

from __future__ import annotations

import pytest

from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.flows import hidden_flow
from dbgate_core.masking.moved import ALL_NAMES, moved_columns

INT, TEXT = 23, 25
FOUND = frozenset({DataClass.PERSON_NAME})


def _table(oid: int, name: str, *columns: Column) -> CatalogRelation:
    return CatalogRelation(oid, "public", name, RelationKind.TABLE, columns)


KEPT = _table(1, "kept", Column(1, "id", INT), Column(2, "body", TEXT, FOUND, found=FOUND))
NOTES = _table(2, "notes", Column(1, "id", INT), Column(2, "body", TEXT), Column(3, "note", TEXT))
PLAIN = _table(3, "plain", Column(1, "id", INT), Column(2, "word", TEXT))
CATALOG = Catalog([KEPT, NOTES, PLAIN], "1")


@pytest.mark.parametrize(
    "text",
    [
        "insert into plain (word) select body from notes",
        "insert into plain select id, body from public.notes",
        "update plain set word = (select n.body from notes n limit 1)",
        "create table copied as select body from notes",
        "merge into plain p using notes n on p.id = n.id when matched then update set word = n.body",
    ],
)
def test_a_column_may_be_that_of_another_table(text: str) -> None:
    """`alter table notes rename to away; alter table kept rename to notes`, and nobody else sees it yet."""
    assert hidden_flow(text, CATALOG) == ""
    assert hidden_flow(text, CATALOG, renamed=True)


@pytest.mark.parametrize(
    "text",
    [
        "insert into plain (id) select id from notes",
        "insert into plain (word) select note from notes",
        "update plain set word = word || 'x'",
        "insert into kept (body) values ('x')",
    ],
)
def test_others_go_on(text: str) -> None:
    assert hidden_flow(text, CATALOG, renamed=True) == ""


def test_what_is_written_to_is_what_it_was() -> None:
    """A plain column does not take protected values for what its name may mean elsewhere."""
    assert hidden_flow("insert into notes (body) select body from kept", CATALOG, renamed=True)


@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("insert into plain (word) select note from notes", True),
        ("insert into plain (word) select upper(n.note) from notes n", True),
        ("update notes set note = (select body from kept limit 1)", True),
        ("insert into kept (note) select body from kept", True),
        ("insert into plain (word) select word from plain", False),
        ("insert into kept (body) select note from notes", False),
        ("update notes set note = 'x'", False),
    ],
)
def test_a_name_that_a_column_was_given_may_mean_any(text: str, moves: bool) -> None:
    """`alter table kept rename body to old; alter table kept rename note to body; ... old to note`."""
    found = hidden_flow(text, CATALOG, renamed=True, moved=frozenset({"note"}))
    assert bool(found) is moves


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("alter table t rename a to b; alter table t rename column c to d", {"b", "d"}),
        ("do $$ begin alter table t rename a to b; end $$", {""}),
        ("select 1 +", {""}),
    ],
)
def test_which_names_are_given(text: str, moved: set[str]) -> None:
    assert moved_columns(text) == moved


def test_code_may_give_any_name() -> None:
    text = "insert into plain (word) select word from plain"
    assert hidden_flow(text, CATALOG, renamed=True, moved=ALL_NAMES)
