"""`dbgate connect`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dbgate_cli import access, console, programs, render, settings
from dbgate_cli.commands import _shared as shared
from dbgate_cli.foreground import run_child, stay
from dbgate_cli.running import Live, use_session
from dbgate_cli.tunnel import HOST
from dbgate_core.errors import UsageError

Port = Annotated[int, typer.Option("--port", help="Local port; without it the database's own.")]


def connect(
    database: shared.Database,
    args: Annotated[
        list[str] | None, typer.Argument(metavar="-- ARGS", help="Passed to psql.")
    ] = None,
    role: shared.Role = "",
    reason: shared.Reason = "",
    wait: shared.Wait = "",
    duration: shared.For = "1h",
    hold: shared.Hold = "",
    show_masks: shared.ShowMasks = False,
    agent: shared.AgentName = "",
    no_client: Annotated[
        bool, typer.Option("--no-client", help="Only listen; stay until Ctrl-C.")
    ] = False,
    port: Port = 0,
    json: shared.Json = False,
) -> int:
    """Open a database in psql, or with --no-client as a local port for any client.

    Ends with psql's own exit code. Without a grant it says which rule is in the way; with --wait
    it asks for approval, waits, and goes on by itself.
    """
    where = settings.load()
    argv: list[str] = []
    if args and no_client:
        raise UsageError("--no-client takes no arguments for psql")
    if json and not no_client:
        raise UsageError("--json goes with --no-client", hint="for rows: dbgate query --json")
    if args or (not no_client and programs.find("psql")):
        argv = programs.command(["psql", *(args or [])])
    shared.ensure_signed_in(where)
    client = "psql" if argv else "listener"
    wish = shared.wish_of(database, role, reason, wait, duration, agent, client, hold, show_masks)
    if argv:
        return use_session(where, wish, lambda live: _psql(live, argv), port=port)
    if not no_client:
        console.note("psql is not installed: listening for any other client")
    return use_session(where, wish, lambda live: _listen(live, json), port=port)


def _psql(live: Live, argv: list[str]) -> int:
    if sys.stderr.isatty():
        opened = live.opened.session
        until = access.local_time(opened.expires_at)
        console.note(f"{opened.database} as {opened.access_role} until {until}")
    return run_child(live, argv)


def _listen(live: Live, json: bool) -> int:
    opened, endpoint = live.opened.session, live.endpoint
    if json:
        render.emit(
            {
                "event": "ready",
                "dsn": endpoint.url(),
                "host": HOST,
                "port": endpoint.port,
                "user": endpoint.username,
                "dbname": endpoint.dbname,
                "session": opened.id,
                "database": opened.database,
                "access_role": opened.access_role,
                "expires_at": opened.expires_at,
            }
        )
    else:
        render.facts(
            [
                ("host", HOST),
                ("port", endpoint.port),
                ("user", endpoint.username),
                ("password", endpoint.password.expose()),
                ("database", endpoint.dbname),
                ("url", endpoint.url()),
            ]
        )
        until = access.local_time(opened.expires_at)
        console.note(f"{opened.database} as {opened.access_role} until {until}; Ctrl-C ends it")
        console.note("the password is this session's own and works on this port alone")
    return stay(live)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: dbgate connect prod-db -- -c 'select count(*) from orders'")(
        connect
    )
