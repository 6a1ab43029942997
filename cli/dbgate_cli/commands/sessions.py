"""`dbgate sessions list|show|kill`."""

from __future__ import annotations

from typing import Annotated

import typer

from dbgate_cli import render
from dbgate_cli.commands import _shared as shared
from dbgate_core import contract

SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")]


def list_(
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    json: shared.Json = False,
) -> None:
    """List open sessions: yours, and those that you may kill."""
    with shared.broker() as broker:
        found = [s for s in broker.sessions() if everything or s.state == "open"]
    if json:
        for session in found:
            render.emit(session)
        return
    render.table(
        ("ID", "WHO", "DATABASE", "ROLE", "STATE", "OPENED", "UNTIL", "CONNECTIONS", "REASON"),
        [
            (
                s.id,
                who(s),
                s.database,
                s.access_role,
                s.state,
                s.opened_at,
                s.closed_at or s.expires_at,
                s.connections,
                s.reason,
            )
            for s in found
        ],
    )


def show(session: SessionId, json: shared.Json = False) -> None:
    """Show one session."""
    with shared.broker() as broker:
        s = broker.session(session)
    if json:
        render.emit(s)
        return
    render.facts(
        [
            ("id", s.id),
            ("state", s.state),
            ("who", who(s)),
            ("database", s.database),
            ("access role", s.access_role),
            ("database user", s.db_user),
            ("client", s.client),
            ("reason", s.reason),
            ("opened", s.opened_at),
            ("until", s.expires_at),
            ("connections", s.connections),
            ("closed", s.closed_at),
            ("because", s.close_reason),
        ]
    )


def kill(
    session: SessionId,
    reason: Annotated[str, typer.Option("--reason", help="Shown and recorded.")] = "",
    json: shared.Json = False,
) -> None:
    """End a session: its connections, its backends and its database user."""
    with shared.broker() as broker:
        broker.close_session(session, reason or "killed")
    if json:
        render.emit({"session": session, "state": "closed"})
    else:
        render.line(f"session {session} is closed")


def who(session: contract.SessionInfo) -> str:
    """Who uses a session; an asserted agent stands in quotes, for nothing proves it."""
    name = shared.person(session.principal)
    return f'{name} ("{session.agent}")' if session.agent else name


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="List, show and kill sessions.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("list", epilog="Example: dbgate sessions list --all")(list_)
    group.command("show", epilog="Example: dbgate sessions show SESSION --json")(show)
    group.command("kill", epilog="Example: dbgate sessions kill SESSION --reason 'laptop lost'")(
        kill
    )
    app.add_typer(group, name="sessions")
