"""`dbgate policy` without a broker: what it prints, and with which code it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbgate_cli import policy_files
from dbgate_cli.app import run

EVERYTHING = '@id("all") permit(principal, action, resource);\n'
CASES = """
[people.alice]
[databases.d]
[[case]]
as = "alice"
database = "d"
sql = "select 1"
verdict = "VERDICT"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "a.cedar").write_text(EVERYTHING)
    (tmp_path / "tests" / "a.toml").write_text(CASES.replace("VERDICT", "allow"))
    return tmp_path


def test_a_shipped_folder_is_valid_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "validate", "default", "packs/agents"]) == 0
    assert " rules, version " in capsys.readouterr().out


def test_all_mistakes_are_told_with_their_lines(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.cedar").write_text("\npermit(principal action, resource);\npermit(;")
    assert run(["policy", "validate", str(folder)]) == 2
    out, err = capsys.readouterr()
    assert [line.split(": ")[0] for line in out.splitlines()] == ["b.cedar:2", "b.cedar:3"]
    assert "2 mistakes" in err
    assert run(["policy", "test", str(folder)]) == 2
    assert "b.cedar:3: " in capsys.readouterr().err


def test_a_rule_that_can_never_fire_is_no_success(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = '@id("x") forbid(principal, action == Action::"drop", resource) when { false };'
    (folder / "b.cedar").write_text(f"\n{dead}")
    assert run(["policy", "validate", str(folder), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["dead"] == ["b.cedar:2: x: never fires: no question can meet its conditions"]


def test_cases_that_come_out_and_one_that_does_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "test", str(folder)]) == 0
    assert capsys.readouterr().out == "1 cases, all as expected\n"
    other = folder / "tests" / "other.toml"
    other.write_text(CASES.replace("VERDICT", "deny"))
    assert run(["policy", "test", str(folder), "--cases", str(other)]) == 4
    assert "other.toml:4: alice on d as readonly: select 1" in capsys.readouterr().out
    assert run(["policy", "test", str(folder), "--cases", str(other), "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["differences"] == [
        "verdict: expected deny, got allow"
    ]


def test_a_folder_without_cases_is_no_success(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tests" / "a.toml").unlink()
    assert run(["policy", "test", str(folder)]) == 2
    assert "no case file" in capsys.readouterr().err


def test_without_the_judge_it_says_what_to_install(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_files, "find_spec", lambda name: None)
    assert run(["policy", "validate", str(folder)]) == 2
    assert "pip install 'dbgate[broker]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sql", "code", "verdict"),
    [
        ("select 1", 0, "allow"),
        ("insert into t values (1)", 4, "deny"),
        ("drop table t", 5, "hold"),
        ("selct", 4, "deny"),
    ],
)
def test_an_explanation_ends_as_the_statement_would(
    sql: str, code: int, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["policy", "explain", "--as", "alice", "--group", "developers", "--database", "d", sql]
    assert run(argv) == code
    assert capsys.readouterr().out.split()[:2] == ["verdict", verdict]
    assert run([*argv, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict


def test_an_explanation_names_the_rule_its_place_and_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    argv = ["policy", "explain", "--as", "alice", "--group", "developers", "--database", "prod-db"]
    run([*argv, "insert into orders values (1)"])
    out = capsys.readouterr().out
    assert "readonly-changes-nothing (statements.cedar:" in out
    assert "dbgate request-approval prod-db --role readwrite --reason '...'" in out


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--as", "alice", "--broker"],
        ["--broker", "--group", "g"],
        ["--broker", "--policy", "p"],
    ],
)
def test_an_explanation_is_for_somebody_or_by_the_broker(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "explain", "--database", "d", *argv, "select 1"]) == 2


def test_somebody_of_a_case_file_is_explained_with_its_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = policy_files.root() / "default" / "tests" / "default.toml"
    argv = ["policy", "explain", "--cases", str(file), "--database", "prod-db", "--json"]
    assert run([*argv, "--as", "copilot", "select * from contacts"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["masked"], found["rows"]) == (True, 1000)
    assert run([*argv, "--as", "nobody", "select 1"]) == 2
