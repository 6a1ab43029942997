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
