"""docs/policy.md and the schema say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from dbgate_core.policy import Policies
from dbgate_core.policy.casefile import read_cases
from dbgate_core.policy.questions import DUTIES, samples
from dbgate_core.policy.rules import OF_FORBID, OF_PERMIT
from dbgate_core.policy.running import run_cases
from dbgate_core.policy.words import PLACEHOLDERS
from dbgate_core.sql.effects import Action, Danger, Effect, Predicate
from tests.unit.policy.people import (
    ALICE,
    DEVELOPMENT,
    EVERYTHING,
    POLICIES,
    SCHEMA,
    analysis,
    default,
    rules,
)

DOCS = (Path(__file__).parents[3] / "docs" / "policy.md").read_text()
EXAMPLES = re.findall(r"```cedar\n(.*?)```", DOCS, flags=re.DOTALL)


def test_the_examples_load_beside_the_shipped_rules() -> None:
    shipped = [path.read_text() for path in sorted((POLICIES / "default").glob("*.cedar"))]
    some = rules(*shipped, *EXAMPLES)
    assert len(some.rules) == len(default().rules) + 4


def test_the_example_of_cases_comes_out_as_it_says() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCS, flags=re.DOTALL)
    (result,) = run_cases(default(), read_cases(example))
    assert not result.differences


def test_every_pack_is_named() -> None:
    assert {f"`{path.name}`" for path in (POLICIES / "packs").iterdir()} <= set(
        re.findall(r"`\w+`", DOCS)
    )


def test_every_file_placeholder_action_and_danger_is_named() -> None:
    names = {path.name for path in (POLICIES / "default").iterdir()}
    names |= {f"{{{name}}}" for name in PLACEHOLDERS}
    names |= {str(action) for action in Action} | set(DUTIES)
    names |= {str(danger) for danger in Danger if danger is not Danger.NONE}
    missing = {name for name in names if f"`{name}`" not in DOCS}
    assert not missing


def test_every_annotation_is_named() -> None:
    named = set(re.findall(r"^\| `@(\w+)\(", DOCS, flags=re.MULTILINE))
    assert named == OF_PERMIT | OF_FORBID


def test_the_schema_names_every_danger_and_predicate() -> None:
    words = {str(each) for kind in (Danger, Predicate) for each in kind if str(each)}
    missing = {word for word in words if f'"{word}"' not in SCHEMA}
    assert not missing


def test_the_schema_has_exactly_the_attributes_that_are_filled_in() -> None:
    (declared,) = re.findall(r"type Effect = \{(.*?)\};", SCHEMA, flags=re.DOTALL)
    names = set(re.findall(r"^  (\w+):", declared, flags=re.MULTILINE))
    for sample in samples():
        if sample.action in set(Action):
            assert set(sample.context) == names
    assert {f"`{name}`" for name in names if f"`{name}`" not in DOCS} == set()


def test_each_action_is_in_the_group_that_the_document_says() -> None:
    table = re.findall(r"^\| `(\w+)` \| (`.*`) \|$", DOCS, flags=re.MULTILINE)
    groups = {name: set(re.findall(r"`(\w+)`", row)) for name, row in table}
    groups = {name: groups[name] for name in ("read", "write", "ddl", "session")}
    for name, actions in groups.items():
        some = rules(
            EVERYTHING, f'@id("g") forbid(principal, action in Action::"{name}", resource);'
        )
        assert {str(each) for each in Action if refused(some, each)} == actions


def refused(some: Policies, action: Action) -> bool:
    return not some.statement(ALICE, DEVELOPMENT, "admin", analysis(Effect(action, "x"))).allowed
