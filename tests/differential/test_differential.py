"""Answers through dbgate are those of PostgreSQL, byte for byte: a short run with fixed seeds.

`python -m tests.differential --minutes N` is the long one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.differential.comparison import Comparison
from tests.differential.grammar import query
from tests.differential.place import Place, place
from tests.differential.rounds import run, the_long_way

pytestmark = pytest.mark.e2e
SEED, CONVERSATIONS = 1, 60


@pytest.fixture(scope="module")
def where() -> Iterator[Place]:
    with place() as it:
        yield it


@pytest.fixture(scope="module", params=["permissive", "refusing"])
def comparison(where: Place, request: pytest.FixtureRequest) -> Iterator[Comparison]:
    refuses = request.param == "refusing"
    with where.gateway(refuses=refuses) as world:
        yield Comparison(where, world, refuses)


def test_dbgate_answers_as_the_server_itself(comparison: Comparison) -> None:
    run(comparison, SEED, CONVERSATIONS)
    assert comparison.seen.keys() >= set("12CDEGNTZ")


def test_the_long_way_answers_alike(comparison: Comparison) -> None:
    with the_long_way():
        run(comparison, SEED, CONVERSATIONS // 3)


def test_a_difference_is_noticed(comparison: Comparison) -> None:
    """The two backends are two processes, so this must be one."""
    assert "message 1" in comparison.difference([query("select pg_backend_pid()")], ())
