"""`dbgate-broker --config broker.toml`: one broker in the foreground."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dbgate_core.errors import DbgateError, UsageError


def main(argv: Sequence[str] | None = None) -> None:
    """Run it; exits with the code of the error that ended it, else 0."""
    parser = argparse.ArgumentParser(
        prog="dbgate-broker",
        description=__doc__,
        epilog="example: dbgate-broker --config broker.toml",
    )
    parser.add_argument("--config", type=Path, required=True, help="the broker's TOML file")
    parser.add_argument("--check", action="store_true", help="only read it and say what is wrong")
    parser.add_argument(
        "--test-notifications", action="store_true", help="only tell each channel of a test"
    )
    parser.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="of the log on stderr"
    )
    options = parser.parse_args(argv)
    try:
        _run(options)
    except DbgateError as exc:
        print(f"dbgate: error: {exc.message}", file=sys.stderr)
        if exc.hint:
            print(f"dbgate: hint: {exc.hint}", file=sys.stderr)
        sys.exit(exc.exit_code)


def _run(options: argparse.Namespace) -> None:
    try:  # here, and not above: the command is there without the extra, too
        import uvloop

        from dbgate_broker.broker import check
        from dbgate_broker.config import load
        from dbgate_broker.notifications.trying import try_all
        from dbgate_broker.serving import serve
        from dbgate_broker.telemetry import logs
    except ImportError as exc:
        raise UsageError(
            f"the broker is not installed here ({exc.name})", hint="pip install 'dbgate[broker]'"
        ) from exc
    logs.settle(options.log_format)
    config = load(options.config)
    check(config)
    if options.test_notifications:
        uvloop.run(try_all(config))
    elif not options.check:
        uvloop.run(serve(config))


if __name__ == "__main__":
    main()
