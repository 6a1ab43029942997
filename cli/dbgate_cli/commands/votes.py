"""`dbgate approve` and `dbgate deny`."""

from __future__ import annotations

from typing import Annotated

import typer

from dbgate_cli import console, render
from dbgate_cli.commands import _shared as shared
from dbgate_cli.commands.requests import RequestId, describe
from dbgate_core.errors import UsageError

Comment = Annotated[str, typer.Option("--comment", help="Shown to the requester, and recorded.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def approve(
    request: RequestId, comment: Comment = "", yes: Yes = False, json: shared.Json = False
) -> None:
    """Approve another person's request; on a terminal it is shown first."""
    _vote(request, "approve", comment, yes, json)


def deny(
    request: RequestId, comment: Comment = "", yes: Yes = False, json: shared.Json = False
) -> None:
    """Deny another person's request; one denial ends it."""
    _vote(request, "deny", comment, yes, json)


def _vote(request: str, verb: str, comment: str, yes: bool, json: bool) -> None:
    with shared.broker() as broker:
        if console.interactive() and not yes and not json:
            describe(broker.request(request))
            if not console.confirm(f"{verb} it?"):
                raise UsageError("nothing was decided")
        found = broker.vote(request, verb, comment)
    if json:
        render.emit(found)
        return
    until = f" until {render.cell(found.window_ends_at)}" if found.window_ends_at else ""
    render.line(f"request {found.id} is {found.state}{until}")
    if found.state == "pending":
        console.note(f"it still needs {found.approval}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: dbgate approve REQUEST --comment 'checked with the warehouse'")(
        approve
    )
    app.command(epilog="Example: dbgate deny REQUEST --comment 'use the staging copy'")(deny)
