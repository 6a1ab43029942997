"""The lists of functions and settings agree with each other; new kinds of node are not harmless."""

from __future__ import annotations

import postgast
import pytest

from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.builtins import HARMLESS
from dbgate_core.sql.functions import ATTRIBUTE_CALLS, call_effect, danger_of
from dbgate_core.sql.settings import HARMLESS as HARMLESS_SETTINGS
from dbgate_core.sql.settings import IDENTITY, LEXING, setting_effect
from dbgate_core.sql.walk import LEAVES, PLAIN, Walk

UNLISTED = "not on the list of harmless functions"


def test_no_harmless_function_belongs_to_a_named_danger() -> None:
    named = {name for name in HARMLESS if (group := danger_of(name)) and group[1] != UNLISTED}
    # Unlocking gives back what this session took; the two others only read.
    assert named <= {
        "pg_advisory_unlock", "pg_advisory_unlock_all", "pg_advisory_unlock_shared",
        "pg_replication_origin_oid",
    }  # fmt: skip


def test_what_a_dot_may_call_is_a_danger_or_writes() -> None:
    assert all(danger_of(name) or name == "nextval" for name in ATTRIBUTE_CALLS)


@pytest.mark.parametrize("schema", ["", "pg_catalog", "public"])
def test_a_dangerous_name_is_one_in_every_schema(schema: str) -> None:
    path = (schema, "pg_read_file") if schema else ("pg_read_file",)
    for shadowing in (frozenset[str](), frozenset({"pg_read_file"})):
        effect = call_effect(path, shadowing, True)
        assert effect is not None
        assert effect.danger


def test_settings_are_in_one_list_only() -> None:
    assert not HARMLESS_SETTINGS & (IDENTITY | set(LEXING))
    assert setting_effect("made_up", ["1"]).danger
    assert setting_effect(None, None).danger


def test_a_kind_of_node_that_nobody_listed_is_unknown() -> None:
    walk = Walk({}, None, ())
    walk.run(postgast.parse("select 1").stmts[0].stmt)
    assert walk.incomplete
    assert [effect.action for effect in walk.effects] == ["unknown"]


def test_the_lists_of_kinds_are_of_kinds_that_exist() -> None:
    known = {field.name for field in postgast.pg_query_pb2.Node.DESCRIPTOR.fields}
    assert known >= PLAIN | LEAVES
    assert not PLAIN & LEAVES


def test_every_reviewed_built_in_can_be_called() -> None:
    quoted = [f'"{name}"' for name in sorted(HARMLESS)]
    calls = ", ".join(f"pg_catalog.{name}()" for name in quoted)
    assert [effect.action for effect in analyse(f"select {calls}").effects] == ["select"]
