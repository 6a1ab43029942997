"""The table of cases: a statement and all its effects, grouped by trick."""

from __future__ import annotations

import pytest

from dbgate_core.sql.analyse import analyse
from tests.unit.sql.notation import FOLDER, Case, cases, told

TABLE = [case for file in sorted((FOLDER / "cases").glob("*.txt")) for case in cases(file)]


def test_the_table_is_there() -> None:
    assert len(TABLE) > 400
    assert all(case.expected for case in TABLE), [case.text for case in TABLE if not case.expected]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_a_statement_has_these_effects(case: Case) -> None:
    analysis = analyse(case.text)
    assert told(analysis, case.expected) == case.expected, case.text
