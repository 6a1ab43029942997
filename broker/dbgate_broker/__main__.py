"""`dbgate-broker --config broker.toml`: one broker in the foreground."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from dbgate_core.errors import DbgateError, UsageError

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main(argv: Sequence[str] | None = None) -> None:
    """Run it; exits with the code of the error that ended it, else 0."""
    parser = argparse.ArgumentParser(
        prog="dbgate-broker",
        description=__doc__,
        epilog="example: dbgate-broker --config broker.toml",
    )
    parser.add_argument("--config", type=Path, required=True, help="the broker's TOML file")
    parser.add_argument("--check", action="store_true", help="only read it and say what is wrong")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # six lines a start
    try:
        _run(options.config, only_check=options.check)
    except DbgateError as exc:
        print(f"dbgate: error: {exc.message}", file=sys.stderr)
        if exc.hint:
            print(f"dbgate: hint: {exc.hint}", file=sys.stderr)
        sys.exit(exc.exit_code)


def _run(path: Path, *, only_check: bool) -> None:
    try:  # here, and not above: the command is there without the extra, too
        import uvloop

        from dbgate_broker.broker import check
        from dbgate_broker.config import load
        from dbgate_broker.serving import serve
    except ImportError as exc:
        raise UsageError(
            f"the broker is not installed here ({exc.name})", hint="pip install 'dbgate[broker]'"
        ) from exc
    config = load(path)
    check(config)
    if not only_check:
        uvloop.run(serve(config))


if __name__ == "__main__":
    main()
