"""`dbgate audit search|show|verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from dbgate_cli import console, entries, render, settings
from dbgate_cli.commands import _shared as shared
from dbgate_cli.commands.sessions import SessionId
from dbgate_cli.durations import moment
from dbgate_core import contract
from dbgate_core.decision import Verdict
from dbgate_core.errors import UsageError

MAX_LIMIT = 100_000


def search(
    principal: Annotated[str, typer.Option("--principal", help="Whose.")] = "",
    database: Annotated[str, typer.Option("--database", help="On which database.")] = "",
    table: Annotated[str, typer.Option("--table", help="That touched this table.")] = "",
    verdict: Annotated[
        Verdict | None, typer.Option("--verdict", help="What was decided about the statement.")
    ] = None,
    text: Annotated[str, typer.Option("--text", help="Whose statement holds this text.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="One kind of entry.")] = "",
    session: Annotated[str, typer.Option("--session", help="Of one session.")] = "",
    exposed: Annotated[
        str,
        typer.Option(
            "--exposed", metavar="CLASS", help="That showed values of this class in clear."
        ),
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="2026-01-31T12:00, or 2h (ago).")
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="The same.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="The most entries to give.")] = 200,
    json: shared.Json = False,
) -> None:
    """Search the audit log: who did what, where, and what came of it."""
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"--limit is from 1 to {MAX_LIMIT}")
    now = datetime.now(UTC)
    query = {
        "principal": principal,
        "database": database,
        "table": table,
        "verdict": verdict or "",
        "text": text,
        "kind": kind,
        "session": session,
        "exposed": exposed,
        "since": _time(since, now),
        "until": _time(until, now),
    }
    with shared.broker() as broker:

        def page(cursor: str, left: int) -> contract.AuditPage:
            return broker.audit_search({**query, "limit": str(min(left, 1000)), "cursor": cursor})

        _write(pages(page, limit), json)


def show(session: SessionId, json: shared.Json = False) -> None:
    """Show everything that happened in a session, in order."""
    with shared.broker() as broker:
        _write(pages(lambda cursor, left: broker.audit_session(session, cursor), MAX_LIMIT), json)


def verify(
    log: Annotated[
        Path | None,
        typer.Option("--log", help="A copy of the log's folder, instead of the broker's."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="File with the log's verification key.")
    ] = None,
    json: shared.Json = False,
) -> None:
    """Prove that the audit log is whole: nothing changed, removed, reordered or cut off.

    Reads every entry and compares them with the signed checkpoints. The newest checkpoint is
    remembered, and the next time the log must still contain it.
    """
    from dbgate_cli import verifying

    if (log is None) != (key is None):
        raise UsageError("--log and --key go together", hint="the key is in `dbgate audit key`")
    if log is not None and key is not None:
        report = verifying.verify_folder(log, key)
    else:
        with shared.broker() as broker:
            report = verifying.verify_broker(broker, settings.load().home)
    if json:
        render.emit(report.as_json())
        return
    render.line(
        f"verified: {report.entries} entries, {report.checkpoints} signed checkpoints of {report.origin}"
    )
    if report.remembered:
        console.note(f"and it contains the {report.remembered} entries that were verified before")


def key(json: shared.Json = False) -> None:
    """Print the log's verification key, to be kept for `audit verify --key`."""
    with shared.broker() as broker:
        found = broker.discovery().audit_public_key
    if json:
        render.emit({"key": found})
    else:
        render.line(found)


def pages(page: Callable[[str, int], contract.AuditPage], limit: int) -> Iterator[dict[str, Any]]:
    """The entries of all pages, `limit` at most."""
    cursor, left = "", limit
    while left > 0:
        found = page(cursor, left)
        yield from found.entries[:left]
        left -= len(found.entries)
        if not found.next or found.next == cursor:
            return
        cursor = found.next


def _write(found: Iterator[dict[str, Any]], json: bool) -> None:
    if json:
        for entry in found:
            render.emit(entry)
    else:
        render.table(entries.HEADERS, entries.lines(found))


def _time(text: str, now: datetime) -> str:
    return moment(text, now).isoformat() if text else ""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Search, show and verify the audit log.", no_args_is_help=True, rich_markup_mode=None
    )
    example = "Example: dbgate audit search --database prod-db --table orders --since 2h"
    group.command("search", epilog=example)(search)
    group.command("show", epilog="Example: dbgate audit show SESSION --json")(show)
    group.command("verify", epilog="Example: dbgate audit verify")(verify)
    group.command("key", epilog="Example: dbgate audit key > dbgate.key")(key)
    app.add_typer(group, name="audit")
