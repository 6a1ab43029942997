"""`dbgate requests list|show|withdraw`."""

from __future__ import annotations

from typing import Annotated

import typer

from dbgate_cli import render
from dbgate_cli.commands import _shared as shared
from dbgate_core import contract
from dbgate_core.approval.request import State

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]


def list_(
    state: Annotated[State | None, typer.Option("--state", help="In this state alone.")] = None,
    json: shared.Json = False,
) -> None:
    """List your requests, and those that you may decide."""
    with shared.broker() as broker:
        found = broker.requests(state or "")
    if json:
        for request in found:
            render.emit(request)
        return
    render.table(
        ("ID", "STATE", "WHO", "DATABASE", "WHAT", "NEEDS", "REASON", "UNTIL"),
        [
            (
                r.id,
                r.state,
                shared.person(r.requester),
                r.database,
                what(r),
                r.approval,
                r.reason,
                r.window_ends_at or (r.expires_at if r.state == "pending" else None),
            )
            for r in found
        ],
    )


def show(request: RequestId, json: shared.Json = False) -> None:
    """Show one request: what is asked for, why, and who voted how."""
    with shared.broker() as broker:
        found = broker.request(request)
    if json:
        render.emit(found)
    else:
        describe(found)


def withdraw(request: RequestId, json: shared.Json = False) -> None:
    """Take your own pending request back."""
    with shared.broker() as broker:
        found = broker.withdraw(request)
    if json:
        render.emit(found)
    else:
        render.line(f"request {found.id} is {found.state}")


def what(request: contract.AccessRequestInfo) -> str:
    """What is asked for, in one cell."""
    return f"statement: {request.statement}" if request.statement else request.access_role


def describe(request: contract.AccessRequestInfo) -> None:
    """Everything that a reviewer needs."""
    render.facts(
        [
            ("id", request.id),
            ("state", request.state),
            ("requester", shared.person(request.requester)),
            ("groups", ", ".join(request.requester.groups)),
            ("database", request.database),
            ("access role", request.access_role),
            ("for", f"{request.duration_s // 60} min"),
            ("reason", request.reason),
            ("needs", request.approval),
            ("created", request.created_at),
            ("lapses", request.expires_at if request.state == "pending" else None),
            ("granted until", request.window_ends_at),
            ("used", request.used_at),
            *((f"{v.vote}", f"{v.reviewer} {v.comment}".strip()) for v in request.votes),
        ]
    )
    if request.statement:
        if request.effects:
            render.line("does:")
            for effect in request.effects:
                render.line(f"  {effect}")
        if request.estimated_rows is not None:
            render.line(f"rows, as the planner expects: {request.estimated_rows}")
        render.line("statement:")
        for text in request.statement.splitlines():
            render.line(f"  {text}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="List, show and withdraw access requests.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("list", epilog="Example: dbgate requests list --state pending")(list_)
    group.command("show", epilog="Example: dbgate requests show REQUEST --json")(show)
    group.command("withdraw", epilog="Example: dbgate requests withdraw REQUEST")(withdraw)
    app.add_typer(group, name="requests")
