"""What is known of columns, put on a catalog: samples add, reviews decide, renaming loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbgate_core.catalog import CatalogRelation, Column, RelationKind
from dbgate_core.classify.decide import Looked
from dbgate_core.classify.finding import Finding, Path, Source
from dbgate_core.classify.inheriting import inherited
from dbgate_core.classify.known import Kept, Known
from dbgate_core.classify.review import Review, read_review
from dbgate_core.errors import UsageError
from dbgate_core.masking.classes import DataClass

EMAIL = frozenset({DataClass.EMAIL})
CARD = frozenset({DataClass.CARD_NUMBER})
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def table(*columns: Column, oid: int = 20_000, name: str = "t") -> CatalogRelation:
    return CatalogRelation(oid, "public", name, RelationKind.TABLE, columns)


def kept(column: str, *findings: Finding, paths: tuple[Path, ...] = (), attnum: int = 1) -> Kept:
    name = ("public", "t", column)
    return Kept(name, 20_000, attnum, 25, Looked(findings, 9, paths), NOW)


def only(relation: CatalogRelation, known: Known) -> Column:
    (column,) = known.applied(relation).columns
    return column


def found(data_class: DataClass, path: Path = (), source: Source = Source.CONTENT) -> Finding:
    return Finding(data_class, 99, "because", source, path)


def test_content_adds_to_the_name() -> None:
    known = Known.of([kept("c", found(DataClass.CARD_NUMBER))], Review(), "1")
    column = only(table(Column(1, "c", 25, EMAIL)), known)
    assert column.classes == EMAIL | CARD
    assert column.found == CARD


def test_what_a_name_said_once_is_no_evidence() -> None:
    known = Known.of([kept("c", found(DataClass.EMAIL, source=Source.NAME))], Review(), "1")
    assert only(table(Column(1, "c", 25)), known).classes == frozenset()


def test_a_renamed_column_keeps_what_it_holds() -> None:
    known = Known.of([kept("old", found(DataClass.CARD_NUMBER))], Review(), "1")
    assert only(table(Column(1, "new", 25)), known).classes == CARD
    assert only(table(Column(2, "new", 25)), known).classes == frozenset()
    assert only(table(Column(1, "new", 23)), known).classes == CARD
    assert only(table(Column(1, "new", 25), oid=20_001), known).classes == frozenset()


def test_members_of_documents_are_told_apart_and_the_whole_is_protected() -> None:
    paths = (("a",), ("b",))
    known = Known.of([kept("d", found(DataClass.EMAIL, ("a",)), paths=paths)], Review(), "1")
    column = only(table(Column(1, "d", 25)), known)
    assert (column.classes, column.derived) == (EMAIL, True)
    assert column.document is not None
    assert column.document.below(("a",)) == (EMAIL, True)
    assert column.document.below(("b",)) == (frozenset(), True)
    assert column.document.below(("c",)) is None


def test_a_name_that_protects_the_whole_leaves_no_member_in_clear() -> None:
    paths = (("a",), ("b",))
    known = Known.of([kept("d", found(DataClass.EMAIL, ("a",)), paths=paths)], Review(), "1")
    assert only(table(Column(1, "d", 25, CARD)), known).document is None


REVIEWED = """
[[columns]]
column = "public.t.c"
classes = []
reason = "test numbers"

[[columns]]
column = "public.t.d"
path = "user.nick"
classes = ["person_name"]
reason = "people write names here"

[[columns]]
column = "public.t.gone"
classes = ["secret"]
reason = "-"
"""


def test_a_review_overrides_name_and_content() -> None:
    review = read_review(REVIEWED, "x.toml")
    known = Known.of([kept("c", found(DataClass.CARD_NUMBER))], review, "1")
    column = only(table(Column(1, "c", 25, EMAIL)), known)
    assert (column.classes, column.found) == (frozenset(), frozenset())
    member = only(table(Column(2, "d", 3802)), known)
    assert member.document is not None
    assert member.document.below(("user", "nick")) == (frozenset({DataClass.PERSON_NAME}), True)


def test_columns_that_are_not_there_are_named() -> None:
    review = read_review(REVIEWED, "x.toml")
    there = [table(Column(1, "c", 25), Column(2, "d", 3802))]
    assert review.unknown(there) == ["public.t.gone"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = 1", "x"),
        ('[[columns]]\ncolumn="t.c"\nclasses=[]\nreason="r"', "schema.table.column"),
        ('[[columns]]\ncolumn="a.t.c"\nclasses=["mail"]\nreason="r"', "mail"),
        ('[[columns]]\ncolumn="a.t.c"\nclasses=[]', "reason"),
        ('[[columns]]\ncolumn="a.t.c"\nclasses=[]\nreason=""', "reason"),
        (2 * '[[columns]]\ncolumn="a.t.c"\nclasses=[]\nreason="r"\n', "twice"),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, names: str) -> None:
    with pytest.raises(UsageError, match=names):
        read_review(text, "x.toml")


def test_partitions_have_their_parents_classes() -> None:
    parent = table(Column(1, "c", 25, CARD, found=CARD))
    child = table(Column(4, "c", 25), oid=20_001, name="t_1")
    alone = table(Column(1, "c", 25), oid=20_002, name="u")
    classed = inherited([child, parent, alone], {20_000: (20_001,)})
    assert [relation.columns[0].classes for relation in classed] == [CARD, CARD, frozenset()]
