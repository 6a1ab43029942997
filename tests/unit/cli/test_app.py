"""The entry: help without imports, exit codes of the whole tree of errors, words that are the child's."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from dbgate_cli import VERSION
from dbgate_cli.app import MODULES, bare_wait, explain, run, top_help
from dbgate_cli.client import problem_error
from dbgate_cli.completion import tree
from dbgate_cli.signals import Interrupted
from dbgate_core import errors
from dbgate_core.contract import Problem

NOT_JSON = {"exec", "serve", "dev", "completion"}
"""exec's output is its program's; serve and dev log; a completion script is no JSON."""


def family(root: type[errors.DbgateError]) -> list[type[errors.DbgateError]]:
    return [root, *(found for child in root.__subclasses__() for found in family(child))]


TREE = [kind for kind in family(errors.DbgateError) if kind.__module__ == errors.__name__]


def drawn() -> dict[str, tuple[int, str]]:
    """The tree as its module's docstring draws it: class to exit code and stable code."""
    rows = re.findall(r"^\W*([A-Z]\w+)\s+(\d)\s+\w{5}\s+(\S+)\s", errors.__doc__ or "", re.M)
    return {name: (int(code), stable) for name, code, stable in rows}


def test_the_tree_is_drawn_as_it_is() -> None:
    assert {kind.__name__: (kind.exit_code, kind.code) for kind in TREE} == drawn()


@pytest.mark.parametrize("kind", TREE)
def test_every_error_ends_with_its_code_and_says_the_next_move(
    kind: type[errors.DbgateError], capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(kind("it broke\x1b[2K", hint="do this", rule="r1")) == kind.exit_code
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "dbgate: error: it broke\\x1b[2K (rule r1)\ndbgate: hint: do this\n"


@pytest.mark.parametrize("kind", TREE)
def test_an_error_of_the_broker_keeps_its_exit_code_over_the_wire(
    kind: type[errors.DbgateError],
) -> None:
    import msgspec

    sent = Problem(code=kind.code, message="m", hint="h", rule="r", exit_code=kind.exit_code)
    found = problem_error(kind.http_status, msgspec.json.encode(sent))
    assert (found.exit_code, found.code, found.message, found.hint, found.rule) == (
        kind.exit_code, kind.code, "m", "h", "r",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code"), [(400, 2), (401, 3), (403, 4), (404, 2), (500, 1), (502, 6), (504, 6)]
)
def test_a_bare_status_has_an_exit_code_too(status: int, code: int) -> None:
    assert problem_error(status, b"<html>").exit_code == code


@pytest.mark.parametrize(
    ("exc", "code"),
    [
        (KeyboardInterrupt(), 130),
        (Interrupted(15), 143),
        (Interrupted(1), 129),
        (SystemExit(5), 5),
        (ValueError("x"), 1),
        (MemoryError(), 1),
    ],
)
def test_what_is_no_error_of_ours(exc: BaseException, code: int) -> None:
    assert explain(exc) == code


@pytest.mark.parametrize(
    "argv", [[], ["nosuch"], ["connect"], ["audit"], ["query", "--format", "x"]]
)
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Value error" not in err


@pytest.mark.parametrize("argv", [["--version"], ["-V"], ["--help"], ["-h"]])
def test_help_and_version_are_results(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == (f"dbgate {VERSION}\n" if argv[0] in ("-V", "--version") else top_help())


@pytest.mark.parametrize("name", MODULES)
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    node = tree()[name]
    for path in [[name, *([child] if child else [])] for child in [*node.commands] or [""]]:
        assert run([*path, "--help"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert "\x1b" not in out
        assert f"Example: {'eval' if name == 'completion' else 'dbgate ' + ' '.join(path)}" in out


def test_every_command_takes_json() -> None:
    for name, node in tree().items():
        for path, leaf in [(name, node)] if not node.commands else node.commands.items():
            spellings = {s for option in leaf.options for s in option.names}
            assert ("--json" in spellings) is (name not in NOT_JSON), path


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["db", "--wait"], ["db", "--wait=until-decided"]),
        (["db", "--wait", "--reason", "x"], ["db", "--wait=until-decided", "--reason", "x"]),
        (["db", "--wait=5m"], ["db", "--wait=5m"]),
        (["db", "--", "sh", "--wait"], ["db", "--", "sh", "--wait"]),
        (["db", "--wait", "--", "--wait"], ["db", "--wait=until-decided", "--", "--wait"]),
    ],
)
def test_a_bare_wait_is_ours_only_before_the_child(given: list[str], meant: list[str]) -> None:
    assert bare_wait(given) == meant


def test_help_imports_next_to_nothing() -> None:
    text = "import sys; from dbgate_cli.app import run; run(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"typer", "rich", "ssl", "http.client", "asyncio", "msgspec", "keyring"}
