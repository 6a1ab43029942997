"""ARCHITECTURE.md shows the transitions that the code makes."""

from __future__ import annotations

from dbgate_core.pgwire.pending import ANSWERS
from tests.unit.pgwire.transitions import SERVER, STATES, documented, outcome, render


def test_the_document_shows_what_the_code_does() -> None:
    assert documented() == render(), "run: python -m tests.unit.pgwire.transitions"


def test_every_answer_has_its_name() -> None:
    assert {kind for _, kind in ANSWERS} == SERVER.keys()


def test_what_is_unknown_or_refused_never_passes() -> None:
    for state in STATES:
        for name in ("any other", "FunctionCall", "Query, refused by policy"):
            assert outcome(state, name) != "passes"
