"""Completion scripts of bash, zsh and fish, made from the program: static, no process per TAB.

`python -m dbgate_cli.completion FOLDER` writes all three; a test compares them with the program.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from dbgate_cli.app import MODULES, SECTIONS, SUMMARIES, build

FILES: Final = {"bash": "dbgate.bash", "zsh": "_dbgate", "fish": "dbgate.fish"}


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its spellings, whether a value follows, its line of help, its choices."""

    names: tuple[str, ...]
    value: bool
    help: str
    choices: tuple[str, ...] = ()
    file: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A command: its line of help, options, subcommands, and its arguments' choices."""

    help: str
    options: tuple[Option, ...]
    commands: dict[str, Node]
    choices: tuple[str, ...] = ()


def tree() -> dict[str, Node]:
    """Every command, as the program itself has it, in the order of its help."""
    import typer

    root: Any = typer.main.get_command(build(list(MODULES)))
    order = [name for _, rows in SECTIONS for name, _, _ in rows]
    nodes = {name: _node(root.commands[name]) for name in order}
    return {
        name: Node(SUMMARIES[name], n.options, n.commands, n.choices) for name, n in nodes.items()
    }


def script(shell: str) -> str:
    """The completion script of a shell."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](tree())


def _node(command: Any) -> Node:
    options: list[Option] = []
    choices: tuple[str, ...] = ()
    types = _types(command)
    for parameter in command.params:
        found = _choices(types[parameter.name])
        if parameter.param_type_name == "argument":
            choices = found or choices
            continue
        options.append(
            Option(
                names=tuple(parameter.opts),
                # A value in brackets is written with `=` or not at all: the next word is another.
                value=not parameter.is_flag and not (parameter.metavar or "").startswith("["),
                help=_first_sentence(parameter.help or ""),
                choices=found,
                file=types[parameter.name] is Path,
            )
        )
    options.append(Option(("-h", "--help"), False, "Show the command's help."))
    children = {name: _node(child) for name, child in getattr(command, "commands", {}).items()}
    return Node(_first_sentence(command.help or ""), tuple(options), children, choices)


def _types(command: Any) -> Mapping[str, object]:
    """The type of each parameter, from the function's own signature; of `X | None`, X.

    Not from typer's objects: their shape changes between its versions.
    """
    if command.callback is None:
        return {}
    hints = get_type_hints(inspect.unwrap(command.callback))
    return {
        name: next((t for t in get_args(hint) if t is not type(None)), hint)
        for name, hint in hints.items()
    }


def _choices(kind: object) -> tuple[str, ...]:
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        return ()
    return tuple(str(member.value) for member in kind)


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).rstrip(".")


def _flat(nodes: dict[str, Node], prefix: str = "") -> dict[str, Node]:
    """Every command by its whole path: `audit search`."""
    found: dict[str, Node] = {}
    for name, node in nodes.items():
        found[f"{prefix}{name}"] = node
        found |= _flat(node.commands, f"{prefix}{name} ")
    return found


def _words(node: Node) -> str:
    names = [name for option in node.options for name in option.names]
    return " ".join([*node.commands, *node.choices, *names])


def _bash(nodes: dict[str, Node]) -> str:
    words, values = [], []
    for path, node in _flat(nodes).items():
        words.append(f"    '{path}') words='{_words(node)}' ;;")
        for option in node.options:
            if option.value:
                kind = (
                    f"'{' '.join(option.choices)}'"
                    if option.choices
                    else ("file" if option.file else "''")
                )
                pattern = "|".join(f"'{path} {name}'" for name in option.names)
                values.append(f"    {pattern}) value={kind} ;;")
    groups = "|".join(f"'{name}'" for name, node in nodes.items() if node.commands)
    top = " ".join([*nodes, "--debug", "--version", "--help"])
    return f"""\
# bash completion for dbgate; made by `make completions`
_dbgate() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local path='' words='' value='-' i word
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    if [[ $word == -- ]]; then
      compopt -o default; COMPREPLY=(); return
    fi
    [[ $word == -* ]] && continue
    case "$path" in
    '') path=$word ;;
    {groups}) path="$path $word" ;;
    esac
  done
  case "$path $previous" in
{chr(10).join(values)}
  esac
  if [[ $value == file ]]; then
    compopt -o default; COMPREPLY=(); return
  elif [[ $value != - ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$value" -- "$current"); return
  fi
  case "$path" in
    '') words='{top}' ;;
{chr(10).join(words)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _dbgate dbgate
"""


def _zsh(nodes: dict[str, Node]) -> str:
    functions = []
    for path, node in _flat(nodes).items():
        name = "_dbgate_" + path.replace(" ", "_").replace("-", "_")
        body = _zsh_group(path, node) if node.commands else _zsh_leaf(node)
        functions.append(f"{name}() {{\n{body}}}\n")
    listed = "\n".join(f"    {_quote(f'{name}:{node.help}')}" for name, node in nodes.items())
    return f"""\
#compdef dbgate
# zsh completion for dbgate; made by `make completions`

{chr(10).join(functions)}
_dbgate() {{
  local -a commands=(
{listed}
  )
  local curcontext=$curcontext state line
  _arguments -C '--debug[Show the stack of an error]' '(-V --version)'{{-V,--version}}'[Show the version]' \\
    '(-h --help)'{{-h,--help}}'[Show the help]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument) (( $+functions[_dbgate_${{words[1]//-/_}}] )) && _dbgate_${{words[1]//-/_}} ;;
  esac
}}
_dbgate "$@"
"""


def _zsh_options(node: Node) -> list[str]:
    specs = []
    for option in node.options:
        after = ""
        if option.value:
            action = f"({' '.join(option.choices)})" if option.choices else ""
            after = f":value:{'_files' if option.file else action}"
        text = option.help.replace("[", "(").replace("]", ")").replace(":", " -")
        specs += [_quote(f"{name}[{text}]{after}") for name in option.names]
    return specs


def _zsh_leaf(node: Node) -> str:
    specs = _zsh_options(node)
    choices = f"({' '.join(node.choices)})" if node.choices else "_default"
    specs.append(_quote(f"*:argument:{choices}"))
    return "  _arguments " + " \\\n    ".join(specs) + "\n"


def _zsh_group(path: str, node: Node) -> str:
    listed = " ".join(_quote(f"{name}:{child.help}") for name, child in node.commands.items())
    prefix = "_dbgate_" + path.replace(" ", "_").replace("-", "_")
    own = "".join(f"{spec} " for spec in _zsh_options(node)) if node.options[:-1] else ""
    return (
        f"  local -a commands=({listed})\n  local curcontext=$curcontext state line\n"
        f"  _arguments -C {own}'1:command:->command' '*::argument:->argument'\n"
        "  case $state in\n    command) _describe command commands ;;\n"
        f"    argument) (( $+functions[{prefix}_${{words[1]//-/_}}] )) && {prefix}_${{words[1]//-/_}} ;;\n"
        "  esac\n"
    )


def _fish(nodes: dict[str, Node]) -> str:
    lines = [
        "# fish completion for dbgate; made by `make completions`",
        "complete -c dbgate -n __fish_use_subcommand -l debug -d 'Show the stack of an error'",
        "complete -c dbgate -n __fish_use_subcommand -s V -l version -d 'Show the version'",
        "complete -c dbgate -n __fish_use_subcommand -s h -l help -d 'Show the help'",
    ]
    for name, node in nodes.items():
        lines.append(
            f"complete -c dbgate -f -n __fish_use_subcommand -a {name} -d {_quote(node.help)}"
        )
    for path, node in _flat(nodes).items():
        seen = " ; and ".join(f"__fish_seen_subcommand_from {word}" for word in path.split())
        for option in node.options:
            lines.append(_fish_option(seen, option))
        for name, child in node.commands.items():
            lines.append(f"complete -c dbgate -f -n '{seen}' -a {name} -d {_quote(child.help)}")
        if node.choices:
            lines.append(f"complete -c dbgate -f -n '{seen}' -a '{' '.join(node.choices)}'")
    return "\n".join(lines) + "\n"


def _fish_option(seen: str, option: Option) -> str:
    names = " ".join(
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
    )
    value = ""
    if option.value:
        value = " -r -F" if option.file else " -x"
        if option.choices:
            value += f" -a '{' '.join(option.choices)}'"
    return f"complete -c dbgate -n '{seen}' {names}{value} -d {_quote(option.help)}"


def _quote(text: str) -> str:
    """Quote for a shell: the text stands between single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def main(argv: list[str]) -> int:
    """Write the three scripts into a folder."""
    folder = Path(argv[0] if argv else "completions")
    for shell, name in FILES.items():
        (folder / name).write_text(script(shell))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
