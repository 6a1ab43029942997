"""One round: a number of conversations drawn from one seed; the first difference is shrunk and raised."""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from dbgate_core.pgwire import session
from tests.differential import texts
from tests.differential.comparison import Comparison
from tests.differential.grammar import Grammar, Say

cuts = st.sampled_from([(), (), (1,), (7,), (3, 50), (5, 1_000)])
"""The lengths of the pieces in which dbgate gets what the server gets in one."""


class Different(AssertionError):
    """The answers are not equal."""


def the_long_way() -> AbstractContextManager[object]:
    """No exchange is recognised at a glance: every message goes by itself."""
    return mock.patch.object(session, "asked", return_value=None)


def run(comparison: Comparison, number: int, conversations: int) -> None:
    """Compare so many conversations. Raises Different with the smallest one found."""
    grammar = Grammar(texts.FORBIDDEN if comparison.refuses else ())

    @seed(number)
    @settings(
        max_examples=conversations,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(grammar.conversation(), cuts)
    def compare(said: list[Say], lengths: tuple[int, ...]) -> None:
        difference = comparison.difference(said, lengths)
        if difference:
            raise Different(difference)

    compare()
