"""Case files: the shipped ones come out as they say, and wrong ones are noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbgate_core.errors import DbgateError, UsageError
from dbgate_core.masking.classes import DataClass
from dbgate_core.policy import Policies
from dbgate_core.policy.casefile import read_cases
from dbgate_core.policy.running import run_cases
from dbgate_core.policy.sketch import sketch
from tests.unit.policy.people import POLICIES, SCHEMA, default, rules

PACKS = sorted(path.name for path in (POLICIES / "packs").iterdir())
HEAD = """
[people.alice]
groups = ["developers"]
[databases.prod-db]
environment = "production"
tables = "create table customers (id int, email text)"
"""
CASE = HEAD + '[[case]]\nas = "alice"\ndatabase = "prod-db"\n'


def of_folders(*folders: Path) -> Policies:
    files = {path.name: path.read_text() for f in folders for path in f.glob("*.cedar")}
    return Policies.load(files, SCHEMA)


def differences(policies: Policies, text: str) -> list[str]:
    return [d for result in run_cases(policies, read_cases(text)) for d in result.differences]


def cases_of(folder: Path) -> str:
    (file,) = (folder / "tests").glob("*.toml")
    return file.read_text()


def test_the_shipped_rules_keep_their_promises() -> None:
    assert not differences(default(), cases_of(POLICIES / "default"))


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_keeps_its_promises_and_breaks_none(pack: str) -> None:
    folder = POLICIES / "packs" / pack
    some = of_folders(POLICIES / "default", folder)
    assert not some.dead
    assert not differences(some, cases_of(folder))
    assert not differences(some, cases_of(POLICIES / "default"))


@pytest.mark.parametrize("pack", PACKS)
def test_without_the_pack_its_cases_come_out_otherwise(pack: str) -> None:
    assert differences(default(), cases_of(POLICIES / "packs" / pack))


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ('sql = "drop table customers"\nverdict = "allow"', "verdict: expected allow, got hold"),
        (
            'sql = "drop table customers"\nverdict = "hold"\napproval = "dba:2"',
            "approval: expected dba:2, got dba:1",
        ),
        ('sql = "select 1"\nverdict = "allow"\nrules = []', "rules: expected none, got read"),
        ('sql = "select 1"\nverdict = "allow"\nrows = 5', "rows: expected 5, got 0"),
        ('sql = "select 1"\nverdict = "allow"\nmasked = true', "masked: expected true, got false"),
        (
            'sql = "select email from customers"\nverdict = "allow"\nmasked = false',
            "masked: expected false, got true",
        ),
        (
            'sql = "select 1"\nverdict = "allow"\nobserved = ["x"]',
            "observed: expected x, got none",
        ),
        ('ask = "approve"\nverdict = "allow"', "verdict: expected allow, got deny"),
    ],
)
def test_what_comes_out_otherwise_is_told(rest: str, said: str) -> None:
    assert said in differences(default(), CASE + rest)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[case", "Expected"),
        (CASE + 'sql = "x"\nverdict = "perhaps"', "Invalid enum value 'perhaps'"),
        (CASE + 'sql = "x"\nverdict = "deny"\nrule = "x"', "unknown field `rule`"),
        (CASE + 'verdict = "deny"', "line 7: a case has either sql or ask"),
        (CASE + 'verdict = "deny"\nsql = "x"\nask = "connect"', "either sql or ask"),
        (CASE + 'verdict = "allow"\nask = "connect"\nrows = 1', "are of statements"),
        (CASE.replace('as = "alice"', 'as = "eve"') + 'ask = "connect"\nverdict = "deny"', "people.eve"),
        (CASE.replace('= "prod-db"', '= "x"') + 'ask = "connect"\nverdict = "deny"', "databases.x"),
        ('[people.bot]\nkind = "agent"', "acts on_behalf_of"),
        ('[people.a]\non_behalf_of = "b"', "acts on_behalf_of"),
        ('[people.bot]\nkind = "agent"\non_behalf_of = "bot"', "leads nowhere"),
        ('[people.bot]\nkind = "agent"\non_behalf_of = "eve"', "people.eve"),
        (HEAD.replace("create table", "drop table"), "the tables of prod-db"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_usable_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_cases(text)
    assert said in caught.value.message


def test_a_case_knows_its_line() -> None:
    cases = read_cases(
        CASE.replace('text)"', 'text); create table scraps (t text)"')
        + 'ask = "connect"\nverdict = "allow"\n'
        + CASE.removeprefix(HEAD)
        + 'sql = "select 1"\nverdict = "allow"'
    )
    assert cases.lines == (7, 12)


def test_case_text_inside_of_a_statement_gives_no_wrong_line() -> None:
    cases = read_cases(CASE + "sql = '''select '\n[[case]]\n''''\nverdict = \"allow\"")
    assert cases.lines == (0,)


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        ("create view v as select * from customers", ["id", "email"]),
        ("create view v (a, b) as select id, email from customers", ["a", "b"]),
        ("create view v as select c.email as b, 1 from customers c", ["b", "?column?"]),
        ("create materialized view v as select email from customers", ["email"]),
    ],
)
def test_a_view_of_a_sketch_has_the_classes_of_what_it_reads(view: str, columns: list[str]) -> None:
    catalog = sketch(f"create table customers (id int, email text); {view}")
    found = catalog.find("public", "v")
    assert found is not None
    assert [column.name for column in found.columns] == columns
    assert found.classes == {DataClass.EMAIL}


@pytest.mark.parametrize(
    "text",
    [
        "drop table a",
        "create view v as select * from a, b",
        "insert into a values (1)",
        "create tabel",
    ],
)
def test_what_cannot_be_drawn_is_refused(text: str) -> None:
    with pytest.raises(DbgateError):
        sketch(text)


def test_values_that_would_leave_masking_are_denied_as_on_the_wire() -> None:
    text = (
        CASE.replace('text)"', 'text); create table scraps (t text)"')
        + 'role = "readwrite"\nsql = "insert into scraps select email from customers"\nverdict = "deny"'
    )
    everything = rules(
        '@id("all") permit(principal, action, resource) when { action != Action::"unmask" };'
    )
    (result,) = run_cases(everything, read_cases(text))
    assert not result.differences
    assert "masking would be lost" in result.trial.decision.message
