"""completions/ is what the program says, and the shells take it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dbgate_cli.completion import FILES, script, tree

FOLDER = Path(__file__).parents[3] / "completions"
PROBE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"
_dbgate
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words: str) -> set[str]:
    """What bash offers for the last word."""
    done = subprocess.run(
        ["bash", "--norc", "-c", PROBE, "bash", str(FOLDER / FILES["bash"]), "dbgate", *words],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    # compopt is refused outside a real completion; nothing else may be said.
    assert not [line for line in done.stderr.splitlines() if "compopt" not in line]
    return set(done.stdout.split())


@pytest.mark.parametrize("shell", FILES)
def test_the_files_are_the_program_s(shell: str) -> None:
    assert (FOLDER / FILES[shell]).read_text() == script(shell), "run: make completions"


def test_bash_registers_it() -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", 'source "$1" && complete -p dbgate', "bash",
         str(FOLDER / FILES["bash"])],
        capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "complete -F _dbgate dbgate"


def test_bash_offers_every_command() -> None:
    assert set(tree()) < complete("")
    assert complete("conn") == {"connect"}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("audit", ""), {"search", "show", "verify", "key"}),
        (("audit", "search", "--verd"), {"--verdict"}),
        (("--debug", "sessions", "ki"), {"kill"}),
        (("query", "prod-db", "--format", ""), {"table", "json", "csv"}),
        (("query", "prod-db", "--format", "=", "j"), {"json"}),
        (("query", "prod-db", "--format", "="), {"table", "json", "csv"}),
        (("connect", "prod-db", "--wait", "--reas"), {"--reason"}),
        (("login", "--store", "me"), {"memory"}),
        (("completion", "z"), {"zsh"}),
        (("connect", "--role", "--re"), set()),
    ],
)
def test_bash_offers(words: tuple[str, ...], offered: set[str]) -> None:
    found = complete(*words)
    if words[-1] == "" and words[0] == "audit":
        found = {word for word in found if not word.startswith("-")}
    assert found == offered


def test_bash_leaves_the_words_of_a_child_alone() -> None:
    assert complete("exec", "prod-db", "--", "--wa") == set()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_can_read_theirs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", str(FOLDER / FILES[shell])], check=True, timeout=20)


@pytest.mark.parametrize("shell", FILES)
def test_a_script_names_every_command_and_option(shell: str) -> None:
    text = script(shell)
    for name, node in tree().items():
        assert name in text
        for option in node.options:
            for spelling in option.names:
                assert spelling.lstrip("-") in text
