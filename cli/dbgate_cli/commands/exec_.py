"""`dbgate exec`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbgate_cli import programs, settings
from dbgate_cli.commands import _shared as shared
from dbgate_cli.foreground import run_child
from dbgate_cli.running import use_session


def exec_(
    database: shared.Database,
    command: Annotated[
        list[str], typer.Argument(metavar="-- PROGRAM", help="What to run, with its arguments.")
    ],
    role: shared.Role = "",
    reason: shared.Reason = "",
    wait: shared.Wait = "",
    duration: shared.For = "1h",
    hold: shared.Hold = "",
    show_masks: shared.ShowMasks = False,
    agent: shared.AgentName = "",
) -> int:
    """Run a program with DATABASE_URL and PG* set, and end with its exit code.

    Signals are passed on. DBGATE_ID_TOKEN is not: the program gets the session's one-time
    password and nothing else.
    """
    where = settings.load()
    argv = programs.command(command)
    shared.ensure_signed_in(where)
    client = Path(argv[0]).name
    wish = shared.wish_of(database, role, reason, wait, duration, agent, client, hold, show_masks)
    return use_session(where, wish, lambda live: run_child(live, argv))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("exec", epilog="Example: dbgate exec prod-db -- pytest -q")(exec_)
