"""`dbgate whoami`."""

from __future__ import annotations

import typer

from dbgate_cli.commands._shared import Json
from dbgate_cli.whoami import show


def whoami(json: Json = False) -> None:
    """Show who the broker takes you for, and where the login is kept."""
    show(json=json)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: dbgate whoami --json")(whoami)
