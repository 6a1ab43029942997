"""The list of harmless built-ins against the functions that a server of each version has."""

from __future__ import annotations

import psycopg
import pytest

from dbgate_core.sql.builtins import HARMLESS
from dbgate_core.sql.functions import NOTIFY, SEQUENCE_WRITERS, SET_CONFIG, call_effect
from tests.integration.gateway.world import TlsPostgres
from tests.unit.sql import make_builtins

EVERY = """
SELECT DISTINCT proname::text, provolatile = 'v' AND prokind = 'f' FROM pg_catalog.pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
"""
OWN_EFFECTS = SEQUENCE_WRITERS | {SET_CONFIG, NOTIFY}
"""They are no calls: what they do has an action of its own."""


@pytest.fixture
def functions(versioned: TlsPostgres) -> list[tuple[str, bool]]:
    """Every function of pg_catalog, and whether a form of it is volatile."""
    with psycopg.connect(versioned.dsn()) as connection:
        return [(str(name), bool(volatile)) for name, volatile in connection.execute(EVERY)]


def test_what_is_on_no_list_is_a_call(functions: list[tuple[str, bool]]) -> None:
    for name in {name for name, _ in functions} - HARMLESS - OWN_EFFECTS:
        for path in (("pg_catalog", name), (name,)):
            effect = call_effect(path, frozenset(), True)
            assert effect is not None, path
            assert effect.danger or path == (name,), path


def test_what_is_volatile_was_reviewed(functions: list[tuple[str, bool]]) -> None:
    reviewed = make_builtins.VOLATILE + make_builtins.LATER + make_builtins.EARLIER
    volatile = {name for name, is_volatile in functions if is_volatile}
    assert volatile & HARMLESS <= set(reviewed.split())


def test_what_only_computes_is_on_the_list(versioned: TlsPostgres) -> None:
    with psycopg.connect(versioned.dsn()) as connection:
        computing = {str(row[0]) for row in connection.execute(make_builtins.QUERY)}
    left_out = {name for name in computing - HARMLESS if not make_builtins.named(name)}
    assert left_out <= set(make_builtins.REFUSED.split())
