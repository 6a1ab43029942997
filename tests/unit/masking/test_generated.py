"""A generated column carries what its expression reads."""

from __future__ import annotations

import pytest

from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.generated import with_generated_classes

TEXT = 25
EMAIL = frozenset({DataClass.EMAIL})


def _filled_by(expression: str) -> Column:
    table = CatalogRelation(
        20_000, "public", "customers", RelationKind.TABLE,
        (
            Column(1, "id", 23),
            Column(2, "email", TEXT, EMAIL),
            Column(3, "hint", TEXT, generated=expression),
        ),
    )  # fmt: skip
    (found,) = with_generated_classes(Catalog([table], "1")).relations
    return found.columns[2]


@pytest.mark.parametrize("expression", ["lower(email)", "('x'::text || email)", "((("])
def test_what_reads_a_protected_column_is_protected(expression: str) -> None:
    assert _filled_by(expression).classes == EMAIL
    assert _filled_by(expression).derived


def test_what_reads_none_is_not() -> None:
    assert not _filled_by("(id * 2)").classes
