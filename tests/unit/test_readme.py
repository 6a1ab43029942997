"""What the README says of the command line is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from dbgate_cli.app import MODULES
from dbgate_cli.completion import Node, tree
from dbgate_core import errors

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """The text under a heading, up to the next."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.M | re.S)
    assert found, f"README has no section {title!r}"
    return found[1]


def kinds(root: type[errors.DbgateError]) -> set[type[errors.DbgateError]]:
    return {root}.union(*(kinds(child) for child in root.__subclasses__()))


def commands(text: str) -> set[str]:
    """Every command that stands in backquotes, or after a prompt, as `dbgate`."""
    return set(re.findall(r"(?:`|\$ |bin/)dbgate ([a-z][a-z-]*)", text))


def test_the_table_of_exit_codes_is_that_of_the_errors() -> None:
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.M)]
    assert listed == sorted({0} | {kind.exit_code for kind in kinds(errors.DbgateError)})


def test_every_command_is_in_the_table_and_every_one_in_the_table_is_a_command() -> None:
    table = section("What people type")
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    named = {word for cell in cells for word in re.findall(r"[a-z][a-z-]+", cell)}
    assert set(MODULES) - named <= {"completion"}
    assert commands(table) <= set(MODULES)


def test_every_command_that_is_shown_exists() -> None:
    assert commands(README) <= set(MODULES)


def options(node: Node) -> set[str]:
    return {name for option in node.options for name in option.names}.union(
        *(options(child) for child in node.commands.values())
    )


def test_every_option_that_is_shown_exists() -> None:
    nodes = tree()
    known = {
        "--debug",
        "--version",
        "--help",
        *(o for node in nodes.values() for o in options(node)),
    }
    prose = re.sub(r"^\$.*? -- ", "", README, flags=re.M)
    shown = set(re.findall(r"[\s`](--[a-z][a-z-]+)", prose))
    assert shown <= known


def test_every_variable_that_is_shown_is_read() -> None:
    shown = set(re.findall(r"\bDBGATE_[A-Z_]+\b", README))
    source = "".join(path.read_text() for path in (ROOT / "cli").rglob("*.py"))
    assert not {name for name in shown if f'"{name}"' not in source}


def test_every_file_that_is_linked_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
