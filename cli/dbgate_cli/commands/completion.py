"""`dbgate completion`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer


class Shell(StrEnum):
    """The shells that scripts are made for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")]) -> None:
    """Print the completion script of a shell; packages install it for you."""
    from dbgate_cli.completion import script

    sys.stdout.write(script(shell.value))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog='Example: eval "$(dbgate completion bash)"')(completion)
