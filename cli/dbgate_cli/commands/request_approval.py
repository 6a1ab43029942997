"""`dbgate request-approval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbgate_cli import access, console, render
from dbgate_cli.client import Broker
from dbgate_cli.commands import _shared as shared
from dbgate_cli.durations import seconds
from dbgate_core import contract
from dbgate_core.errors import UsageError


def request_approval(
    database: shared.Database,
    role: shared.Role = "",
    statement: Annotated[
        str, typer.Option("--statement", help="Ask for this one statement, to be run once.")
    ] = "",
    statement_file: Annotated[
        Path | None, typer.Option("--statement-file", help="The same, from a file.")
    ] = None,
    reason: shared.Reason = "",
    duration: shared.For = "1h",
    wait: Annotated[
        str, typer.Option("--wait", metavar="[=DURATION]", help="Wait for the decision.")
    ] = "",
    json: shared.Json = False,
) -> None:
    """Ask another person for an access role, or for one exact statement.

    With --wait it ends when the request is decided: 0 when approved, 5 when not.
    """
    text = statement_text(statement, statement_file)
    wait_s, duration_s = shared.wait_seconds(wait), seconds(duration)
    if not reason and console.interactive():
        reason = console.ask("what for?")
    if not reason:
        raise UsageError("a request needs a reason", hint="--reason 'TICKET-1: what for'")
    with shared.broker() as broker:
        wish = contract.AskAccess(
            database=database,
            access_role=role or default_role(broker, database, "granted" if text else "approval"),
            reason=reason,
            duration_s=duration_s,
            statement=text,
        )
        request = broker.ask_access(wish)
        if wait_s is not None:
            request = access.wait_for(broker, request, wait_s)
    if json:
        render.emit(request)
    else:
        show(request)
    if wait_s is not None:
        access.demand_approved(request)


def show(request: contract.AccessRequestInfo) -> None:
    """Say what was asked, and who decides."""
    what = "one statement" if request.statement else request.access_role
    render.line(f"request {request.id}: {what} on {request.database}: {request.state}")
    if request.state == "pending":
        console.note(f"it needs {request.approval}; they type: dbgate approve {request.id}")


def statement_text(statement: str, file: Path | None) -> str:
    """The statement that is asked for, exactly as given: as psql sends it, line ends and all. Raises UsageError when it is empty."""
    if file is None:
        return statement
    if statement:
        raise UsageError("give --statement or --statement-file, not both")
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"cannot read {file}: {exc}") from exc
    if not text.strip():
        raise UsageError(f"{file} holds no statement")
    return text


def default_role(broker: Broker, database: str, access: str) -> str:
    """The lowest access role that stands so to this principal; empty lets the broker choose."""
    for found in broker.databases():
        if found.name == database:
            return next((role.name for role in found.access_roles if role.access == access), "")
    return ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = (
        "Example: dbgate request-approval prod-db --role readwrite --reason 'TICKET-1' --for 30m"
    )
    app.command("request-approval", epilog=example)(request_approval)
