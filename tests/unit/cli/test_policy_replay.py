"""`dbgate policy diff` and `suggest` on a log's folder: what they print, and with which code they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dbgate_cli.app import run
from dbgate_core.audit.canonical import encode
from tests.unit.policy.people import ALICE, BOB, permissive
from tests.unit.policy.statements import Log

DAY = "2026-01-31..2026-02-01"
NO_DELETE = (
    '@id("all") permit(principal, action, resource);\n'
    '@id("no-delete") @message("nobody deletes")\n'
    'forbid(principal, action == Action::"delete", resource);\n'
    '@id("two") @approval("dba:1") @message("ask")\n'
    'forbid(principal, action == Action::"update", resource);\n'
)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "a.cedar").write_text(NO_DELETE)
    return folder


def written(folder: Path, *texts: str) -> Path:
    """A log's folder with these statements of alice's, and one of bob's."""
    log = Log(permissive())
    for text in texts:
        log.add(text, ALICE)
    log.add("select id from customers", BOB)
    folder = folder / "audit"
    folder.mkdir()
    lines = [encode(entry) for entry in log.entries]
    (folder / "segment-00000001.jsonl").write_bytes(b"".join(lines[:3]) + b'{"kind":"statement"')
    (folder / "segment-00000002.jsonl").write_bytes(b"".join(lines[3:]))
    return folder


def found(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_diff_counts_and_shows_what_would_be_refused(
    tmp_path: Path, new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = written(tmp_path, "delete from orders", "delete from orders", "update orders set id = 1")
    argv = ["policy", "diff", "permissive", str(new), "--replay", DAY, "--log", str(log)]
    assert run(argv) == 4
    out = capsys.readouterr().out
    assert "rules added: all, no-delete, two\nrules removed: everything\n" in out
    assert "replayed 4 statements (2026-01-31T12:00:00 to 2026-01-31T12:00:06)" in out
    assert "newly denied: 2\n" in out
    assert "2 x, last 2026-01-31T12:00:02  alice on dev-db as readwrite: delete from orders" in out
    assert "no-delete (a.cedar:2): nobody deletes" in out
    assert "newly held: 1\n" in out
    assert run([*argv, "--json"]) == 4
    told = found(capsys)
    assert told["counts"] == {
        "denied": 2, "held": 1, "allowed": 0, "clear": 0, "masked": 0, "limited": 0,
    }  # fmt: skip
    assert [(case["change"], case["count"]) for case in told["cases"]] == [
        ("denied", 2), ("held", 1),
    ]  # fmt: skip
    assert told["cases"][1]["after"]["approval"] == "dba:1"


def test_a_diff_ends_with_5_where_something_would_wait_and_0_where_nothing_changes(
    tmp_path: Path, new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = written(tmp_path, "update orders set id = 1")
    argv = ["--replay", DAY, "--log", str(log)]
    assert run(["policy", "diff", "permissive", str(new), *argv]) == 5
    capsys.readouterr()
    assert run(["policy", "diff", "permissive", "permissive", *argv]) == 0
    assert "all of them come out the same" in capsys.readouterr().out


def test_only_what_began_in_the_window_is_replayed(
    tmp_path: Path, new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = written(tmp_path, "delete from orders")
    for window, count in (
        ("..2026-01-31", 0),
        ("2026-01-31T12:00:01+00:00..", 1),
        ("2026-01-31T12:00:00+00:00..2026-01-31T12:00:02+00:00", 1),
        ("..", 2),
    ):
        argv = ["policy", "diff", "permissive", str(new), "--log", str(log), "--json"]
        run([*argv, "--replay", window])
        assert found(capsys)["statements"] == count, window


def test_without_replay_a_diff_compares_the_rules(
    new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = new.parent / "other"
    other.mkdir()
    (other / "b.cedar").write_text("\n" + NO_DELETE.replace("dba:1", "dba:2"))
    assert run(["policy", "diff", str(new), str(other), "--json"]) == 0
    assert found(capsys)["rules"] == {"added": [], "removed": [], "changed": ["two"]}


@pytest.mark.parametrize(
    "argv",
    [
        ["--replay", "yesterday"],
        ["--replay", "7d"],
        ["--replay", "2026-02-01..2026-01-01"],
        ["--log", "x"],
        ["--replay", "7d..", "--log", "/nowhere"],
        ["--replay", "7d..", "--cases", "x"],
    ],
)
def test_a_replay_of_nothing_that_could_be_is_a_mistake(
    argv: list[str], new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "diff", "permissive", str(new), *argv]) == 2


def test_labels_come_from_a_case_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = written(tmp_path, "select 1")
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "a.cedar").write_text(
        '@id("shop") permit(principal, action, resource)'
        'when { resource.hasTag("team") && resource.getTag("team") == "shop" };'
        '@id("broker") permit(principal, action, resource is Broker);'
    )
    cases = tmp_path / "cases.toml"
    cases.write_text('[databases.dev-db]\nenvironment = "development"\nlabels = { team = "shop" }')
    argv = ["policy", "diff", "permissive", str(folder), "--replay", "..", "--log", str(log)]
    assert run(argv) == 4
    capsys.readouterr()
    assert run([*argv, "--cases", str(cases)]) == 0


def test_a_suggestion_is_a_set_of_rules_that_denies_nothing_of_what_was_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = written(tmp_path, "select id from orders", "delete from orders where id = 1")
    argv = ["policy", "suggest", "--for", "alice", "--used", DAY, "--log", str(log)]
    assert run(argv) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"// What alice used, {DAY}: 2 statements.\n")
    folder = tmp_path / "least"
    folder.mkdir()
    (folder / "alice.cedar").write_text(out)
    assert run(["policy", "validate", str(folder)]) == 0
    capsys.readouterr()
    argv = ["policy", "diff", "permissive", str(folder), "--replay", DAY, "--log", str(log)]
    assert run([*argv, "--json"]) == 4
    changed = {(case["who"]["name"], case["change"]) for case in found(capsys)["cases"]}
    assert changed == {("bob", "denied"), ("alice", "masked")}


def test_a_suggestion_as_json_has_what_was_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = written(tmp_path, "select id from orders", "select total from orders")
    argv = ["policy", "suggest", "--for", "alice", "--used", DAY, "--log", str(log), "--json"]
    assert run(argv) == 0
    told = found(capsys)
    used = {each["action"]: each for each in told["used"]}
    assert used["select"]["objects"] == ["public.orders"]
    assert used["select"]["count"] == used["connect"]["count"] == told["statements"] == 2
    assert 'action == Action::"connect"' in told["policy"]


def test_nothing_is_suggested_for_who_did_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = written(tmp_path, "select 1")
    argv = ["policy", "suggest", "--for", "carol", "--used", DAY, "--log", str(log)]
    assert run(argv) == 2
    assert "nothing that carol was allowed to run is on record" in capsys.readouterr().err
