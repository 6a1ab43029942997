"""`dbgate serve`: hands over to the broker package, when it is installed."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from dbgate_core.errors import UsageError


class LogFormat(Enum):
    """How the broker writes its log."""

    TEXT = "text"
    JSON = "json"


def serve(
    config: Annotated[Path, typer.Option("--config", help="The broker's TOML file.")],
    check: Annotated[
        bool, typer.Option("--check", help="Only read it and say what is wrong.")
    ] = False,
    test_notifications: Annotated[
        bool, typer.Option("--test-notifications", help="Only tell each channel of a test.")
    ] = False,
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", help="Of the log on stderr.")
    ] = LogFormat.TEXT,
) -> None:
    """Run a broker in the foreground, until Ctrl-C or SIGTERM."""
    import os
    import sys
    from importlib.util import find_spec

    if find_spec("dbgate_broker") is None or find_spec("starlette") is None:
        raise UsageError("the broker is not installed here", hint="pip install 'dbgate[broker]'")
    argv = [sys.executable, "-m", "dbgate_broker", "--config", str(config)]
    argv += ["--log-format", log_format.value]
    argv += ["--check"] if check else []
    argv += ["--test-notifications"] if test_notifications else []
    os.execv(sys.executable, argv)  # noqa: S606 - no shell wanted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: dbgate serve --config broker.toml")(serve)
