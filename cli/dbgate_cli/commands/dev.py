"""`dbgate dev`: hands over to developer mode, when it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbgate_core.errors import UsageError


def dev(
    home: Annotated[
        Path | None, typer.Option("--home", help="Where everything is kept (else DBGATE_HOME/dev).")
    ] = None,
    database: Annotated[
        list[str] | None,
        typer.Option("--database", metavar="NAME=DSN", help="Govern your own PostgreSQL, too."),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Write JSON to it once all answers.")
    ] = None,
    port_base: Annotated[
        int, typer.Option("--port-base", help="First of the ports; 0 for free ones.")
    ] = 0,
    policy: Annotated[
        str, typer.Option("--policy", help="default, permissive, or a folder of Cedar files.")
    ] = "default",
) -> int:
    """Run PostgreSQL, OpenBao, an OIDC issuer and the broker on this machine, until Ctrl-C.

    The same home starts again with its data. With --database it stands in front of yours.
    """
    from dbgate_cli import settings

    databases = [named_dsn(text) for text in database or []]
    try:
        from dbgate_broker.dev.run import DevOptions, run
    except ImportError as exc:
        raise UsageError(
            f"developer mode is not installed here ({exc.name})", hint="pip install 'dbgate[dev]'"
        ) from exc
    import asyncio

    options = DevOptions(
        home=home or settings.load().home / "dev",
        databases=databases,
        ready_file=ready_file,
        port_base=port_base,
        policy=policy,
    )
    return asyncio.run(run(options)) or 0


def named_dsn(text: str) -> tuple[str, str]:
    """`NAME=DSN`, cut. Raises UsageError, without the DSN: it may hold a password."""
    name, equals, dsn = text.partition("=")
    if not equals or not name or not dsn or "/" in name or ":" in name:
        raise UsageError(
            "--database wants NAME=DSN", hint="--database shop=postgresql://me@localhost/shop"
        )
    return name, dsn


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: dbgate dev --database shop=postgresql://me@localhost/shop")(dev)
