"""What tools ask by themselves: captured from a server's log, all of it harmless."""

from __future__ import annotations

import pytest

from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.effects import Action, Danger
from tests.unit.sql.notation import FOLDER

ALLOWED = {
    Action.SELECT,
    Action.SET,
    Action.TRANSACTION,
    Action.UTILITY,
    Action.COPY_OUT,
    Action.LISTEN,
}
ASKED = [
    pytest.param(statement, id=f"{file.stem}-{number}")
    for file in sorted((FOLDER / "harmless").glob("*.sql"))
    for number, statement in enumerate(file.read_text().split("\n-- next\n"), 1)
]


def test_the_corpus_is_there() -> None:
    assert len(ASKED) > 200


@pytest.mark.parametrize("statement", ASKED)
def test_a_tool_is_not_stopped(statement: str) -> None:
    analysis = analyse(statement)
    assert not analysis.incomplete
    assert {effect.action for effect in analysis.effects} <= ALLOWED
    assert {effect.danger for effect in analysis.effects} == {Danger.NONE}
    assert not analysis.writes
