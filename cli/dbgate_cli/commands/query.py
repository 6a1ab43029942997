"""`dbgate query`."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dbgate_cli import settings
from dbgate_cli.commands import _shared as shared
from dbgate_cli.pgclient import PgClient
from dbgate_cli.results import write_csv, write_json, write_table
from dbgate_cli.running import session, target_of
from dbgate_core.errors import UsageError
from dbgate_core.secret import Secret

MAX_TEXT_BYTES = 1024 * 1024
"""The gateway judges no longer text."""


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def query(
    database: shared.Database,
    statement: Annotated[str, typer.Argument(help="SQL; `-` or nothing: standard input.")] = "-",
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the SQL from it.")] = None,
    output: Annotated[
        Format, typer.Option("--format", help="How rows are written.")
    ] = Format.TABLE,
    role: shared.Role = "",
    reason: shared.Reason = "",
    wait: shared.Wait = "",
    duration: shared.For = "1h",
    hold: shared.Hold = "",
    show_masks: shared.ShowMasks = False,
    agent: shared.AgentName = "",
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Run one statement and write its rows: a table, JSON (one object a row) or CSV.

    A statement that policy denies ends with exit code 4, one that PostgreSQL refuses with 1.
    """
    where = settings.load()
    text = read_text(statement, file)
    shared.ensure_signed_in(where)
    wish = shared.wish_of(database, role, reason, wait, duration, agent, "query", hold, show_masks)
    with (
        session(where, wish) as (broker, opened),
        contextlib.closing(PgClient(target_of(opened), broker.tls)) as client,
    ):
        client.start(opened.username, Secret(opened.password), opened.dbname)
        with cancelled_by_ctrl_c(client):
            write = {
                Format.TABLE: write_table,
                Format.JSON: write_json,
                Format.CSV: write_csv,
            }[Format.JSON if json else output]
            write(client.run(text), sys.stdout)


def read_text(statement: str, file: Path | None) -> str:
    """The SQL, from the argument, a file or standard input. Raises UsageError when there is none."""
    if file is not None and statement != "-":
        raise UsageError("give the statement or --file, not both")
    try:
        if file is not None:
            text = file.read_bytes().decode("utf-8-sig")
        else:
            text = sys.stdin.read(MAX_TEXT_BYTES + 1) if statement == "-" else statement
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"cannot read the statement: {exc}") from exc
    if not text.strip():
        raise UsageError("there is no statement", hint="dbgate query prod-db 'select 1'")
    if "\0" in text or len(text.encode()) > MAX_TEXT_BYTES:
        raise UsageError("the statement holds a NUL, or is longer than 1 MiB")
    return text


@contextlib.contextmanager
def cancelled_by_ctrl_c(client: PgClient) -> Iterator[None]:
    """The first Ctrl-C cancels the statement, as in psql; the second ends dbgate."""

    def cancel(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, previous)
        client.cancel()

    previous = signal.signal(signal.SIGINT, cancel)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: dbgate query prod-db 'select id from orders limit 3' --format csv"
    )(query)
